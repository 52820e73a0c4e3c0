"""Several nodes on one store: each report is sent by one of them, each event is counted once, no decision is lost."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from telemetry_core import administration, reporting, wire
from telemetry_core.config import Url
from telemetry_core.model import Kind, ReportState, State
from telemetry_core.reporting import Sending
from telemetry_core.store import Place
from tests.support.clock import ManualClock
from tests.support.desk import AUTHOR, Desk, counted
from tests.support.receiver import Received, Reply
from tests.support.stage import Stage
from tests.support.stores import connected

DAY = 24 * 3600.0


class Nodes(Stage):
    """A stage with further nodes, which have the same configuration and the same store."""

    def __init__(self, directory: Path, place: Place) -> None:
        super().__init__(directory)
        self.desk.place = place

    def another(self) -> Desk:
        desk = Desk(self.desk.directory, self.clock, {"orders": self.engine.rest}, self.receiver.url)
        desk.place = self.desk.place
        return desk

    def during_the_first_delivery(self, do: Callable[[], None], status: int | None) -> None:
        """Let something happen once while a report is on its way; that request gets an answer of its own."""

        def answer(_: Received) -> Reply:
            self.receiver.answer = lambda _: Reply(self.status)
            do()
            return Reply(status)

        self.receiver.answer = answer

    def let_leases_end(self) -> None:
        assert isinstance(self.desk.place, Url)
        with connected(self.desk.place) as server:
            assert (
                server.execute("UPDATE telemetry.report SET lease_until = 1 WHERE lease_until IS NOT NULL").rowcount
                == 1
            )


@pytest.fixture
def nodes(tmp_path: Path, shared_place: Url) -> Iterator[Nodes]:
    made = Nodes(tmp_path, shared_place)
    with made.engine, made.receiver:
        yield made


@pytest.fixture
def anywhere(tmp_path: Path, place: Place) -> Iterator[Nodes]:
    made = Nodes(tmp_path, place)
    with made.engine, made.receiver:
        yield made


class TellingClock(ManualClock):
    """Does something when a function of the reporter asks for the time, as if another node did it just then."""

    function = ""
    do: Callable[[], object] = staticmethod(lambda: None)

    def now(self) -> int:
        if self.function and sys._getframe(1).f_code.co_name == self.function:
            self.function = ""
            self.do()
        return super().now()


def in_threads(*work: Callable[[], object]) -> list[object]:
    """Let all of it begin at once; what each of it gives, exceptions included."""
    starting = threading.Barrier(len(work))
    found: list[object] = [None] * len(work)

    def run(number: int) -> None:
        starting.wait()
        try:
            found[number] = work[number]()
        except Exception as failure:  # noqa: BLE001  # whatever it is, it is looked at
            found[number] = failure

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_while_one_node_sends_a_report_another_does_nothing_for_it(nodes: Nodes) -> None:
    nodes.desk.enable()
    nodes.desk.send()
    nodes.work(5)
    nodes.clock.advance(DAY)
    others: list[Sending] = []
    nodes.during_the_first_delivery(lambda: others.append(nodes.another().send(force=True)), 202)
    nodes.desk.send()
    assert [(one.delivered, one.failed) for one in others] == [([], [])]
    assert others[0].idle == {"orders": "Another node is sending the report."}
    assert counted(nodes.receiver) == [0, 5]
    assert len(set(nodes.receiver.keys)) == len(nodes.receiver.keys)


def test_an_initial_report_that_another_node_has_tried_since_it_was_found_due_is_left_to_its_wait(nodes: Nodes) -> None:
    """Found by the battery of nodes: the second one sent it at once."""
    clock = TellingClock()
    nodes.desk.enable()
    nodes.clock.advance(60)
    clock.set(nodes.clock.now())
    nodes.desk.clock = clock

    def other_fails() -> None:
        nodes.status = None
        nodes.another().send(initial=True)
        nodes.status = 202

    def once_read() -> None:
        clock.function, clock.do = "_initial_is_due", other_fails

    nodes.while_reading(once_read)
    nodes.desk.send()
    initial = wire.initial_id(nodes.engine.installation)
    assert nodes.receiver.keys.count(initial) == 1
    assert [report.state for report in nodes.desk.reports() if report.kind is Kind.INITIAL] == [ReportState.PENDING]
    clock.advance(60)
    nodes.desk.send()
    assert nodes.receiver.keys.count(initial) == 2


def test_while_one_node_sends_the_initial_report_another_sends_the_periodic_one(nodes: Nodes) -> None:
    nodes.desk.enable()
    others: list[Sending] = []
    nodes.during_the_first_delivery(lambda: others.append(nodes.another().send()), 202)
    nodes.desk.send()
    assert [one.report.kind for one in others[0].delivered] == [Kind.PERIODIC]
    assert sorted(report.kind for report in nodes.desk.reports()) == [Kind.INITIAL, Kind.PERIODIC]
    assert len(set(nodes.receiver.keys)) == len(nodes.receiver.keys) == 2


@pytest.mark.parametrize("late_answer", [202, 409, 400, 503, None])
def test_a_node_that_comes_back_after_another_took_over_undoes_nothing(late_answer: int | None, nodes: Nodes) -> None:
    nodes.desk.enable()
    nodes.desk.send()
    nodes.work(5)
    nodes.clock.advance(DAY)

    def take_over() -> None:
        nodes.let_leases_end()
        nodes.another().send()
        nodes.work(3)

    nodes.during_the_first_delivery(take_over, late_answer)
    nodes.desk.send(TELEMETRY_REPORTER__RETRIES="2")
    first, second = nodes.receiver.received[-2:]
    assert (first.key, first.body) == (second.key, second.body)
    assert len(nodes.receiver.received) == 4  # it does not send again what is another's now
    assert nodes.desk.reports()[0].state is ReportState.ACCEPTED
    nodes.clock.advance(DAY)
    nodes.desk.send()
    assert counted(nodes.receiver) == [0, 5, 3]


def test_a_node_that_lost_its_lease_leaves_the_report_to_the_one_that_has_it(nodes: Nodes) -> None:
    nodes.desk.enable()
    nodes.desk.send()
    nodes.work(5)
    nodes.clock.advance(DAY)
    nodes.during_the_first_delivery(nodes.let_leases_end, 503)
    result = nodes.desk.send(TELEMETRY_REPORTER__RETRIES="2")
    assert (result.delivered, result.failed) == ([], [])
    assert len(nodes.receiver.received) == 3
    assert nodes.desk.reports()[0].maybe_arrived
    nodes.another().send()
    assert counted(nodes.receiver) == [0, 5]
    assert nodes.desk.reports()[0].state is ReportState.ACCEPTED


def test_after_an_attempt_that_failed_any_node_sends_the_same_bytes(nodes: Nodes) -> None:
    nodes.desk.enable()
    nodes.desk.send()
    nodes.work(5)
    nodes.clock.advance(DAY)
    nodes.status = 503
    nodes.desk.send()
    nodes.status = 202
    nodes.another().send()
    assert len(nodes.receiver.received) == 3  # it keeps to the wait that the other noted
    nodes.clock.advance(120)
    nodes.another().send()
    first, second = nodes.receiver.received[-2:]
    assert (first.key, first.body) == (second.key, second.body)


def test_ten_nodes_at_once_send_one_initial_report_and_one_periodic_one_per_slot(nodes: Nodes) -> None:
    nodes.desk.enable()
    for _ in range(3):
        nodes.work(4)
        found = in_threads(*[nodes.another().send] * 10)
        assert [one.failed for one in found if isinstance(one, Sending)] == [[]] * 10, found
        nodes.clock.advance(DAY)
    assert counted(nodes.receiver) == [4, 4, 4]
    assert len(set(nodes.receiver.keys)) == len(nodes.receiver.keys) == 4
    with nodes.desk.session() as session:
        assert session.store.verify() == (1, 4)


def test_readings_of_many_nodes_at_the_same_time_count_everything_once(nodes: Nodes) -> None:
    nodes.desk.enable()
    for _ in range(4):
        nodes.work(7)
        in_threads(*[lambda: nodes.another().send(force=True)] * 4, lambda: nodes.engine.start_process(5))
    nodes.work(1)
    nodes.desk.send(force=True)
    assert sum(counted(nodes.receiver)) == 4 * (7 + 5) + 1


def test_a_node_whose_reading_another_one_overtakes_sends_what_that_one_has_counted(nodes: Nodes) -> None:
    """Found by the battery: it sent the day's report without metrics, because their base had moved meanwhile."""
    nodes.desk.enable()
    nodes.desk.send()
    nodes.work(5)
    nodes.clock.advance(DAY)

    def other_is_faster_and_killed() -> None:
        with nodes.another().session() as session:
            reporting.observe(session, session.config.engines, keep=True)
        nodes.clock.advance(1)
        nodes.work(2)

    nodes.while_reading(other_is_faster_and_killed)
    nodes.desk.send()
    nodes.clock.advance(DAY)
    nodes.desk.send()
    assert counted(nodes.receiver) == [0, 5, 2]


