"""`telemetry_core.delivery`: no permit, no request; and what no longer fits the consent of now is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from telemetry_core.consent import Permit
from telemetry_core.delivery import deliver, withdraw
from telemetry_core.errors import AlreadySending, NotPermitted
from telemetry_core.model import Kind, Outcome, Receipt, Report, ReportState
from telemetry_core.store import Place, Store
from tests.support.clock import START, ManualClock
from tests.support.delivering import (
    INSTALLATION,
    LEDGER,
    PERIODIC,
    REDUCED,
    SETTINGS,
    Delivery,
    endpoint,
    initial,
    new_store,
    periodic,
    permit,
)
from tests.support.ports import free_port
from tests.support.receiver import Received, Receiver, Reply

NO_LONGER = "Telemetry is disabled for orders."


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with new_store(place) as opened:
        yield opened


@pytest.mark.parametrize("seal", [None, object(), "seal", True])
def test_a_permit_cannot_be_made_outside_the_consent(seal: object) -> None:
    with pytest.raises(NotPermitted, match="Only the consent makes permits"):
        Permit(Kind.PERIODIC, INSTALLATION, endpoint("https://telemetry.example/"), seal)


def test_a_permit_cannot_be_changed() -> None:
    given = permit("https://telemetry.example/")
    with pytest.raises(AttributeError):
        given.installation = "another"  # type: ignore[misc]


@pytest.mark.parametrize(
    "other",
    [
        permit("http://127.0.0.1:1/", Kind.INITIAL),
        permit("http://127.0.0.1:1/", installation="another"),
        permit("http://127.0.0.1:2/"),
        permit("http://127.0.0.2:1/"),
        permit("https://127.0.0.1:1/"),
    ],
    ids=["kind", "installation", "port", "host", "scheme"],
)
def test_a_permit_for_something_else_sends_nothing(other: Permit, store: Store) -> None:
    delivery = Delivery(store, "http://127.0.0.1:1/")
    report = delivery.open(periodic("http://127.0.0.1:1/"))
    with pytest.raises(NotPermitted, match="The permit is for another report"):
        deliver(report, other, delivery.courier)
    assert store.reports.get(report.id) == report
    assert store.reports.attempts(report.id) == []


def test_another_path_of_the_same_endpoint_needs_no_other_permit(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        report = delivery.open(periodic(f"http://127.0.0.1:{receiver.port}/old"))
        deliver(report, permit(f"http://127.0.0.1:{receiver.port}/new"), delivery.courier)
        assert receiver.received[0].head[0] == "POST /new HTTP/1.1"


def test_what_does_not_fit_is_withdrawn_before_any_byte_and_its_counts_stay(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url, fits=lambda _: NO_LONGER)
        report, receipt = delivery()
        assert receiver.received == []
    assert report.state is ReportState.WITHDRAWN
    assert receipt == Receipt(Outcome.NOT_SENT, detail=NO_LONGER)
    assert delivery.ledger == LEDGER
    assert store.reports.attempts(report.id) == []


def test_the_consent_is_asked_before_every_attempt(store: Store) -> None:
    asked: list[int] = []

    def fits(report: Report) -> str:
        asked.append(report.attempts)
        return NO_LONGER if len(asked) == 3 else ""

    with Receiver(lambda _: Reply(503)) as receiver:
        report, _ = Delivery(store, receiver.url, settings=replace(SETTINGS, retries=5), fits=fits)()
        assert len(receiver.received) == 2
    assert asked == [0, 1, 2]
    assert report.state is ReportState.WITHDRAWN


def test_withdrawn_after_bytes_may_have_arrived_its_counts_leave_and_the_next_window_begins(store: Store) -> None:
    answers = iter(["", NO_LONGER])
    with Receiver(lambda _: Reply(None)) as receiver:
        delivery = Delivery(store, receiver.url, settings=replace(SETTINGS, retries=1), fits=lambda _: next(answers))
        report, receipt = delivery()
    assert (report.state, report.maybe_arrived) == (ReportState.WITHDRAWN, True)
    assert receipt == Receipt(Outcome.UNKNOWN, detail=NO_LONGER)
    assert delivery.ledger == REDUCED


def test_withdrawn_after_attempts_that_sent_nothing_its_counts_stay(store: Store) -> None:
    answers = iter(["", NO_LONGER])
    delivery = Delivery(
        store,
        f"http://127.0.0.1:{free_port()}/",
        settings=replace(SETTINGS, retries=1),
        fits=lambda _: next(answers),
    )
    report, _ = delivery()
    assert (report.state, report.attempts) == (ReportState.WITHDRAWN, 1)
    assert delivery.ledger == LEDGER


def test_withdrawn_after_an_attempt_whose_end_nobody_saw_its_counts_leave(store: Store) -> None:
    delivery = Delivery(store, "http://127.0.0.1:1/")
    report, _ = store.reports.begin_attempt(delivery.open(periodic(delivery.url)), START)  # and the process is killed
    assert withdraw(report, store).state is ReportState.WITHDRAWN
    assert delivery.ledger == REDUCED


def test_withdrawing_goes_by_what_is_kept_and_not_by_what_the_caller_remembers(store: Store) -> None:
    with Receiver(lambda _: Reply(503)) as receiver:
        delivery = Delivery(store, receiver.url)
        before = delivery.open(periodic(receiver.url))
        delivery(before)
    assert withdraw(before, store).maybe_arrived
    assert delivery.ledger == REDUCED


def test_what_was_accepted_in_the_meantime_is_not_withdrawn(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        before = delivery.open(periodic(receiver.url))
        delivery(before)
    assert withdraw(before, store).state is ReportState.ACCEPTED
    assert delivery.ledger == REDUCED


def test_a_withdrawn_initial_report_leaves_the_counts_alone(store: Store) -> None:
    delivery = Delivery(store, "http://127.0.0.1:1/")
    windowed = replace(initial(delivery.url), window_start=1000, window_end=2000)
    report, _ = store.reports.begin_attempt(delivery.open(windowed), START)
    withdraw(report, store)
    assert delivery.ledger == LEDGER


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (None, ReportState.WITHDRAWN),
        (503, ReportState.WITHDRAWN),
        (400, ReportState.WITHDRAWN),
        (202, ReportState.ACCEPTED),
        (409, ReportState.CONFLICT),
    ],
)
def test_what_another_process_withdraws_on_its_way_stays_so_unless_it_is_known_to_have_arrived(
    status: int | None, state: ReportState, store: Store
) -> None:
    def withdraw_meanwhile(_: Received) -> Reply:
        with Store.for_writing(store.place, START) as other:
            kept = other.reports.get(periodic().id)
            assert kept is not None
            withdraw(kept, other)
        return Reply(status)

    clock = ManualClock()
    with Receiver(withdraw_meanwhile) as receiver:
        delivery = Delivery(store, receiver.url, clock, replace(SETTINGS, retries=2))
        report, _ = delivery()
        assert len(receiver.received) == 1
    assert report.state is state
    assert clock.slept == []
    assert delivery.ledger == REDUCED


def test_what_was_closed_before_the_attempt_is_not_sent(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        before = delivery.open(periodic(receiver.url))
        withdraw(before, store)
        report, receipt = delivery(before)
        assert receiver.received == []
    assert report.state is ReportState.WITHDRAWN
    assert receipt.detail == "It was closed in the meantime."


def test_a_report_that_another_node_has_tried_since_it_was_read_is_left_to_its_wait(store: Store) -> None:
    with Receiver(lambda _: Reply(503)) as receiver:
        delivery = Delivery(store, receiver.url)
        before = delivery.open(periodic(receiver.url))
        delivery(before)
        with pytest.raises(AlreadySending):
            delivery.next_run()(before)
        assert len(receiver.received) == 1


def test_one_that_was_read_while_another_node_tried_it_is_too(store: Store) -> None:
    """Found by the battery of nodes: the second one sent it again at once."""
    during: list[Report | None] = []

    def answer(_: Received) -> Reply:
        with new_store(store.place) as other:
            during.append(other.reports.get(PERIODIC))
        return Reply(503)

    with Receiver(answer) as receiver:
        delivery = Delivery(store, receiver.url)
        delivery()
        with pytest.raises(AlreadySending):
            delivery.next_run()(during[0])
        assert len(receiver.received) == 1
