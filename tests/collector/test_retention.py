"""How long reports are kept: bodies for 24 months, then their daily totals; receipts for ever; on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from telemetry_collector import retention
from telemetry_collector.model import Ruling
from telemetry_collector.store import Store
from telemetry_core.errors import StoreError
from telemetry_core.store import Place
from tests.support.collected import execute, ids, submission
from tests.support.collecting import Collector, exported, report
from tests.support.program import Program
from tests.support.waiting import until


def at(year: int, month: int, day: int, hour: int = 12) -> int:
    return int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1000


@pytest.mark.parametrize(
    ("now", "oldest"),
    [
        (at(2026, 11, 1, 0), "2024_11"),
        (at(2026, 10, 31, 23), "2024_10"),
        (at(2026, 1, 1), "2024_01"),
        (at(2025, 12, 31), "2023_12"),
    ],
)
def test_a_body_stays_for_24_whole_months_after_its_own(now: int, oldest: str) -> None:
    assert retention.oldest_month(now) == oldest


def run(store: Store, now: int) -> int:
    steps = 0
    while retention.step(store, now):
        steps += 1
    return steps


def test_after_24_months_daily_totals_are_left_and_the_receipts(place: Place) -> None:
    days = [at(2024, 10, 30), at(2024, 10, 31), at(2024, 10, 31, 23), at(2024, 11, 1, 0)]
    with Store.for_writing(place, days[0]) as store:
        for number, day in enumerate(days):
            body = report(installation="mine", count=10**number)
            store.commit([submission(f"key-{number}", body, at=day)])
        assert run(store, at(2026, 10, 31)) == 0
        assert len(ids(place)) == 4
        assert run(store, at(2026, 11, 1)) == 2
        assert run(store, at(2026, 11, 1)) == 0
        assert ids(place) == ["key-3"]
        totals = {key: (one.reports, one.counts) for key, one in store.totals.all()}
        again = store.commit([submission("key-0", report(installation="mine", count=1), at=at(2026, 11, 1))])
    rest = ("mine", "Camunda BPM Runtime", "7.21.0", "community")
    assert totals == {
        ("2024-10-30", *rest): (1, {"metrics.process-instances": 1}),
        ("2024-10-31", *rest): (2, {"metrics.process-instances": 110}),
    }
    assert again[0].ruling is Ruling.DUPLICATE, "its receipt outlives its body"


def test_only_what_counts_comes_into_the_totals(place: Place) -> None:
    then = at(2024, 1, 1)
    start = "Nov 23, 2023, 11:00:08 PM"
    with Store.for_writing(place, then) as store:
        for count in (1, 2, 4):
            store.commit([submission("", report(installation="mine", start=start, count=count), at=then)])
        store.commit([submission("q", report(installation="mine", count=100), at=then)])
        execute(place, "UPDATE receipt SET state = 'quarantined' WHERE id = 'q'")
        run(store, at(2026, 11, 1))
        (total,) = [one for _, one in store.totals.all()]
    assert (total.reports, total.counts) == (1, {"metrics.process-instances": 4})


def test_many_bodies_go_by_and_by_and_a_failure_between_loses_and_doubles_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = at(2024, 1, 1)
    with Store.for_writing(place, then) as store:
        store.commit([submission(f"key-{number}", report(installation="mine"), at=then) for number in range(1100)])
        assert retention.step(store, at(2026, 11, 1))
        with monkeypatch.context() as broken:
            broken.setattr(store.bodies, "remove", _fail)
            with pytest.raises(StoreError):
                retention.step(store, at(2026, 11, 1))
        assert run(store, at(2026, 11, 1)) == 3
        (total,) = [one for _, one in store.totals.all()]
    assert (total.reports, total.counts["metrics.process-instances"]) == (1100, 1100)
    assert json.loads(str(execute(place, "SELECT counts FROM daily_total")[0][0])) == total.counts


def test_a_month_that_another_collector_has_dropped_meanwhile_is_no_damage(place: Place) -> None:
    then, later = at(2024, 1, 1), at(2024, 2, 1)
    with Store.for_writing(place, then) as store, Store.for_writing(place, then) as other:
        store.commit([submission("a", at=then)])
        store.commit([submission("b", at=later)])
        exported_now = store.reports()
        assert next(exported_now).id == "a"
        run(other, at(2026, 11, 1))
        assert list(exported_now) == []
        store.sum_up("2024_01")
        assert sum(one.reports for _, one in store.totals.all()) == 2


def test_bodies_of_a_month_that_goes_between_two_looks_are_gone_and_no_damage(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    then = at(2024, 1, 1)
    with Store.for_writing(place, then) as store:
        store.commit([submission("a", at=then)])
        run(store, at(2026, 11, 1))
        monkeypatch.setattr(store.bodies, "months", iter([["2024_01"], []]).__next__)
        assert store.bodies.of([(1, then)]) == {}
        monkeypatch.setattr(store.bodies, "months", lambda: ["2024_01"])
        with pytest.raises(StoreError):
            store.bodies.of([(1, then)])


def test_a_running_service_does_it_by_itself_once_a_day(ready: Program) -> None:
    with Collector(ready, ahead=0) as collector:
        collector.send(report(), "old")
        assert len(exported(ready)) == 1
        collector.put_ahead(800 * 24 * 3600 * 1000)
        until(lambda: not exported(ready), "its body is gone", seconds=30)
        assert collector.send(report(), "old").json["duplicate"] is True
        assert collector.send(report(installation="new"), "new").status == 202
        assert [one["id"] for one in exported(ready)] == ["new"]
    assert collector.errors == b""


def _fail(*_: object) -> None:
    raise StoreError("planted")
