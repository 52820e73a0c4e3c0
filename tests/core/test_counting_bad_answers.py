"""Counts that are none: missing with the reason, the run goes on, and the next reading counts all that was missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.receiver import Receiver
from tests.support.simulated_engine import Answer, SimulatedEngine

GARBAGE = ["-1", "9223372036854775808", '"7"', "5.5", "5.0", "null", "true", "1e400", "[3]", '{"count": 3}']
SUM = "/metrics/activity-instance-start/sum"


def answer(text: str) -> Answer:
    return 200, "application/json", text.encode()


@pytest.fixture
def desk(tmp_path: Path, simulated: SimulatedEngine, receiver: Receiver) -> Desk:
    clock = ManualClock()
    simulated.now = clock.now
    desk = Desk(tmp_path, clock, {"orders": simulated.rest}, receiver.url)
    desk.enable()
    simulated.start_process(3)
    clock.advance(60)
    return desk


def send(desk: Desk) -> None:
    assert desk.send(force=True).failed == []
    assert isinstance(desk.clock, ManualClock)
    desk.clock.advance(60)


def internals(receiver: Receiver) -> list[dict[str, dict[str, dict[str, int]]]]:
    bodies = [json.loads(one.body)["product"]["internals"] for one in receiver.received]
    return [body for body in bodies if "webapps" in body]


@pytest.mark.parametrize("count", GARBAGE)
def test_a_sum_that_is_no_count_makes_metrics_missing_once(
    desk: Desk, simulated: SimulatedEngine, receiver: Receiver, count: str
) -> None:
    simulated.override[SUM] = answer(f'{{"result": {count}}}')
    send(desk)
    assert SUM in desk.reports()[0].missing["metrics"]
    simulated.override.clear()
    send(desk)
    first, second = internals(receiver)
    assert "metrics" not in first
    assert first["commands"]["StartProcessInstanceCmd"]["count"] == 3
    assert second["metrics"]["root-process-instance-start"]["count"] == 3
    assert second["metrics"]["activity-instance-start"]["count"] == 6


@pytest.mark.parametrize("count", [one for one in GARBAGE if one != "1e400"])  # which is refused as no JSON at all
def test_a_command_that_is_no_count_makes_commands_missing_once(
    desk: Desk, simulated: SimulatedEngine, receiver: Receiver, count: str
) -> None:
    _, _, body = simulated.answer("/engine-rest/telemetry/data")
    data = json.loads(body)
    data["product"]["internals"]["commands"]["DeployCmd"] = {"count": json.loads("123456")}
    simulated.override["/telemetry/data"] = answer(json.dumps(data).replace("123456", count))
    send(desk)
    assert "does not fit" in desk.reports()[0].missing["commands"]
    simulated.override.clear()
    send(desk)
    first, second = internals(receiver)
    assert "commands" not in first
    assert first["metrics"]["root-process-instance-start"]["count"] == 3
    assert second["commands"]["StartProcessInstanceCmd"]["count"] == 3
