"""`telemetry_core.delivery`: every status with every `Retry-After`, first and after an answer that was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.delivery import classify, deliver
from telemetry_core.http import Answer, Exchange
from telemetry_core.model import Kind, Ledger, Outcome, Report, ReportState
from telemetry_core.store import Store
from tests.support.clock import START, ManualClock
from tests.support.delivering import LEDGER, REDUCED, SETTINGS, Delivery, initial, new_store, periodic, permit
from tests.support.raw_server import Peer, RawServer
from tests.support.receiver import Received, Receiver, Reply

#: The table of DESIGN §5, status by status; what is not listed here is refused.
ACCEPTED = frozenset(range(200, 300))
CONFLICT = frozenset({409})
OPEN = frozenset({*range(100, 200), 408, 425, 429, *range(500, 600)} - {501, 505})
REFUSED = frozenset(range(100, 600)) - ACCEPTED - CONFLICT - OPEN

#: `Retry-After` and the seconds that it means; START is 2026-11-18T11:06:40Z.
RETRY_AFTER: list[tuple[str | None, float | None]] = [
    (None, None),
    ("120", 120.0),
    (" 120\t", 120.0),
    ("0", 0.0),
    ("0" * 40 + "7", 7.0),
    ("9" * 4000, 1e9),
    ("-1", None),
    ("1.5", None),
    ("3, 5", None),
    ("soon", None),
    ("Wed, 18 Nov 2026 11:11:40 GMT", 300.0),
    ("Wed, 18 Nov 2026 11:00:00 GMT", 0.0),
    ("Wed, 18 Nov 2026 11:11:40 GMT, Wed, 18 Nov 2026 11:22:40 GMT", 300.0),
]


def outcome_of(status: int) -> Outcome:
    by_table = ((ACCEPTED, Outcome.ACCEPTED), (CONFLICT, Outcome.CONFLICT), (OPEN, Outcome.UNKNOWN))
    return next((outcome for statuses, outcome in by_table if status in statuses), Outcome.REFUSED)


def test_the_table_has_every_status_once() -> None:
    assert len(ACCEPTED) + len(CONFLICT) + len(OPEN) + len(REFUSED) == 500
    assert {*range(300, 500), 501, 505} - {408, 409, 425, 429} == REFUSED


@pytest.mark.parametrize(("text", "seconds"), RETRY_AFTER)
def test_every_status_has_its_outcome_and_only_an_open_one_looks_at_retry_after(
    text: str | None, seconds: float | None
) -> None:
    headers = {} if text is None else {"retry-after": text}
    for status in range(100, 600):
        receipt = classify(Exchange(Answer(status, headers, b"", complete=True), body_begun=True), START)
        waits = seconds if status in OPEN else None
        assert (receipt.outcome, receipt.status, receipt.retry_after) == (outcome_of(status), status, waits), status


@pytest.mark.parametrize("status", [600, 700, 999])
def test_a_status_beyond_all_is_as_a_failure_of_the_receiver(status: int) -> None:
    receipt = classify(Exchange(Answer(status, {}, b"", complete=True), body_begun=True), START)
    assert receipt.outcome is Outcome.UNKNOWN


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path / "telemetry.db") as opened:
        yield opened


def expected(status: int, kind: Kind, *, lost: bool) -> tuple[ReportState, bool]:
    """The state of a report after an answer, and whether it may have arrived without our knowing."""
    if status in ACCEPTED or (status in CONFLICT and kind is Kind.INITIAL):
        return ReportState.ACCEPTED, lost
    if status in CONFLICT:
        return ReportState.CONFLICT, lost
    if status in OPEN:
        return ReportState.PENDING, True
    return (ReportState.PENDING, True) if lost else (ReportState.REFUSED, False)


def one_of_many(made: Report, status: int, receiver: Receiver) -> Report:
    """A report of an installation of its own, so that one store holds one for each status."""
    endpoint = f"http://127.0.0.1:{receiver.port}"
    return replace(made, id=f"{status:08d}{made.id[8:]}", installation=f"i{status}", endpoint=endpoint)


EDGES = [200, 204, 205, 206, 299, 300, 304, 308, 399, 400, 401, 404, 407, 408, 409, 410, 421, 425, 426, 429, 451, 499,
         500, 501, 502, 503, 504, 505, 506, 511, 520, 599]  # fmt: skip


@pytest.mark.parametrize(
    "statuses", [pytest.param(EDGES, id="edges"), pytest.param([*range(200, 600)], id="all", marks=pytest.mark.family)]
)
@pytest.mark.parametrize("make", [periodic, initial])
@pytest.mark.parametrize("lost", [False, True])
def test_every_final_status_makes_of_report_and_counts_what_the_table_says(
    lost: bool, make: Callable[[], Report], statuses: list[int], store: Store
) -> None:
    waiting = iter(statuses)
    with Receiver(lambda _: Reply(next(waiting))) as receiver:
        courier = Delivery(store, receiver.url, settings=replace(SETTINGS, deadline=3_600_000)).courier
        for status in statuses:
            report = one_of_many(make(), status, receiver)
            store.ledgers.put(replace(LEDGER, installation=report.installation))
            assert store.reports.open(report)
            if lost:
                report, _ = store.reports.begin_attempt(report, START)  # and the process is killed
            done, _ = deliver(report, permit(receiver.url, report.kind, report.installation), courier)
            assert store.reports.get(report.id) == done
            assert (done.state, done.maybe_arrived) == expected(status, report.kind, lost=lost), status
            assert store.ledgers.get(report.installation) == _ledger_after(done), status
            assert done.next_attempt_at - START == _wait_after(done, status), status


def _ledger_after(report: Report) -> Ledger:
    left = report.kind is Kind.PERIODIC and report.state in (ReportState.ACCEPTED, ReportState.CONFLICT)
    return replace(REDUCED if left else LEDGER, installation=report.installation)


def _wait_after(report: Report, status: int) -> int:
    if status in REFUSED:
        return 82_080_000  # a day less 5 %
    return 60_000 if report.state is ReportState.PENDING else -START  # nothing is waited for


def raw(store: Store, answer: bytes, retries: int = 0) -> tuple[Report, ManualClock]:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(answer)

    clock = ManualClock()
    with RawServer(script) as server:
        report, _ = Delivery(store, f"http://{server.address}/", clock, replace(SETTINGS, retries=retries))()
    return report, clock


@pytest.mark.parametrize("status", ["100 Continue", "101 Switching Protocols", "102 Processing", "103 Early Hints",
                                    "199 X", "099 X", "000 X", "999 X", "600 X", "20 X", "2000 X"])  # fmt: skip
def test_what_is_no_final_status_leaves_the_outcome_open(status: str, store: Store) -> None:
    report, _ = raw(store, f"HTTP/1.1 {status}\r\n\r\n".encode())
    assert (report.state, report.maybe_arrived) == (ReportState.PENDING, True)


@pytest.mark.parametrize(
    ("fields", "slept"),
    [
        (b"Retry-After: 3\r\n", [3.0]),
        (b"retry-after:3\r\n", [3.0]),
        (b"Retry-After: 3\r\nRetry-After: 5\r\n", [0.5]),
        (b"Retry-After: Wed, 18 Nov 2026 11:06:50 GMT\r\nRetry-After: 5\r\n", [10.0]),
        (b"X-Retry-After: 3\r\n", [0.5]),
    ],
)
def test_of_several_retry_after_only_a_first_date_is_understood(
    fields: bytes, slept: list[float], store: Store
) -> None:
    answer = b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n" + fields + b"\r\n"
    _, clock = raw(store, answer, retries=1)
    assert clock.slept == slept


def test_after_a_lost_answer_and_a_refusal_each_way_to_resolve_it_is_open_to_the_next_answer(store: Store) -> None:
    replies = iter([Reply(None), Reply(404), Reply(409)])

    def answer(_: Received) -> Reply:
        return next(replies)

    with Receiver(answer) as receiver:
        delivery = Delivery(store, receiver.url)
        first, _ = delivery()
        second, _ = delivery.next_run()(first)
        third, _ = delivery.next_run()(second)
    states = [(report.state, report.maybe_arrived) for report in (first, second, third)]
    assert states == [(ReportState.PENDING, True), (ReportState.PENDING, True), (ReportState.CONFLICT, True)]
    assert delivery.ledger == REDUCED
