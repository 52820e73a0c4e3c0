"""The resident reporter: when it checks, what it sends between checks, and what it does for an engine that has gone."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry_core.errors import StoreDamaged
from telemetry_core.model import Kind, ReportState, Trigger
from telemetry_core.reporting import Sending, Session
from telemetry_core.resident import Resident
from tests.support import stage as stages
from tests.support.clock import START
from tests.support.desk import counted
from tests.support.simulated_engine import SimulatedEngine

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ADDRESS = "TELEMETRY_ENGINES__ORDERS__REST"


class Stage(stages.Stage):
    """One with a reporter that was started now."""

    def __init__(self, directory: Path, capture: str = "camunda-7.24.0") -> None:
        super().__init__(directory, capture)
        self.came: list[float] = []
        self.asked: list[float] = []
        self.results: list[Sending] = []
        self.errors: list[Exception] = []
        self.broken: Exception | None = None
        self.during_delivery = lambda: self.came.append(self.elapsed)
        self.start()

    def start(self) -> None:
        """A new process."""
        self.pause = 0.0
        self.resident = Resident(self._session, self.clock, sent=self.results.append, failed=self.errors.append)

    def _session(self) -> AbstractContextManager[Session]:
        if self.broken is not None:
            raise self.broken
        return self.desk.session()

    @property
    def elapsed(self) -> float:
        """Seconds since the first start."""
        return (self.clock.now() - START) / 1000

    def live(self, seconds: float) -> None:
        """Let the reporter look and sleep for a while."""
        while self.pause < seconds:
            self.clock.advance(self.pause)
            seconds -= self.pause
            before = len(self.engine.requests)
            self.pause = self.resident.look()
            assert self.pause > 0
            self.asked += [self.elapsed] if len(self.engine.requests) > before else []
        self.clock.advance(seconds)
        self.pause -= seconds

    @property
    def periodic(self) -> list[Trigger]:
        """Why each periodic report was made, the oldest first."""
        return [report.trigger for report in reversed(self.desk.reports()) if report.kind is Kind.PERIODIC]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        yield made
    assert made.broken or made.errors == []


def test_once_decided_the_first_check_is_five_minutes_after_the_start(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(5 * MINUTE + 1)
    assert stage.came == [5 * MINUTE, 5 * MINUTE]
    assert stage.asked == [5 * MINUTE]


def test_the_initial_delay_decides_when_the_first_check_is(stage: Stage) -> None:
    stage.desk.variables["TELEMETRY_REPORTER__INITIAL_DELAY"] = "20s"
    stage.desk.enable()
    stage.live(MINUTE)
    assert stage.came == [20, 20]


def test_while_nothing_is_decided_the_initial_report_goes_three_hours_after_the_start(stage: Stage) -> None:
    stage.live(3 * HOUR + 1)
    assert stage.came == [3 * HOUR]
    assert b'"telemetry-enabled":null' in stage.receiver.received[0].body
    assert stage.asked == [0, 3 * HOUR], "the first contact begins the three hours"


def test_undecided_a_start_long_after_the_first_contact_waits_three_hours_too(stage: Stage) -> None:
    stage.live(MINUTE)
    stage.clock.advance(DAY)
    stage.start()
    stage.live(3 * HOUR + 1)
    assert stage.came == [MINUTE + DAY + 3 * HOUR]


def test_an_engine_that_starts_after_the_reporter_is_found_within_five_minutes(stage: Stage) -> None:
    stage.go()
    stage.live(21 * MINUTE)
    assert [one.repeated for result in stage.results for one in result.failed] == [False, *[True] * 4]
    stage.come_back()
    stage.live(5 * MINUTE)
    assert stage.asked == [25 * MINUTE]
    stage.live(3 * HOUR)
    assert stage.came == [25 * MINUTE + 3 * HOUR]


def test_what_is_decided_while_it_runs_is_noticed_within_five_minutes(stage: Stage) -> None:
    stage.live(HOUR + MINUTE)
    stage.desk.enable()
    stage.live(5 * MINUTE)
    assert len(stage.came) == 2
    stage.desk.disable()
    stage.live(3 * DAY)
    assert len(stage.came) == 2


def test_reports_are_a_period_apart_and_stay_so_over_a_time_without_reporter(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(4 * DAY)
    stage.clock.advance(HOUR)
    stage.start()
    stage.live(2 * DAY)
    on_time = [day * DAY + 5 * MINUTE for day in (0, 1, 2, 3, 5, 6)]
    assert stage.came[1:] == sorted([*on_time, 4 * DAY + HOUR + 5 * MINUTE])


def test_a_week_brings_seven_reports_and_readings_in_between_every_six_hours(stage: Stage) -> None:
    stage.desk.enable()
    for _ in range(7):
        stage.engine.start_process()
        stage.live(DAY)
    assert counted(stage.receiver) == [1] * 7
    assert {later - earlier for earlier, later in pairwise(stage.asked)} == {6 * HOUR}


def test_a_killed_engine_loses_what_came_since_the_last_reading_alone(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(HOUR)
    stage.engine.start_process(3)
    stage.live(6 * HOUR)
    stage.engine.start_process(50)
    stage.engine.kill()
    stage.engine.start_process(2)
    stage.live(DAY)
    commands = json.loads(stage.receiver.received[-1].body)["product"]["internals"]["commands"]
    assert commands["StartProcessInstanceCmd"]["count"] == 3 + 2


def test_a_report_that_did_not_arrive_is_tried_again_when_its_wait_is_over(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(6 * MINUTE)
    stage.status = 503
    begin = DAY + 5 * MINUTE
    stage.live(DAY + 70 * MINUTE)
    assert [(moment - begin) / MINUTE for moment in stage.came[2:]] == [0, 1, 3, 7, 15, 31, 63]
    stage.status = 202
    stage.live(HOUR)
    assert {report.state for report in stage.desk.reports()} == {ReportState.ACCEPTED}


def test_what_was_kept_by_a_preview_is_sent_within_five_minutes(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(HOUR + MINUTE)
    stage.engine.start_process(4)
    stage.desk.keep()
    stage.live(5 * MINUTE)
    assert counted(stage.receiver) == [0, 4]


def test_an_engine_that_has_gone_has_one_final_report_of_what_was_read_and_no_request_until_it_is_back(
    stage: Stage,
) -> None:
    stage.desk.enable()
    stage.live(HOUR)
    stage.engine.start_process(5)
    stage.live(6 * HOUR)
    stage.engine.start_process(7)
    stage.go()
    stage.live(DAY + 12 * HOUR)
    assert counted(stage.receiver) == [0, 5]
    assert stage.came[2:] == [12 * HOUR + 10 * MINUTE], "at the second reading without an answer"
    assert stage.periodic == [Trigger.DUE, Trigger.FINAL]

    stage.start()
    stage.live(HOUR)
    assert counted(stage.receiver) == [0, 5], "nor after a restart of the reporter"

    stage.come_back()
    stage.live(5 * MINUTE)
    assert counted(stage.receiver) == [0, 5, 7]
    assert stage.periodic == [Trigger.DUE, Trigger.FINAL, Trigger.DUE]


def test_each_time_an_engine_goes_it_has_a_final_report(stage: Stage) -> None:
    stage.desk.enable()
    for times in (2, 3):
        stage.live(HOUR)
        stage.engine.start_process(times)
        stage.live(7 * HOUR)
        stage.go()
        stage.live(7 * HOUR)
        stage.come_back()
    assert counted(stage.receiver) == [0, 2, 3]


def test_an_engine_that_fails_to_answer_once_is_restarting_and_not_gone(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(6 * HOUR)
    stage.go()
    stage.live(6 * MINUTE)
    assert stage.results[-1].failed
    stage.come_back()
    stage.live(HOUR)
    assert stage.periodic == [Trigger.DUE]
    assert not stage.results[-1].failed


def test_of_an_engine_that_refuses_nothing_is_taken_for_an_end(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(HOUR)
    stage.engine.start_process(5)
    stage.live(6 * HOUR)
    stage.engine.override["/telemetry/data"] = (403, "application/json", b"{}")
    stage.live(12 * HOUR)
    assert stage.periodic == [Trigger.DUE]


def test_its_own_end_gives_one_final_report(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(HOUR)
    stage.engine.start_process(5)
    stage.resident.finish()
    assert counted(stage.receiver) == [0, 5]
    assert stage.periodic == [Trigger.DUE, Trigger.FINAL]


def test_its_own_end_says_and_sends_nothing_more_of_an_engine_that_has_gone(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(HOUR)
    stage.engine.start_process(5)
    stage.live(6 * HOUR)
    stage.go()
    stage.live(6 * HOUR)
    told = len(stage.results)
    stage.resident.finish()
    assert [one.repeated for result in stage.results[told:] for one in result.failed] == [True]
    assert counted(stage.receiver) == [0, 5]


def test_its_own_end_reports_an_engine_that_is_back_and_was_not_noticed_yet(stage: Stage) -> None:
    stage.desk.enable()
    stage.live(6 * HOUR)
    stage.go()
    stage.live(HOUR)
    stage.come_back()
    stage.engine.start_process(5)
    stage.resident.finish()
    assert counted(stage.receiver)[-1] == 5


def test_while_another_process_sends_it_waits_for_the_next_look(stage: Stage) -> None:
    stage.desk.enable()
    with (stage.desk.directory / "telemetry.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage.live(6 * MINUTE)
        stage.resident.finish()
        assert stage.came == []
    stage.live(10 * MINUTE)
    assert len(stage.came) == 2
    assert stage.errors == []


@pytest.mark.parametrize("error", [StoreDamaged("The store is damaged."), RuntimeError("a bug"), OSError(28, "full")])
def test_no_failure_ends_it_and_each_is_told_once_a_period(error: Exception, stage: Stage) -> None:
    stage.desk.enable()
    stage.broken = error
    stage.live(23 * HOUR)
    stage.resident.finish()
    assert stage.errors == [error]
    stage.live(2 * HOUR)
    assert stage.errors == [error, error]
    stage.broken = None
    stage.live(10 * MINUTE)
    assert len(stage.came) == 2
    stage.errors.clear()


def test_who_is_told_may_fail_too(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise BrokenPipeError

    stage = Stage(tmp_path)
    stage.resident = Resident(stage.desk.session, stage.clock, sent=fail, failed=fail)
    with stage.engine, stage.receiver:
        stage.desk.enable()
        stage.live(HOUR)
        stage.engine.start_process(5)
        stage.live(6 * HOUR)
        stage.go()
        stage.live(6 * HOUR)
        stage.desk.variables["TELEMETRY_REPORTER__PERIOD"] = "never"
        stage.live(HOUR)
    assert counted(stage.receiver) == [0, 5]


def test_only_the_engines_that_were_named_are_looked_after(stage: Stage) -> None:
    with SimulatedEngine(now=stage.clock.now) as other:
        stage.desk.variables["TELEMETRY_ENGINES__CLAIMS__REST"] = other.rest
        other.installation = "7c1b4b32-6a35-4a0c-8f8e-5f1f1a0d2b3c"
        stage.desk.enable()
        asked = len(other.requests)
        stage.resident = Resident(
            stage.desk.session, stage.clock, ["ord*"], sent=stage.results.append, failed=stage.errors.append
        )
        stage.live(DAY)
        stage.resident.finish()
    assert len(other.requests) == asked
    assert stage.came


def test_without_consent_and_endpoint_nobody_is_asked(stage: Stage) -> None:
    del stage.desk.variables["TELEMETRY_ENDPOINT"]
    stage.live(2 * DAY)
    assert (stage.asked, stage.came, stage.errors) == ([], [], [])


def test_with_the_reporter_switched_off_nobody_is_asked(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.variables["TELEMETRY_REPORTER_ACTIVATE"] = "false"
    stage.live(2 * DAY)
    stage.resident.finish()
    assert (stage.asked, stage.came, stage.errors) == ([], [], [])


def test_a_clock_that_is_set_back_or_forth_by_hours_skips_nothing_and_doubles_nothing(stage: Stage) -> None:
    stage.desk.enable()
    for hours in (0, -5, 5, 3, -3):
        stage.clock.set(stage.clock.now() + round(hours * HOUR * 1000))
        stage.engine.start_process(2)
        stage.live(DAY)
    stage.live(DAY)
    assert sum(counted(stage.receiver)) == 2 * 5
    assert len(counted(stage.receiver)) == 6


def test_an_engine_that_reports_by_itself_is_asked_once_a_period_whether_it_still_does(tmp_path: Path) -> None:
    stage = Stage(tmp_path, "camunda-7.17.0")
    stage.engine.own_reporter = True
    with stage.engine, stage.receiver:
        stage.live(DAY)
        asked = stage.engine.requests.count("/engine-rest/telemetry/data")
        stage.live(2 * DAY)
        assert 1 <= stage.engine.requests.count("/engine-rest/telemetry/data") - asked <= 3
        stage.engine.own_reporter = False
        stage.live(2 * DAY)
        assert len(stage.receiver.received) == 1, "the initial report"
