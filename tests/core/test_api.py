"""The Python API: what each call does to the store, what it gives, and that nothing is loaded before it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import telemetry_core
from telemetry_core import (
    delete_license_key,
    get_license_key,
    get_telemetry_data,
    is_telemetry_enabled,
    set_license_key,
    toggle_telemetry,
)
from telemetry_core.errors import EndpointMissing, EngineUnreachable, LicenseRefused, UnknownEngine
from telemetry_core.model import License, Software, State
from tests.support.clock import RealClock
from tests.support.desk import Desk
from tests.support.simulated_engine import SimulatedEngine

NOWHERE = "http://127.0.0.1:9/pings"
KEY = "c2hvcnQtc2lnbmF0dXJl;customer=ACME;expiryDate=2030-12-31;camundaBPM=true"
RAW = "customer=ACME;expiryDate=2030-12-31;camundaBPM=true"


@pytest.fixture
def desk(tmp_path: Path, simulated: SimulatedEngine) -> Desk:
    return Desk(tmp_path, RealClock(), {"orders": simulated.rest}, NOWHERE)


def test_toggling_is_recorded_as_pythons_decision_of_a_user_who_was_not_shown_the_note(desk: Desk) -> None:
    with desk.session() as session:
        assert is_telemetry_enabled(session) is None
        decided = toggle_telemetry(session, enabled=True, user="ada", authorized_by="the board", reason="audit")
        assert decided.changed
        assert is_telemetry_enabled(session) is True
        toggle_telemetry(session, enabled=False, user="bob")
        assert is_telemetry_enabled(session) is False
        enabled, disabled = session.store.consents.history()
    assert (enabled.how, enabled.decided_by, enabled.note_shown) == ("Python", "ada", False)
    assert (enabled.authorized_by, enabled.reason) == ("the board", "audit")
    assert (disabled.how, disabled.decided_by, disabled.state) == ("Python", "bob", State.DISABLED)


def test_what_was_counted_before_toggling_is_not_in_the_data(desk: Desk, simulated: SimulatedEngine) -> None:
    with desk.session() as session:
        simulated.start_process(7)
        before = get_telemetry_data(session)
        assert (before.telemetry_enabled, before.commands, before.metrics) == (None, None, None)
        toggle_telemetry(session, enabled=True, user="ada")
        simulated.start_process(3)
        data = get_telemetry_data(session, engine="orders")
    assert data.installation == simulated.installation
    assert data.telemetry_enabled is True
    assert data.database == Software("H2", "2.3.232 (2024-08-11)")
    assert data.metrics == {
        "process-instances": 3,
        "flow-node-instances": 6,
        "decision-instances": 0,
        "executed-decision-elements": 0,
    }
    assert data.commands is not None
    assert data.commands["StartProcessInstanceCmd"] == 3


def test_getting_data_changes_nothing(desk: Desk, simulated: SimulatedEngine) -> None:
    desk.enable()
    simulated.start_process(2)
    content = Path(str(desk.place)).read_bytes()
    with desk.session() as session:
        first = get_telemetry_data(session).metrics
        assert get_telemetry_data(session).metrics == first
    assert Path(str(desk.place)).read_bytes() == content


def test_a_licence_is_kept_raw_without_its_signature_until_it_is_deleted(desk: Desk) -> None:
    with desk.session() as session:
        assert get_license_key(session) is None
        assert not delete_license_key(session)
        set_license_key(session, KEY, user="ada")
        assert get_license_key(session) == RAW
        assert get_telemetry_data(session).license_key == License(raw=RAW)
        assert delete_license_key(session)
        assert get_license_key(session) is None
        assert get_telemetry_data(session).license_key is None


@pytest.mark.parametrize("key", ["", "A" * 64, '{"customer":"ACME","expires":"2030-12-31","signature":"x"}'])
def test_a_licence_without_raw_text_is_refused(key: str, desk: Desk) -> None:
    with desk.session() as session:
        with pytest.raises(LicenseRefused):
            set_license_key(session, key, user="ada")
        assert get_license_key(session) is None


def test_without_endpoint_or_engine_nothing_is_enabled(tmp_path: Path, simulated: SimulatedEngine) -> None:
    desk = Desk(tmp_path, RealClock(), {"orders": simulated.rest}, NOWHERE)
    desk.variables.pop("TELEMETRY_ENDPOINT")
    with desk.session() as session:
        with pytest.raises(EndpointMissing):
            toggle_telemetry(session, enabled=True, user="ada")
        assert is_telemetry_enabled(session) is None
    with desk.session(TELEMETRY_ENDPOINT=NOWHERE, TELEMETRY_ENGINES__ORDERS__REST="http://127.0.0.1:1/x") as session:
        with pytest.raises(EngineUnreachable):
            toggle_telemetry(session, enabled=True, user="ada")
        with pytest.raises(EngineUnreachable):
            get_telemetry_data(session)
        assert is_telemetry_enabled(session) is None


def test_of_several_engines_one_is_named_or_called_default(tmp_path: Path, simulated: SimulatedEngine) -> None:
    names = {"orders": simulated.rest, "claims": simulated.rest}
    with Desk(tmp_path / "two", RealClock(), names, NOWHERE).session() as session:
        with pytest.raises(UnknownEngine, match="not said which"):
            is_telemetry_enabled(session)
        with pytest.raises(UnknownEngine, match="'default'"):
            is_telemetry_enabled(session, engine="default")
        toggle_telemetry(session, enabled=False, user="ada", engine="claims")
        assert is_telemetry_enabled(session, engine="claims") is False
        assert is_telemetry_enabled(session, engine="orders") is None
    names["default"] = simulated.rest
    with Desk(tmp_path / "three", RealClock(), names, NOWHERE).session() as session:
        toggle_telemetry(session, enabled=False, user="ada")
        assert is_telemetry_enabled(session, engine="default") is False
        assert is_telemetry_enabled(session, engine="orders") is None


def test_importing_the_package_loads_nothing_and_everything_it_offers_is_there() -> None:
    program = "import sys; before = set(sys.modules); import telemetry_core; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["telemetry_core"]
    for name in telemetry_core.__all__:
        assert getattr(telemetry_core, name).__doc__, name
    with pytest.raises(AttributeError):
        telemetry_core.nothing  # noqa: B018
