"""Metrics by the rows of the database: each row once, the base behind the newest one, silence is not 0."""

from __future__ import annotations

import pytest

from telemetry_core import counting, counting_rows
from telemetry_core.model import Base, MeterRow, MetricsReading, RowsBase, RowsReading, Snapshot
from telemetry_core.store import rows as texts

T = 1_795_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
ROOT = "root-process-instance-start"


def row(identity: str, at: int, value: int = 1) -> MeterRow:
    return MeterRow(identity, ROOT, value, at)


def snapshot(at: int, *rows: MeterRow, since: int = T - 26 * HOUR) -> Snapshot:
    return Snapshot("orders", "database", at, rows=RowsReading(since, (ROOT,), rows))


def read(base: Base, at: int, *rows: MeterRow) -> counting.Reading:
    return counting.read(base, [snapshot(at, *rows)])


def over_rest(at: int, total: int) -> Snapshot:
    return Snapshot("orders", "REST", at, metrics=MetricsReading(at - 26 * HOUR, {ROOT: total}))


def test_enabling_takes_all_rows_that_are_there_as_the_base_in_a_cluster_too() -> None:
    begun = counting.begin([snapshot(T, row("a", T - HOUR)), Snapshot("orders", "REST", T)], T, listed=2)
    assert begun == Base(T, T, rows=RowsBase(T - 26 * HOUR, (("a", T - HOUR),), T + 15 * MINUTE, T, (ROOT,)))


@pytest.mark.parametrize(("at", "counted"), [(15 * MINUTE - 1, 0), (15 * MINUTE, 7)])
def test_rows_of_the_first_15_minutes_hold_work_from_before_the_consent(at: int, counted: int) -> None:
    begun = counting.begin([snapshot(T)], T)
    assert read(begun, T + 20 * MINUTE, row("a", T + at, 7)).counts.metrics == {ROOT: counted}


def test_a_row_is_counted_once_also_where_its_id_is_given_again() -> None:
    first = read(counting.begin([snapshot(T)], T), T + HOUR, row("7", T + 40 * MINUTE, 5))
    again = read(first.base, T + 70 * MINUTE, row("7", T + 40 * MINUTE, 5), row("7", T + 65 * MINUTE, 3))
    assert (first.counts.metrics, again.counts.metrics) == ({ROOT: 5}, {ROOT: 3})


@pytest.mark.parametrize(
    ("newest", "since"),
    [
        pytest.param(T + 30 * HOUR, T + 4 * HOUR, id="26 h behind the newest row"),
        pytest.param(T + 45 * HOUR, T + 6 * HOUR, id="and behind us where a node's clock is ahead"),
        pytest.param(T - HOUR, T - 26 * HOUR, id="never back"),
    ],
)
def test_the_base_moves_along(newest: int, since: int) -> None:
    after = read(counting.begin([snapshot(T)], T), T + 32 * HOUR, row("a", newest)).base.rows
    assert after is not None
    assert after.since == since
    assert counting_rows.wanted(after, T + 32 * HOUR) == since
    assert after.seen == (("a", newest),)


def test_what_was_seen_is_forgotten_behind_the_base_alone() -> None:
    """A reading that lacks a row, as one of a restored database does, does not make it new when it comes back."""
    first = read(counting.begin([snapshot(T)], T), T + HOUR, row("a", T + HOUR, 5), row("b", T + HOUR + 1, 5))
    lacking = read(first.base, T + 2 * HOUR, row("b", T + HOUR + 1, 5), row("c", T + 2 * HOUR, 2))
    back = read(lacking.base, T + 3 * HOUR, row("a", T + HOUR, 5), row("d", T + 3 * HOUR, 1))
    assert [one.counts.metrics for one in (first, lacking, back)] == [{ROOT: 10}, {ROOT: 2}, {ROOT: 1}]
    late = read(back.base, T + 40 * HOUR, row("e", T + 40 * HOUR, 1))
    assert late.base.rows is not None
    assert late.base.rows.seen == (("e", T + 40 * HOUR),)


@pytest.mark.parametrize(("minutes", "metrics"), [(30, {ROOT: 0}), (31, None)])
def test_without_a_new_row_for_more_than_30_minutes_metrics_are_missing_and_not_0(
    minutes: int, metrics: dict[str, int] | None
) -> None:
    reading = read(counting.begin([snapshot(T)], T), T + minutes * MINUTE)
    assert reading.counts.metrics == metrics
    assert ("metrics" in reading.problems) == (metrics is None)
    assert read(reading.base, T + 50 * MINUTE, row("a", T + 45 * MINUTE, 4)).counts.metrics == {ROOT: 4}


