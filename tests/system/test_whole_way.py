"""The whole way on real engines: consent, exact preview, one initial report, counts that follow from the work done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine
from tests.support.program import Program
from tests.support.receiver import Receiver

Engines = Callable[[str], Engine]
FAMILY = [
    "camunda-7.24.0",
    "operaton-1.0.3",
    pytest.param("camunda-7.17.0", marks=pytest.mark.family),
    pytest.param("camunda-7.21.0", marks=pytest.mark.family),
    pytest.param("camunda-7.22.0", marks=pytest.mark.family),
]


def configure(program: Program, receiver: Receiver, engine: Engine) -> None:
    program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{engine.rest}"\n')


def body(receiver: Receiver, position: int) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(receiver.received[position].body)
    return report


def metrics(report: dict[str, Any]) -> dict[str, int]:
    return {name: one["count"] for name, one in report["product"]["internals"]["metrics"].items()}


def commands(report: dict[str, Any]) -> dict[str, int]:
    return {name: one["count"] for name, one in report["product"]["internals"]["commands"].items()}


@pytest.mark.engine
@pytest.mark.parametrize("release", FAMILY)
def test_the_first_send_gives_the_initial_report_and_the_work_done_since_enabling(
    release: str, engines: Engines, program: Program, receiver: Receiver
) -> None:
    engine = engines(release)
    configure(program, receiver, engine)
    engine.start_process(3)
    assert program("enable", "--yes").status == 0
    engine.start_process(5)
    engine.evaluate_decision(2)

    preview = program("preview", "--keep", "--json").data["reports"][0]
    sent = program("send")
    assert (sent.status, sent.stdout, sent.stderr) == (0, b"", b"")

    assert len(receiver.received) == 2
    product = engine.telemetry_data()["product"]
    assert body(receiver, 0) == {
        "installation": engine.telemetry_data()["installation"],
        "product": {
            "name": product["name"],
            "version": product["version"],
            "edition": "community",
            "internals": {"telemetry-enabled": True},
        },
    }
    assert receiver.received[1].sha256 == preview["sha256"]
    assert metrics(body(receiver, 1)) == {
        "root-process-instance-start": 5,
        "process-instances": 5,
        "activity-instance-start": 10,
        "flow-node-instances": 10,
        "executed-decision-instances": 2,
        "decision-instances": 2,
        "executed-decision-elements": 4,
    }
    assert commands(body(receiver, 1))["StartProcessInstanceCmd"] == 5


@pytest.mark.engine
def test_three_reports_in_a_row_with_a_restart_between_count_everything_once(
    program: Program, receiver: Receiver, tmp_path: Path
) -> None:
    with Engine.start("camunda-7.24.0", database=tmp_path / "engine") as engine:
        configure(program, receiver, engine)
        program("enable", "--yes")
        engine.start_process(4)
        assert program("send").status == 0
        assert program("send", "--force").status == 0
        engine.start_process(2)
        engine.restart()
        engine.start_process(3)
        assert program("send", "--force").status == 0

    kinds = [report["kind"] for report in program("history", "--json").data["reports"]]
    assert kinds == ["periodic", "periodic", "periodic", "initial"]
    counted = [metrics(body(receiver, position))["root-process-instance-start"] for position in (1, 2, 3)]
    assert counted == [4, 0, 5]
    # Commands of a node live in its memory: the two starts before its end are lost with it (DESIGN §4).
    assert [commands(body(receiver, position))["StartProcessInstanceCmd"] for position in (1, 2, 3)] == [4, 0, 3]
    starts = [body(receiver, position)["product"]["internals"]["data-collection-start-date"] for position in (1, 2, 3)]
    assert starts == sorted(set(starts))


@pytest.mark.engine
@pytest.mark.parametrize("release", FAMILY)
def test_the_bytes_of_preview_wire_and_history_are_the_same(
    release: str, engines: Engines, program: Program, receiver: Receiver
) -> None:
    configure(program, receiver, engines(release))
    program("enable", "--yes")
    program("preview", "--keep")
    previewed = program("preview", "--raw").stdout
    program("send")
    newest = program("history", "--json").data["reports"]
    periodic = next(report for report in newest if report["kind"] == "periodic")
    assert receiver.received[1].body == previewed
    assert program("history", periodic["id"], "--raw").stdout == previewed
    assert periodic["sha256"] == receiver.received[1].sha256
