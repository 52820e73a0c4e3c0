"""Between runs: waits that the store keeps, force, refusals, and what an administrator finds out at the receiver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core import delivery
from telemetry_core.model import Kind, Outcome, Report, ReportState
from tests.support.clock import ManualClock
from tests.support.desk import Desk, counted
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

MINUTE = 60.0
DAY = 24 * 60 * MINUTE


class Stage:
    """A desk whose initial report is done, an engine, and a receiver that answers what a test says."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        self.reply = Reply(202)
        self.engine = SimulatedEngine("camunda-7.24.0", now=self.clock.now)
        self.receiver = Receiver(self._answer)
        self.desk = Desk(directory, self.clock, {"orders": self.engine.rest}, self.receiver.url)

    def _answer(self, _: Received) -> Reply:
        return self.reply

    def begin(self) -> None:
        """Enable, send the initial report and an empty periodic one, then count 5 until the next slot."""
        self.desk.enable()
        self.desk.send()
        self.work(5)
        self.clock.advance(DAY)

    def work(self, times: int) -> None:
        self.clock.advance(MINUTE)
        self.engine.start_process(times)
        self.clock.advance(MINUTE)

    def attempts_of_a_run(self) -> int:
        before = len(self.receiver.received)
        self.desk.send()
        return len(self.receiver.received) - before

    @property
    def newest(self) -> Report:
        return self.desk.reports()[0]

    def resolve(self, *, accepted: bool) -> Report:
        with self.desk.session() as session:
            return delivery.resolve(self.newest, session.store, self.clock.now(), accepted=accepted)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        made.begin()
        yield made


def test_the_next_attempt_waits_1_2_4_to_60_minutes_over_runs_that_each_open_the_store_anew(stage: Stage) -> None:
    stage.reply = Reply(503)
    assert stage.attempts_of_a_run() == 1
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        stage.clock.advance(minutes * MINUTE - 1)
        assert stage.attempts_of_a_run() == 0, minutes
        stage.clock.advance(1)
        assert stage.attempts_of_a_run() == 1, minutes
    assert (stage.newest.failed_runs, stage.newest.attempts) == (9, 9)


def test_what_the_receiver_asks_for_is_waited_for_between_runs_too(stage: Stage) -> None:
    stage.reply = Reply(429, {"Retry-After": "600"})
    assert stage.attempts_of_a_run() == 1
    stage.clock.advance(599)
    assert stage.attempts_of_a_run() == 0
    stage.clock.advance(1)
    assert stage.attempts_of_a_run() == 1


def test_force_ignores_the_wait_and_sends_the_same_bytes(stage: Stage) -> None:
    stage.reply = Reply(503, {"Retry-After": "3600"})
    stage.desk.send()
    assert stage.attempts_of_a_run() == 0
    stage.reply = Reply(202)
    first = stage.receiver.received[-1]
    stage.desk.send(force=True)
    again = next(one for one in stage.receiver.received[stage.receiver.received.index(first) + 1 :])
    assert (again.key, again.body) == (first.key, first.body)
    assert counted(stage.receiver)[:2] == [0, 5]


@pytest.mark.parametrize("status", [302, 400, 407, 421, 451, 501, 505])
def test_what_is_refused_is_in_the_next_slots_report_under_another_id(status: int, stage: Stage) -> None:
    stage.reply = Reply(status)
    assert stage.attempts_of_a_run() == 1
    assert stage.attempts_of_a_run() == 0
    stage.reply = Reply(202)
    stage.work(2)
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [0, 5, 7]


@pytest.mark.parametrize(
    ("accepted", "state", "counts"),
    [(True, ReportState.ACCEPTED, [0, 5, 2]), (False, ReportState.REFUSED, [0, 5, 7])],
)
def test_what_is_refused_after_a_lost_answer_waits_for_an_administrator_and_is_counted_as_found_out(
    accepted: bool, state: ReportState, counts: list[int], stage: Stage
) -> None:
    stage.reply = Reply(None)
    stage.desk.send()
    stage.reply = Reply(400)
    stage.clock.advance(MINUTE)
    assert [one.receipt.outcome for one in stage.desk.send().delivered] == [Outcome.REFUSED]
    assert (stage.newest.state, stage.newest.maybe_arrived) == (ReportState.PENDING, True)
    assert stage.resolve(accepted=accepted).state is state
    stage.reply = Reply(202)
    stage.work(2)
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == counts


def test_after_a_conflict_the_next_report_has_what_came_since_alone(stage: Stage) -> None:
    stage.reply = Reply(409)
    stage.desk.send()
    assert stage.newest.state is ReportState.CONFLICT
    stage.reply = Reply(202)
    stage.work(2)
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [0, 5, 2]


@pytest.mark.parametrize(("lost", "counts"), [(False, [5]), (True, [0])])
def test_a_report_for_another_endpoint_is_withdrawn_and_what_may_have_arrived_is_not_sent_to_the_new_one(
    lost: bool, counts: list[int], stage: Stage
) -> None:
    stage.reply = Reply(None)
    if lost:
        stage.desk.send()
    else:
        stage.desk.keep()
    with Receiver() as other:
        stage.desk.variables["TELEMETRY_ENDPOINT"] = other.url
        stage.desk.enable()
        stage.desk.send(force=True)
        assert counted(other) == counts
    states = [report.state for report in stage.desk.reports() if report.kind is Kind.PERIODIC]
    assert states == [ReportState.ACCEPTED, ReportState.WITHDRAWN, ReportState.ACCEPTED]


@pytest.mark.parametrize(("lost", "counts"), [(False, 5), (True, 0)])
def test_a_field_that_is_withheld_since_withdraws_the_report_that_has_it(lost: bool, counts: int, stage: Stage) -> None:
    stage.reply = Reply(None)
    if lost:
        stage.desk.send()
    else:
        stage.desk.keep()
    stage.reply = Reply(202)
    stage.desk.send(force=True, TELEMETRY_WITHHOLD="jdk.vendor")
    assert counted(stage.receiver)[-1] == counts
    assert b'"vendor"' not in stage.receiver.received[-1].body.partition(b'"jdk"')[2].partition(b"}")[0]


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_disabled_meanwhile_is_withdrawn_and_its_counts_never_leave(lost: bool, stage: Stage) -> None:
    stage.reply = Reply(None)
    if lost:
        stage.desk.send()
    else:
        stage.desk.keep()
    before = len(stage.receiver.received)
    stage.reply = Reply(202)
    stage.desk.disable()
    stage.desk.send()
    assert len(stage.receiver.received) == before
    assert stage.newest.state is ReportState.WITHDRAWN
    stage.desk.enable()
    stage.work(1)
    stage.desk.send(force=True)
    assert counted(stage.receiver)[-1] == 1
