"""Sending where nothing names a node's life (7.17, 7.18): restarts count, load balancers are missing, none twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry_core import reporting
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.receiver import Receiver
from tests.support.simulated_engine import Answer, SimulatedEngine

DAY = 24 * 3600.0


class Stage:
    """A 7.17.0 behind one address, which may have another node."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        self.engine = SimulatedEngine("camunda-7.17.0", now=self.clock.now)
        self.receiver = Receiver()
        self.desk = Desk(directory, self.clock, {"orders": self.engine.rest}, self.receiver.url)
        self.shows(100, 5)

    def shows(self, starts: int, readings: int) -> None:
        """What the next reading finds, itself included."""
        self.engine.commands = Counter({"StartProcessInstanceCmd": starts, "GetTelemetryDataCmd": readings - 1})

    def send(self, starts: int, readings: int) -> int | None:
        """How many starts the report of the next day has; None where commands are missing."""
        self.clock.advance(DAY)
        self.shows(starts, readings)
        assert not self.desk.send().failed
        internals: dict[str, Any] = json.loads(self.receiver.received[-1].body)["product"]["internals"]
        return internals["commands"]["StartProcessInstanceCmd"]["count"] if "commands" in internals else None


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        made.desk.enable()
        yield made


def test_a_restart_counts_with_the_report_after_the_one_that_saw_it(stage: Stage) -> None:
    assert [stage.send(130, 6), stage.send(20, 1), stage.send(50, 2), stage.send(60, 3)] == [30, 0, 50, 10]


def test_commands_behind_a_load_balancer_are_left_out_and_the_report_says_why(stage: Stage) -> None:
    assert [stage.send(60, 5), stage.send(100, 6), stage.send(60, 6)] == [0, 0, None]
    missing = stage.desk.reports()[0].missing["commands"]
    assert missing.endswith("counts fall and return, as behind a load balancer; list its nodes one by one instead")


def test_what_fell_while_the_engine_reported_by_itself_is_not_counted_again_by_us(stage: Stage) -> None:
    stage.engine.own_reporter = True
    stage.clock.advance(DAY)
    stage.shows(20, 1)
    assert "reports by itself" in stage.desk.send().idle["orders"]
    stage.engine.own_reporter = False
    assert stage.send(30, 2) == 10


def test_a_reading_that_another_process_overtakes_is_no_restart(stage: Stage) -> None:
    """What was answered first is noted last, and shows less than what is known by then."""

    def overtaken() -> Answer:
        del stage.engine.override["/telemetry/data"]
        stage.shows(130, 6)
        answer = stage.engine.answer("/engine-rest/telemetry/data")
        stage.shows(131, 7)
        with stage.desk.session() as session:
            reporting.observe(session, session.config.engines, keep=True)
        stage.clock.advance(1)
        return answer

    stage.engine.override["/telemetry/data"] = overtaken
    assert [stage.send(0, 0), stage.send(140, 8), stage.send(150, 9)] == [31, 9, 10]
