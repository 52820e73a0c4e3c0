"""`telemetry_core.delivery`: retries, `Retry-After`, and the one deadline of a run; nothing lasts longer than that."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry_core.delivery import classify
from telemetry_core.http import Answer, Exchange
from telemetry_core.model import Attempt, Kind, Outcome, Receipt, ReportState
from telemetry_core.store import Place, Store
from tests.support.clock import START, ManualClock, RealClock
from tests.support.delivering import LEDGER, SETTINGS, Delivery, initial, new_store, periodic
from tests.support.dose import dose
from tests.support.helper_threads import all_end_within
from tests.support.ports import free_port
from tests.support.raw_server import Peer, RawServer, Script
from tests.support.receiver import Received, Receiver, Reply

TWICE_MORE = replace(SETTINGS, retries=2)
MINUTES = [1, 2, 4, 8, 16, 32, 60, 60]


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with new_store(place) as opened:
        yield opened


def replying(*replies: Reply) -> Callable[[Received], Reply]:
    waiting = iter(replies)
    return lambda _: next(waiting)


def test_retries_send_the_same_bytes_under_the_same_key_and_are_all_kept(store: Store) -> None:
    with Receiver(replying(Reply(503), Reply(None), Reply(202))) as receiver:
        report, receipt = Delivery(store, receiver.url, settings=TWICE_MORE)()
    assert report.state is ReportState.ACCEPTED
    assert receipt.outcome is Outcome.ACCEPTED
    assert [(request.key, request.body) for request in receiver.received] == [
        (report.id, report.document.body) for _ in range(3)
    ]
    assert store.reports.attempts(report.id) == [
        Attempt(1, START, START, Outcome.UNKNOWN, 503, "answered 503"),
        Attempt(
            2,
            START + 500,
            START + 500,
            Outcome.UNKNOWN,
            None,
            "the connection ended without an HTTP answer",
        ),
        Attempt(3, START + 1500, START + 1500, Outcome.ACCEPTED, 202, "answered 202"),
    ]


@pytest.mark.parametrize(
    ("chances", "slept"),
    [((0.0, 0.0), [0.0, 0.0]), ((0.5, 0.25), [0.5, 0.5]), ((0.75, 0.75), [0.75, 1.5]), ((1.0, 1.0), [1.0, 2.0])],
)
def test_waits_between_attempts_double_and_are_jittered_over_their_whole_length(
    chances: tuple[float, ...], slept: list[float], store: Store
) -> None:
    clock = ManualClock(chances=chances)
    with Receiver(lambda _: Reply(503)) as receiver:
        Delivery(store, receiver.url, clock, TWICE_MORE)()
        assert len(receiver.received) == 3
    assert clock.slept == slept


def test_each_wait_is_up_to_twice_the_one_before(store: Store) -> None:
    clock = ManualClock(chances=[1.0] * 5)
    with Receiver(lambda _: Reply(503)) as receiver:
        Delivery(store, receiver.url, clock, replace(SETTINGS, retries=5))()
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize(("retries", "requests"), [(0, 1), (1, 2), (2, 3), (5, 6)])
def test_there_are_as_many_retries_as_the_setting_says(retries: int, requests: int, store: Store) -> None:
    with Receiver(lambda _: Reply(503)) as receiver:
        Delivery(store, receiver.url, settings=replace(SETTINGS, retries=retries))()
        assert len(receiver.received) == requests


def test_a_refused_connection_is_tried_again_too(store: Store) -> None:
    report, _ = Delivery(store, f"http://127.0.0.1:{free_port()}/", settings=TWICE_MORE)()
    assert [attempt.outcome for attempt in store.reports.attempts(report.id)] == [Outcome.NOT_SENT] * 3
    assert (report.attempts, report.failed_runs, report.maybe_arrived) == (3, 1, False)


def test_a_refusal_is_not_tried_again_within_the_run(store: Store) -> None:
    with Receiver(lambda _: Reply(400)) as receiver:
        Delivery(store, receiver.url, settings=TWICE_MORE)()
        assert len(receiver.received) == 1


def test_between_runs_the_wait_doubles_up_to_an_hour(store: Store) -> None:
    clock = ManualClock()
    delivery = Delivery(store, f"http://127.0.0.1:{free_port()}/", clock)
    report, _ = delivery()
    waits = [report.next_attempt_at - clock.now()]
    for _ in range(7):
        report, _ = delivery.next_run()(report)
        waits.append(report.next_attempt_at - clock.now())
    assert waits == [minutes * 60_000 for minutes in MINUTES]


# START is 2026-11-18T11:06:40Z.
@pytest.mark.parametrize(
    ("text", "slept"),
    [
        ("3", [3.0, 3.0]),
        ("0", [0.5, 1.0]),
        ("1", [1.0, 1.0]),
        ("Wed, 18 Nov 2026 11:06:50 GMT", [10.0, 1.0]),
        ("Wednesday, 18-Nov-26 11:06:50 GMT", [10.0, 1.0]),
        ("Wed Nov 18 11:06:50 2026", [10.0, 1.0]),
        ("Wed, 18 Nov 2026 13:06:50 +0200", [10.0, 1.0]),
        ("Wed, 18 Nov 2026 11:06:00 GMT", [0.5, 1.0]),
        ("Thu, 01 Jan 1970 00:00:00 GMT", [0.5, 1.0]),
        ("59", [59.0]),
        ("60", []),
        ("3600", []),
        ("Thu, 19 Nov 2026 11:06:40 GMT", []),
        ("9" * 4000, []),
        ("Fri, 31 Dec 9999 23:59:59 GMT", []),
    ],
)
def test_retry_after_is_obeyed_as_far_as_the_deadline_allows(text: str, slept: list[float], store: Store) -> None:
    clock = ManualClock()
    with Receiver(lambda _: Reply(503, {"Retry-After": text})) as receiver:
        Delivery(store, receiver.url, clock, TWICE_MORE)()
        assert len(receiver.received) == len(slept) + 1
    assert clock.slept == slept


GARBAGE = [
    "soon",
    "",
    "-5",
    "1.5",
    "1e3",
    "0x10",
    "\u00b2",
    "Wed, 99 Foo 2026 11:06:50 GMT",
    "Fri, 31 Dec 99999 23:59:59 GMT",
    "Wed, 18 Nov 2026 11:06:50 +" + "9" * 14,
    "Wed, 18 Nov 2026 11:06:50 +" + "9" * 40,
    "3, 5",
]


@pytest.mark.parametrize("text", GARBAGE)
def test_a_retry_after_that_says_nothing_is_as_none(text: str, store: Store) -> None:
    clock = ManualClock()
    with Receiver(lambda _: Reply(429, {"Retry-After": text})) as receiver:
        report, _ = Delivery(store, receiver.url, clock, TWICE_MORE)()
    assert clock.slept == [0.5, 1.0]
    assert report.next_attempt_at == clock.now() + 60_000


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} [A-Z][a-z]{2} \d{1,6} \d+:\d+:\d+ [+-]?\w+"))
@dose(100)
def test_no_retry_after_makes_an_error(text: str) -> None:
    receipt = classify(Exchange(Answer(503, {"retry-after": text}, b"", complete=True), body_begun=True), START)
    assert receipt.outcome is Outcome.UNKNOWN
    assert receipt.retry_after is None or receipt.retry_after >= 0


@pytest.mark.parametrize(
    ("text", "wait"),
    [("120", 120_000), ("30", 60_000), ("Wed, 18 Nov 2026 11:11:40 GMT", 300_000), ("9" * 4000, 86_400_000)],
)
def test_between_runs_retry_after_is_obeyed_up_to_a_period(text: str, wait: int, store: Store) -> None:
    with Receiver(lambda _: Reply(503, {"Retry-After": text})) as receiver:
        report, _ = Delivery(store, receiver.url)()
    assert report.next_attempt_at == START + wait


def slow(clock: ManualClock, seconds: float, status: int = 503) -> Callable[[Received], Reply]:
    """Each request takes its time on the manual clock."""

    def answer(_: Received) -> Reply:
        clock.advance(seconds)
        return Reply(status)

    return answer


def test_no_attempt_begins_after_the_deadline(store: Store) -> None:
    clock = ManualClock()
    with Receiver(slow(clock, 25)) as receiver:
        report, receipt = Delivery(store, receiver.url, clock, replace(SETTINGS, retries=10))()
        assert len(receiver.received) == 3
    assert [attempt.started_at - START for attempt in store.reports.attempts(report.id)] == [0, 25_500, 51_500]
    assert receipt.outcome is Outcome.UNKNOWN
    assert clock.slept == [0.5, 1.0]


def test_setting_the_clock_back_does_not_lengthen_a_run(store: Store) -> None:
    clock = ManualClock()

    def answer(_: Received) -> Reply:
        clock.advance(25)
        clock.set(START - 86_400_000)
        return Reply(503)

    with Receiver(answer) as receiver:
        Delivery(store, receiver.url, clock, replace(SETTINGS, retries=10))()
        assert len(receiver.received) == 3


def test_the_deadline_is_one_for_all_reports_of_a_run(store: Store) -> None:
    clock = ManualClock()
    with Receiver(slow(clock, 60, 202)) as receiver:
        delivery = Delivery(store, receiver.url, clock, TWICE_MORE)
        first, _ = delivery(delivery.open(initial(receiver.url)))
        second, receipt = delivery()
        assert len(receiver.received) == 1
        assert first.state is ReportState.ACCEPTED
        assert receipt == Receipt(Outcome.NOT_SENT, detail="no time was left within the deadline")
        assert (second.state, second.attempts, second.maybe_arrived) == (ReportState.PENDING, 0, False)
        assert second.next_attempt_at == clock.now() + 60_000
        assert store.reports.attempts(second.id) == []
        assert delivery.ledger == LEDGER
        third, _ = delivery.next_run()(second)
    assert third.state is ReportState.ACCEPTED


def test_what_passes_before_and_between_reports_is_not_taken_from_the_deadline(store: Store) -> None:
    clock = ManualClock()
    with Receiver(slow(clock, 40, 202)) as receiver:
        delivery = Delivery(store, receiver.url, clock)
        clock.advance(3600)
        first, _ = delivery(delivery.open(initial(receiver.url)))
        clock.advance(3600)
        assert delivery.courier.seconds_left() == 20.0
        second, _ = delivery()
        assert delivery.courier.seconds_left() == -20.0
    assert (first.state, second.state) == (ReportState.ACCEPTED, ReportState.ACCEPTED)


def reads_and_says_nothing(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def drips_its_head(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
    peer.drip(itertools.repeat(b"x"), 0.05)


@pytest.mark.parametrize("script", [reads_and_says_nothing, drips_its_head])
def test_black_holes_take_no_longer_than_the_deadline(script: Script, store: Store) -> None:
    settings = replace(SETTINGS, retries=10, timeout=400, deadline=1_000)
    with RawServer(script) as server:
        started = time.monotonic()
        report, receipt = Delivery(store, f"http://{server.address}/", RealClock(), settings)()
        assert time.monotonic() - started < 8
        assert all_end_within(5)
    assert (report.state, report.maybe_arrived) == (ReportState.PENDING, True)
    assert receipt.outcome is Outcome.UNKNOWN
    assert report.kind is Kind.PERIODIC


def test_a_single_attempt_takes_no_longer_than_the_rest_of_the_deadline(store: Store) -> None:
    settings = replace(SETTINGS, timeout=15_000, deadline=500)
    with RawServer(reads_and_says_nothing) as server:
        started = time.monotonic()
        _, receipt = Delivery(store, f"http://{server.address}/", RealClock(), settings)()
        assert time.monotonic() - started < 8
        assert all_end_within(5)
    assert receipt.detail.startswith("no answer within 0.")


def test_an_acceptance_whose_body_never_ends_is_an_acceptance(store: Store) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nthanks")
        peer.hang()

    with RawServer(script) as server:
        report, receipt = Delivery(store, f"http://{server.address}/", settings=replace(SETTINGS, timeout=400))()
    assert report.state is ReportState.ACCEPTED
    assert receipt.answer == "thanks"
    assert periodic().id == report.id
