"""`telemetry_core.reporting.explain`: the layer that it names is the one that decides, in every combination."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from telemetry_core import administration, reporting
from telemetry_core.reporting.explaining import Explanation, Result
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine


@pytest.fixture
def desk(tmp_path: Path, simulated: SimulatedEngine, receiver: Receiver) -> Desk:
    return Desk(tmp_path, ManualClock(), {"orders": simulated.rest}, receiver.url)


def explained(desk: Desk, **variables: str) -> Explanation:
    with desk.session(**variables) as session:
        return reporting.explain(session, session.config.engines[0])


def marked(explanation: Explanation) -> str:
    return "" if explanation.deciding is None else explanation.deciding.name


def test_each_layer_is_named_with_its_value_and_where_that_was_said(desk: Desk) -> None:
    desk.enable()
    found = explained(desk)
    assert [layer.name for layer in found.layers] == [
        "policy", "DO_NOT_TRACK", "reporter switch", "requests", "consent", "configuration", "engine's own reporter",
    ]  # fmt: skip
    assert (found.result, found.deciding) == (Result.PERMITTED, None)
    said = {layer.name: (layer.value, layer.origin) for layer in found.layers}
    assert said["reporter switch"] == ("true", "default")
    assert said["consent"] == ("enabled", "command of ada for orders")
    assert said["configuration"][1] == "TELEMETRY_ENDPOINT"


def test_before_the_first_run_the_setting_that_will_decide_is_named_and_no_user(desk: Desk) -> None:
    for wanted, said in (("true", "enabled"), ("false", "disabled")):
        found = explained(desk, TELEMETRY_INITIALIZE_TELEMETRY=wanted)
        (layer,) = (one for one in found.layers if one.name == "consent")
        assert (layer.value, layer.origin) == (said, "initialize-telemetry, at the first run")
    with desk.session(TELEMETRY_INITIALIZE_TELEMETRY="true") as session:
        administration.first_run(session, lambda: "root")
    (layer,) = (one for one in explained(desk).layers if one.name == "consent")
    assert layer.origin == "first run of root for orders", "then it was decided, by a run of somebody's"


@pytest.mark.parametrize(
    ("variables", "result", "layer"),
    [
        ({"DO_NOT_TRACK": "1"}, Result.DO_NOT_TRACK, "DO_NOT_TRACK"),
        ({"TELEMETRY_REPORTER_ACTIVATE": "false"}, Result.REPORTER_SWITCH, "reporter switch"),
        ({"TELEMETRY_ENDPOINT": ""}, Result.NO_ENDPOINT, "configuration"),
        ({"TELEMETRY_ENDPOINT": "https://another.example/"}, Result.OTHER_ENDPOINT, "configuration"),
        ({"DO_NOT_TRACK": "1", "TELEMETRY_REPORTER_ACTIVATE": "false"}, Result.DO_NOT_TRACK, "DO_NOT_TRACK"),
    ],
)
def test_the_first_layer_that_forbids_decides(
    variables: dict[str, str], result: Result, layer: str, desk: Desk
) -> None:
    desk.enable()
    found = explained(desk, **variables)
    assert (found.result, marked(found)) == (result, layer)


def test_consent_decides_where_nothing_above_it_forbids(desk: Desk) -> None:
    assert explained(desk).result is Result.NOT_CONFIGURED
    desk.disable()
    assert explained(desk).result is Result.DISABLED
    desk.disable(no_requests=True)
    assert explained(desk).result is Result.NO_REQUESTS


def test_an_engine_that_reports_by_itself_decides_last(desk: Desk, simulated: SimulatedEngine) -> None:
    simulated.data["product"]["version"] = "7.21.0"
    simulated.own_reporter = True
    desk.enable()
    assert explained(desk).result is Result.OWN_REPORTER
    assert explained(desk, DO_NOT_TRACK="1").result is Result.DO_NOT_TRACK


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of root's")
def test_in_every_combination_it_agrees_with_what_send_obeys(desk: Desk, tmp_path: Path) -> None:
    switches = {
        "DO_NOT_TRACK": ("", "1"),
        "TELEMETRY_REPORTER_ACTIVATE": ("true", "false"),
        "TELEMETRY_ENDPOINT": (desk.variables["TELEMETRY_ENDPOINT"], "", "https://another.example/"),
    }
    decisions: list[Callable[[], object]] = [
        lambda: None, desk.enable, desk.disable, lambda: desk.disable(no_requests=True),
    ]  # fmt: skip
    seen = set()
    for decide in decisions:
        decide()
        for *values, forbidden in product(*switches.values(), ("", "policy.toml:1")):
            with desk.session(**dict(zip(switches, values, strict=True))) as session:
                session = replace(session, config=replace(session.config, forbidden_by=forbidden))
                engine = session.config.engines[0]
                found = reporting.explain(session, engine)
                assert (found.deciding is None) == (reporting.status(session, engine).obstacle == ""), found
                seen.add(found.result)
    assert seen == set(Result) - {Result.OWN_REPORTER}