def test_two_nodes_that_enable_at_the_same_time_decide_once_and_take_one_base(anywhere: Nodes) -> None:
    def other_is_faster() -> None:
        anywhere.another().enable()
        anywhere.work(5)
        anywhere.another().send()
        anywhere.work(2)

    anywhere.while_reading(other_is_faster)
    anywhere.desk.enable()
    anywhere.clock.advance(DAY)
    anywhere.desk.send()
    with anywhere.desk.session() as session:
        assert [one.state for one in session.store.consents.history()] == [State.ENABLED]
    assert counted(anywhere.receiver) == [5, 2]


def test_that_all_requests_are_forbidden_is_not_undone_by_who_disables_at_the_same_time(nodes: Nodes) -> None:
    with nodes.desk.session() as session:
        engine = session.config.engines[0]
        slower = threading.Thread(target=nodes.another().disable)
        with session.store.transaction():
            slower.start()
            nodes_wait(nodes, slower)
            administration.disable(session, engine, AUTHOR, no_requests=True)
        slower.join()
        decision = session.recorded_consent("orders").decision
        assert decision is not None
        assert not decision.requests


def nodes_wait(nodes: Nodes, thread: threading.Thread) -> None:
    """Wait until another node waits for the end of our transaction."""
    assert isinstance(nodes.desk.place, Url)
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
    with connected(nodes.desk.place) as server:
        for _ in range(2000):
            found = server.execute(query).fetchone()
            if found == (1,):
                return
            thread.join(0.005)
    pytest.fail("nobody waits")