def test_readings_in_between_do_not_shorten_the_silence() -> None:
    base = counting.begin([snapshot(T)], T)
    metrics = []
    for minutes in (15, 30, 45):
        reading = read(base, T + minutes * MINUTE)
        base = reading.base
        metrics.append(reading.counts.metrics)
    assert metrics == [{ROOT: 0}, {ROOT: 0}, None]


def test_rows_of_before_the_base_are_not_new_where_a_reading_that_began_earlier_ends_later() -> None:
    """Another process has moved the base meanwhile, and forgotten them."""
    moved = read(counting.begin([snapshot(T)], T), T + 40 * HOUR, row("a", T + 40 * HOUR)).base
    late = read(moved, T + 41 * HOUR, row("old", T + 2 * HOUR, 7), row("a", T + 40 * HOUR), row("b", T + 41 * HOUR, 3))
    assert late.counts.metrics == {ROOT: 3}


def test_a_negative_row_takes_nothing_away() -> None:
    reading = read(counting.begin([snapshot(T)], T), T + HOUR, row("a", T + HOUR, -5), row("b", T + HOUR, 3))
    assert reading.counts.metrics == {ROOT: 3}


def test_a_row_with_0_by_a_clock_that_is_wrong_says_that_nodes_write() -> None:
    reading = read(counting.begin([snapshot(T)], T), T + 5 * HOUR, row("a", T - 10 * MINUTE, 0))
    assert reading.counts.metrics == {ROOT: 0}


def test_a_database_that_fails_leaves_the_base_and_says_why() -> None:
    begun = counting.begin([snapshot(T)], T)
    failed = counting.read(begun, [Snapshot("orders", "database", T + HOUR, problems={"metrics": "it is locked"})])
    assert (failed.counts.metrics, failed.problems["metrics"]) == (None, "it is locked")
    assert read(failed.base, T + 2 * HOUR, row("a", T + HOUR, 4)).counts.metrics == {ROOT: 4}


def test_a_new_source_takes_a_new_base_in_both_directions() -> None:
    """What REST showed as unflushed comes as a row within 15 minutes, and was counted."""
    rest = counting.begin([over_rest(T, 40)], T)
    changed = read(rest, T + HOUR, row("a", T + 50 * MINUTE, 9))
    assert changed.counts.metrics == {ROOT: 0}
    assert changed.base.metrics is None
    rows = (row("a", T + 50 * MINUTE, 9), row("b", T + 74 * MINUTE, 8), row("c", T + 76 * MINUTE, 7))
    after = read(changed.base, T + 80 * MINUTE, *rows)
    assert after.counts.metrics == {ROOT: 7}
    back = counting.read(after.base, [over_rest(T + 90 * MINUTE, 100)])
    assert back.counts.metrics == {ROOT: 0}
    assert back.base.rows is None


def test_a_base_that_a_clock_far_ahead_has_moved_is_begun_anew() -> None:
    ahead = RowsBase(T + 400 * HOUR, (), T, T + 426 * HOUR, (ROOT,))
    assert counting_rows.wanted(ahead, T) == T - 26 * HOUR
    reading = read(Base(T, T + 426 * HOUR, rows=ahead), T, row("a", T - HOUR, 5))
    assert reading.counts.metrics == {ROOT: 0}
    assert read(reading.base, T + 20 * MINUTE, row("b", T + 1, 3)).counts.metrics == {ROOT: 3}


def test_a_clock_that_is_wrong_by_years_for_one_reading_does_not_make_old_rows_count() -> None:
    """Of a large table the oldest rows are read first; those behind them were never seen, and are of before."""
    begun = counting.begin([snapshot(T, row("z", T - HOUR))], T)
    old, middle = row("a", T - 900 * HOUR), row("b", T - 500 * HOUR, 9)
    reset = counting.read(begun, [snapshot(1000, old, since=1000 - 26 * HOUR)])
    assert reset.base.rows is not None
    rows = (old, middle, row("c", T + 14 * MINUTE, 5), row("d", T + 15 * MINUTE, 3))
    after = counting.read(reset.base, [snapshot(T + HOUR, *rows, since=reset.base.rows.since)])
    assert after.counts.metrics == {ROOT: 3}


def test_a_reading_that_began_later_than_the_base_is_not_counted() -> None:
    begun = counting.begin([snapshot(T)], T)
    reading = counting.read(begun, [snapshot(T + HOUR, row("a", T + HOUR), since=T)])
    assert reading.counts.metrics is None
    assert reading.base.rows == begun.rows


def test_a_base_is_the_same_after_it_was_kept_and_one_of_an_earlier_release_is_read() -> None:
    base = read(counting.begin([snapshot(T)], T), T + HOUR, row("a", T + HOUR)).base
    assert texts.from_text(texts.to_text(base), Base, "base") == base
    assert texts.from_text('{"taken_at": 1, "read_at": 2, "metrics": null, "nodes": {}}', Base, "base") == Base(1, 2)
