"""Licences on a real engine: of a key that was put into it, and of one set here, the signature never leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cli.test_license import CANARY, KEY, RAW, STRUCTURED
from tests.engines import Engine
from tests.support.program import Program
from tests.support.receiver import Receiver


@pytest.fixture
def engine(engines: Callable[[str], Engine]) -> Iterator[Engine]:
    running = engines("camunda-7.24.0")
    yield running
    running.set_license(None)


@pytest.fixture
def enabled(engine: Engine, program: Program, receiver: Receiver) -> Program:
    program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{engine.rest}"\n')
    assert program("enable", "--yes").status == 0
    return program


def reported(program: Program, receiver: Receiver) -> dict[str, Any] | None:
    """The licence of a report that is sent now."""
    assert program("send", "--force").status == 0
    report = json.loads(receiver.received[-1].body)
    found: dict[str, Any] | None = report["product"]["internals"].get("license-key")
    return found


def nothing_has_the_signature(program: Program, receiver: Receiver) -> None:
    commands = ("environment", "environment --json", "preview", "license show", "status", "history --json")
    runs = [program(*command.split()) for command in commands]
    assert all(CANARY.encode() not in run.stdout + run.stderr for run in runs)
    assert all(CANARY.encode() not in request.body for request in receiver.received)
    assert all(CANARY.encode() not in file.read_bytes() for file in program.store.parent.iterdir())


@pytest.mark.engine
def test_a_key_in_the_engine_is_reported_raw_until_it_is_removed_there(
    engine: Engine, enabled: Program, receiver: Receiver
) -> None:
    engine.set_license(KEY)
    said = engine.telemetry_data()["product"]["internals"]["license-key"]["raw"]
    assert said.startswith(RAW)
    assert "END CAMUNDA BPM LICENSE KEY" in said, "the engine leaves the footer in (facts §7.1)"
    assert reported(enabled, receiver) == {"raw": RAW}
    engine.set_license(None)
    assert reported(enabled, receiver) is None
    nothing_has_the_signature(enabled, receiver)


@pytest.mark.engine
def test_a_key_set_here_is_reported_structured_until_it_is_removed_here(
    engine: Engine, enabled: Program, receiver: Receiver
) -> None:
    assert enabled("license", "set", "-", stdin=KEY.encode()).status == 0
    assert reported(enabled, receiver) == STRUCTURED
    assert engine.telemetry_data()["product"]["internals"]["license-key"] is None, "nothing is written there"
    assert enabled("license", "remove").status == 0
    assert reported(enabled, receiver) is None
    nothing_has_the_signature(enabled, receiver)


@pytest.mark.engine
def test_the_same_key_in_both_keeps_the_richer_form_and_another_one_shows_both(
    engine: Engine, enabled: Program, receiver: Receiver
) -> None:
    engine.set_license(KEY)
    enabled("license", "set", "-", stdin=KEY.encode())
    assert enabled("environment", "--json").data["engines"][0]["also-found"] == {}
    assert reported(enabled, receiver) == STRUCTURED
    engine.set_license(f"{CANARY};other company;unlimited")
    found = enabled("environment", "--json").data["engines"][0]
    assert found["found"]["license-key"] == {"value": STRUCTURED, "source": "license set"}
    assert found["also-found"] == {
        "license-key": [{"value": {"raw": "other company;unlimited"}, "source": f"REST {engine.rest}"}]
    }
    assert reported(enabled, receiver) == STRUCTURED
    enabled("license", "remove")
    assert reported(enabled, receiver) == {"raw": "other company;unlimited"}
    nothing_has_the_signature(enabled, receiver)


@pytest.mark.engine
@pytest.mark.parametrize("text", [KEY.replace(";", "", 1).split(";")[0], f'{{"customer":"A","signature":"{CANARY}"}}'])
def test_a_text_in_the_engine_that_may_be_all_signature_is_withheld_with_the_reason(
    text: str, engine: Engine, enabled: Program, receiver: Receiver
) -> None:
    engine.set_license(text)
    assert reported(enabled, receiver) is None
    missing = enabled("environment", "--json").data["engines"][0]["missing"]
    assert missing["license-key"] == "withheld: the engine's licence text may hold its signature"
    nothing_has_the_signature(enabled, receiver)
