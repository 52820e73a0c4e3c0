"""`telemetry_core.store.reports`: the pending report is the claim, and a report is what was written or damage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from telemetry_core.errors import StoreDamaged, StoreError
from telemetry_core.model import Attempt, Document, Kind, Outcome, Report, ReportState
from telemetry_core.store import Place, Store
from tests.support.clock import START
from tests.support.delivering import INSTALLATION, initial, new_store, periodic
from tests.support.stores import tamper

CLOSED = [ReportState.ACCEPTED, ReportState.REFUSED, ReportState.CONFLICT]


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with new_store(place) as opened:
        yield opened


def another(report: Report, number: int = 2, **changes: object) -> Report:
    made: Report = replace(report, id=f"{report.id[:-1]}{number}", **changes)  # type: ignore[arg-type]
    return made


def test_a_report_is_kept_with_every_byte_of_its_body(store: Store) -> None:
    odd = bytes(range(256)) * 300
    report = replace(periodic(), document=Document(odd, "00"), withheld=("jdk",), sources={"jdk": "http://a"})
    assert store.reports.open(report)
    with Store.for_reading(store.place, START) as other:
        assert other.reports.get(report.id) == report
    assert store.reports.get("unknown") is None


def test_an_empty_body_is_a_body(store: Store) -> None:
    report = replace(periodic(), document=Document(b"", "00"))
    assert store.reports.open(report)
    assert store.reports.get(report.id) == report


def test_two_pending_reports_of_one_kind_are_impossible(store: Store) -> None:
    assert store.reports.open(periodic())
    assert not store.reports.open(another(periodic(), slot=None))
    assert not store.reports.open(another(periodic(), slot=501))
    assert store.reports.newest_first() == [periodic()]


def test_another_kind_or_installation_may_have_a_pending_report_too(store: Store) -> None:
    assert store.reports.open(periodic())
    assert store.reports.open(initial())
    assert store.reports.open(another(periodic(), installation="another"))
    assert store.reports.pending(INSTALLATION, Kind.PERIODIC) == periodic()
    assert store.reports.pending(INSTALLATION, Kind.INITIAL) == initial()


def test_the_same_id_cannot_be_opened_twice(store: Store) -> None:
    assert store.reports.open(replace(periodic(), state=ReportState.ACCEPTED))
    assert not store.reports.open(replace(periodic(), slot=501))


@pytest.mark.parametrize("state", [ReportState.PENDING, *CLOSED])
def test_a_slot_can_be_taken_once(state: ReportState, store: Store) -> None:
    assert not store.reports.slot_taken(INSTALLATION, 500)
    assert store.reports.open(replace(periodic(), state=state))
    assert store.reports.slot_taken(INSTALLATION, 500)
    assert not store.reports.slot_taken(INSTALLATION, 501)
    assert not store.reports.slot_taken("another", 500)
    assert not store.reports.open(another(periodic()))


def test_a_withdrawn_report_frees_its_slot_and_its_place(store: Store) -> None:
    assert store.reports.open(periodic())
    store.reports.put(replace(periodic(), state=ReportState.WITHDRAWN))
    assert not store.reports.slot_taken(INSTALLATION, 500)
    assert store.reports.pending(INSTALLATION, Kind.PERIODIC) is None
    assert store.reports.open(another(periodic()))
    assert store.reports.slot_taken(INSTALLATION, 500)


def test_any_number_of_reports_is_without_a_slot(store: Store) -> None:
    for number in range(3):
        assert store.reports.open(another(periodic(), number, slot=None, state=ReportState.ACCEPTED))
    assert len(store.reports.newest_first()) == 3


def test_the_initial_report_takes_no_slot_of_the_periodic_one(store: Store) -> None:
    assert store.reports.open(replace(initial(), slot=500))
    assert not store.reports.slot_taken(INSTALLATION, 500)


def test_of_many_who_open_a_report_at_the_same_time_one_has_it(store: Store) -> None:
    starting = threading.Barrier(8)
    opened: list[int] = []

    def open_one(number: int) -> None:
        with Store.for_writing(store.place, START) as own:
            starting.wait()
            if own.reports.open(another(periodic(), number)):
                opened.append(number)

    threads = [threading.Thread(target=open_one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1
    assert [report.id[-1] for report in store.reports.newest_first()] == [str(opened[0])]


def test_refused_to_open_one_a_transaction_goes_on_with_the_rest(store: Store) -> None:
    assert store.reports.open(periodic())
    with store.transaction():
        store.properties.put("", "before", "1")
        assert not store.reports.open(another(periodic()))
        store.properties.put("", "after", "1")
    assert (store.properties.get("", "before"), store.properties.get("", "after")) == ("1", "1")


def test_ordinals_count_the_reports_of_a_window_start(store: Store) -> None:
    assert store.reports.ordinal(INSTALLATION, 1000) == 0
    states = [ReportState.REFUSED, ReportState.WITHDRAWN, ReportState.PENDING]
    for number, state in enumerate(states):
        assert store.reports.open(another(periodic(), number, state=state, slot=number))
    assert store.reports.open(replace(initial(), window_start=1000))
    assert store.reports.ordinal(INSTALLATION, 1000) == 3
    assert store.reports.ordinal(INSTALLATION, 1001) == 0
    assert store.reports.ordinal("another", 1000) == 0


def test_reports_are_listed_newest_first_and_found_by_the_start_of_their_id(store: Store) -> None:
    older = another(periodic(), 3, created_at=START - 5, slot=1, state=ReportState.ACCEPTED)
    for report in (older, periodic(), initial()):
        assert store.reports.open(report)
    assert store.reports.newest_first() == [periodic(), initial(), older]
    assert store.reports.of(INSTALLATION, Kind.PERIODIC) == [periodic(), older]
    assert sorted(report.created_at for report in store.reports.starting_with("1111")) == [START - 5, START]
    assert store.reports.starting_with(initial().id) == [initial()]
    assert store.reports.starting_with("%") == []
    assert store.reports.starting_with("333") == []


def test_an_attempt_is_known_from_its_beginning_and_open_until_its_end(store: Store) -> None:
    assert store.reports.open(periodic())
    report, first = store.reports.begin_attempt(periodic(), START)
    assert (report.attempts, first) == (1, Attempt(1, START))
    assert store.reports.get(report.id) == replace(periodic(), attempts=1)
    assert store.reports.attempts(report.id) == [Attempt(1, START)]
    ended = replace(first, finished_at=START + 9, outcome=Outcome.UNKNOWN, status=503, detail="answered 503")
    store.reports.end_attempt(report, ended)
    report, second = store.reports.begin_attempt(report, START + 10)
    assert store.reports.attempts(report.id) == [ended, Attempt(2, START + 10)]
    assert second.number == 2
    assert store.reports.attempts("another") == []


def test_an_attempt_that_cannot_be_noted_leaves_the_report_as_it_was(store: Store) -> None:
    assert store.reports.open(periodic())
    store.reports.begin_attempt(periodic(), START)
    with pytest.raises(StoreError):
        store.reports.begin_attempt(periodic(), START)  # the same number again
    kept = store.reports.get(periodic().id)
    assert kept is not None
    assert kept.attempts == 1


@pytest.mark.parametrize(
    "change",
    [
        "id = 'x'",
        "installation = 'x'",
        "kind = 'initial'",
        "state = 'refused'",
        "slot = 501",
        "slot = NULL",
        "window_start = 1001",
        "created_at = 0",
        "body = ''",
        "record = replace(record, '2000', '2001')",
        "digest = ''",
    ],
)
def test_a_change_of_any_column_is_noticed(change: str, store: Store) -> None:
    assert store.reports.open(periodic())
    tamper(store, f"UPDATE report SET {change}")
    with pytest.raises(StoreDamaged, match=r"The store is damaged: report .* is not as it was written"):
        store.reports.newest_first()
