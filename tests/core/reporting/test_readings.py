"""Readings between reports: a plain `send` takes one when the last is old, so that an engine's end loses little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core import reporting
from tests.support import stage as stages
from tests.support.desk import counted

HOUR = 3600.0
DAY = 24 * HOUR
STARTING = "StartProcessInstanceCmd"


class Stage(stages.Stage):
    """One whose desk is enabled and has sent its first report."""

    def send_after(self, seconds: float) -> int:
        """A plain send some time later; how many requests it made to the engine."""
        self.clock.advance(seconds)
        before = len(self.engine.requests)
        self.desk.send()
        return len(self.engine.requests) - before

    def started(self) -> list[int]:
        """The process instances that each periodic report counts by the command that starts them."""
        bodies = [json.loads(request.body)["product"]["internals"] for request in self.receiver.received]
        return [one["commands"].get(STARTING, {"count": 0})["count"] for one in bodies if "commands" in one]

    @property
    def trouble(self) -> str:
        with self.desk.session() as session:
            return reporting.status(session, session.config.engines[0]).trouble


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        made.desk.enable()
        made.desk.send()
        yield made


def test_a_killed_engine_loses_the_commands_since_the_last_reading_alone(stage: Stage) -> None:
    for times in (3, 4, 5):
        stage.engine.start_process(times)
        stage.send_after(6 * HOUR)
    stage.engine.start_process(50)
    stage.clock.advance(HOUR)
    stage.engine.kill()
    stage.engine.start_process(2)
    stage.send_after(6 * HOUR)
    assert len(stage.receiver.received) == 3
    assert stage.started() == [0, 3 + 4 + 5 + 2]


def test_while_the_last_reading_is_young_the_engine_is_not_asked(stage: Stage) -> None:
    assert stage.send_after(6 * HOUR - 1) == 0
    assert stage.send_after(1) > 0
    assert stage.send_after(5 * HOUR) == 0


def test_readings_send_nothing(stage: Stage) -> None:
    for _ in range(3):
        stage.send_after(6 * HOUR)
    assert counted(stage.receiver) == [0]


def test_the_sample_period_decides_how_old_the_last_reading_may_be(stage: Stage) -> None:
    stage.desk.variables["TELEMETRY_REPORTER__SAMPLE_PERIOD"] = "10m"
    assert stage.send_after(599) == 0
    assert stage.send_after(1) > 0


def test_without_consent_no_reading_is_taken(stage: Stage) -> None:
    stage.desk.disable()
    assert stage.send_after(12 * HOUR) == 0


def test_while_one_entry_of_an_installation_does_not_permit_it_no_reading_is_taken(stage: Stage) -> None:
    stage.desk.variables["TELEMETRY_ENGINES__TWIN__REST"] = stage.engine.rest.replace("127.0.0.1", "localhost")
    stage.desk.send()
    assert stage.send_after(12 * HOUR) == 0


def test_a_reading_is_taken_while_a_report_waits_for_a_dead_receiver(stage: Stage) -> None:
    stage.send_after(6 * HOUR)
    stage.desk.variables["TELEMETRY_ENDPOINT"] = "http://127.0.0.1:9/"
    stage.desk.enable()
    stage.send_after(DAY)
    stage.engine.start_process(7)
    stage.desk.variables["TELEMETRY_REPORTER__SAMPLE_PERIOD"] = "10s"
    assert stage.send_after(30) > 0
    stage.engine.kill()
    with stage.desk.session() as session:
        ledger = session.store.ledgers.get(stage.engine.installation)
    assert ledger is not None
    assert (ledger.accumulated.commands or {})[STARTING] == 7


def test_a_reading_noted_by_a_clock_that_went_wrong_is_taken_anew(stage: Stage) -> None:
    right = stage.clock.now()
    stage.clock.set(right + round(400 * DAY * 1000))
    stage.desk.send()
    stage.clock.set(right)
    assert stage.send_after(60) > 0


def test_an_engine_that_fails_at_a_reading_is_said_once_a_period_and_is_no_trouble_once_it_answers(
    stage: Stage,
) -> None:
    stage.engine.override["/telemetry/data"] = (500, "text/plain", b"down")
    stage.clock.advance(6 * HOUR)
    first, second = stage.desk.send().failed, stage.desk.send().failed
    assert [(one.error.exit_status, one.repeated) for one in first + second] == [(5, False), (5, True)]
    assert "answers 500" in stage.trouble

    answer = stage.engine.override.pop("/telemetry/data")
    assert stage.send_after(60) > 0
    assert stage.trouble == ""

    stage.engine.override["/telemetry/data"] = answer
    stage.clock.advance(7 * HOUR)
    assert [one.repeated for one in stage.desk.send().failed] == [True]
    assert "answers 500" in stage.trouble
    stage.clock.advance(DAY)
    assert [one.repeated for one in stage.desk.send().failed] == [False]
