"""Metrics over REST: each count once, the base moves with the time, shortfalls are carried or end the base."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telemetry_core import counting
from telemetry_core.model import Base, CommandsReading, Counts, MetricsBase, MetricsReading, Snapshot

T = 1_795_000_000_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000
ROOT = "root-process-instance-start"


def snapshot(at: int, metrics: MetricsReading | None, node: str = "http://node1/engine-rest") -> Snapshot:
    return Snapshot("orders", f"REST {node}", at, metrics=metrics)


def base(seen: int, full_at: int = T) -> Base:
    return Base(T, full_at, MetricsBase(T - 26 * HOUR, {ROOT: seen}, {ROOT: full_at}))


def read(before: Base, at: int, total: int) -> counting.Reading:
    return counting.read(before, [snapshot(at, MetricsReading(T - 26 * HOUR, {ROOT: total}))])


def test_before_there_is_a_base_the_last_26_hours_are_asked_for_and_nothing_moves() -> None:
    assert counting.wanted(None, T) == (1_794_906_400_000, None)
    assert counting.wanted(Base(T, T), T + DAY) == (1_794_992_800_000, None)


@pytest.mark.parametrize(
    ("later", "next_since"),
    [
        pytest.param(30 * MINUTE, None, id="half an hour is not worth moving"),
        pytest.param(HOUR, 1_794_910_000_000, id="one hour is"),
        pytest.param(10 * DAY, 1_795_770_400_000, id="days are"),
        pytest.param(-20 * HOUR, None, id="it never moves back"),
    ],
)
def test_the_base_moves_along_26_hours_behind_now(later: int, next_since: int | None) -> None:
    assert counting.wanted(base(0), T + later) == (1_794_906_400_000, next_since)


def test_enabling_takes_what_one_node_shows_as_the_base() -> None:
    begun = counting.begin([snapshot(T, MetricsReading(T - 26 * HOUR, {ROOT: 40}))], T)
    assert begun == Base(T, T, MetricsBase(T - 26 * HOUR, {ROOT: 40}, {ROOT: T}))


def test_in_a_cluster_no_base_is_taken_at_enabling_even_where_one_node_alone_answers() -> None:
    one = snapshot(T, MetricsReading(T - 26 * HOUR, {ROOT: 40}))
    assert counting.begin([one, snapshot(T, None, "http://node2/engine-rest")], T).metrics is None
    assert counting.begin([one], T, listed=2).metrics is None


@pytest.mark.parametrize("answering", [1, 2])
def test_in_a_cluster_metrics_begin_with_the_first_reading_16_minutes_after_enabling(answering: int) -> None:
    def at(minutes: int, before: Base) -> counting.Reading:
        now = T + minutes * MINUTE
        nodes = [snapshot(now, MetricsReading(now - 26 * HOUR, {ROOT: 70})), snapshot(now, None, "http://node2")]
        return counting.read(before, nodes[:answering], listed=2)

    early = at(15, Base(T, T))
    assert early.counts.metrics is None
    assert early.problems["metrics"] == "in a cluster they begin 16 minutes after enabling"
    later = at(16, early.base)
    assert later.counts.metrics == {ROOT: 0}
    assert later.base.metrics == MetricsBase(1_794_907_360_000, {ROOT: 70}, {ROOT: 1_795_000_960_000})


def test_a_cluster_that_is_listed_as_such_only_after_enabling_begins_16_minutes_after_it_all_the_same() -> None:
    """What the other node had not flushed at the consent comes within 15 minutes, and is of before it."""
    begun = counting.begin([snapshot(T, MetricsReading(T - 26 * HOUR, {ROOT: 40}))], T)
    now = T + 10 * MINUTE
    nodes = [snapshot(now, MetricsReading(T - 26 * HOUR, {ROOT: 49})), snapshot(now, None, "http://node2")]
    reading = counting.read(begun, nodes, listed=2)
    assert reading.counts.metrics is None
    assert reading.base.metrics is None


def test_a_cluster_of_which_one_node_stays_listed_begins_16_minutes_after_enabling_all_the_same() -> None:
    lives = [Snapshot("orders", f"REST {n}", T, commands=CommandsReading(n, {"A": 1}, T - 9)) for n in ("one", "two")]
    other = replace(lives[1], commands=CommandsReading("two", {"A": 1}, T - 8))
    begun = counting.begin([lives[0], other], T)
    now = T + 10 * MINUTE
    reading = counting.read(begun, [snapshot(now, MetricsReading(now - 26 * HOUR, {ROOT: 40}))], listed=1)
    assert reading.counts.metrics is None
    assert reading.base.metrics is None


def test_one_node_that_begins_a_second_life_within_16_minutes_is_no_cluster() -> None:
    def at(now: int, total: int, start: int) -> Snapshot:
        reading = MetricsReading(T - 26 * HOUR, {ROOT: total})
        return replace(snapshot(now, reading), commands=CommandsReading("one", {"A": 1}, start))

    base = counting.begin([at(T, 40, T - 9)], T)
    for minute in (1, 2):
        reading = counting.read(base, [at(T + minute * MINUTE, 40 + minute, T + minute)])
        assert reading.counts.metrics == {ROOT: 1}
        base = reading.base


def test_one_node_whose_metrics_failed_at_enabling_begins_with_its_next_reading() -> None:
    reading = counting.read(Base(T, T), [snapshot(T + MINUTE, MetricsReading(T + MINUTE - 26 * HOUR, {ROOT: 9}))])
    assert reading.counts.metrics == {ROOT: 0}
    assert reading.base.metrics == MetricsBase(1_794_906_460_000, {ROOT: 9}, {ROOT: 1_795_000_060_000})


def test_a_reading_counts_what_came_since_the_last_one() -> None:
    first = read(base(40), T + MINUTE, 45)
    second = read(first.base, T + 2 * MINUTE, 45)
    third = read(second.base, T + 3 * MINUTE, 52)
    assert [one.counts.metrics for one in (first, second, third)] == [{ROOT: 5}, {ROOT: 0}, {ROOT: 7}]


def test_moving_the_base_counts_nothing_twice_and_leaves_nothing_out() -> None:
    """40 in all, 30 of them older than the new beginning: 10 are seen already from there on."""
    moved = counting.read(
        base(25), [snapshot(T + DAY, MetricsReading(T - 26 * HOUR, {ROOT: 40}, T - 2 * HOUR, {ROOT: 30}))]
    )
    assert moved.counts.metrics == {ROOT: 15}
    assert moved.base.metrics == MetricsBase(1_794_992_800_000, {ROOT: 10}, {ROOT: 1_795_086_400_000})
    after = counting.read(moved.base, [snapshot(T + DAY + MINUTE, MetricsReading(T - 2 * HOUR, {ROOT: 13}))])
    assert after.counts.metrics == {ROOT: 3}


@pytest.mark.parametrize("minutes", [1, 6, 15, 16])
def test_a_shortfall_within_16_minutes_is_another_nodes_memory_and_is_carried(minutes: int) -> None:
    short = read(base(50), T + minutes * MINUTE, 44)
    assert short.counts.metrics == {ROOT: 0}
    assert read(short.base, T + minutes * MINUTE + 1, 51).counts.metrics == {ROOT: 1}


def test_a_shortfall_after_16_minutes_is_a_kill_or_a_purge_and_a_new_base() -> None:
    short = read(base(50), T + 16 * MINUTE + 1, 44)
    assert short.counts.metrics == {ROOT: 0}
    assert read(short.base, T + 17 * MINUTE, 51).counts.metrics == {ROOT: 7}


def test_a_shortfall_that_readings_in_between_keep_seeing_still_ends_after_16_minutes() -> None:
    before = base(50)
    for minutes in (5, 10, 15):
        reading = read(before, T + minutes * MINUTE, 44)
        assert reading.counts.metrics == {ROOT: 0}
        before = reading.base
    assert read(before, T + 17 * MINUTE, 44).counts.metrics == {ROOT: 0}
    assert read(read(before, T + 17 * MINUTE, 44).base, T + 18 * MINUTE, 46).counts.metrics == {ROOT: 2}


def test_a_carried_shortfall_stays_carried_when_the_base_moves() -> None:
    """Seen 50, shown 44, of which 30 are older than the new beginning: 20 are seen from there on, not 14."""
    reading = counting.read(
        base(50), [snapshot(T + 5 * MINUTE, MetricsReading(T - 26 * HOUR, {ROOT: 44}, T - 25 * HOUR, {ROOT: 30}))]
    )
    assert reading.base.metrics == MetricsBase(1_794_910_000_000, {ROOT: 20}, {ROOT: T})


def test_a_reading_that_failed_leaves_the_base_and_says_why() -> None:
    failed = Snapshot("orders", "REST x", T + MINUTE, problems={"metrics": "http://x answers 500."})
    reading = counting.read(base(40), [failed])
    assert reading.counts.metrics is None
    assert reading.problems["metrics"] == "http://x answers 500."
    assert read(reading.base, T + 2 * MINUTE, 47).counts.metrics == {ROOT: 7}


def test_a_sum_from_another_moment_than_the_base_is_not_counted() -> None:
    reading = counting.read(base(40), [snapshot(T + MINUTE, MetricsReading(T - 25 * HOUR, {ROOT: 90}))])
    assert reading.counts.metrics is None
    assert reading.base.metrics == base(40).metrics
    assert reading.problems["metrics"] == "they are counted from the next reading on"


@pytest.mark.parametrize("later", [0, -5 * MINUTE])
def test_a_reading_that_is_not_later_than_the_last_one_counts_nothing(later: int) -> None:
    late = Snapshot("orders", "REST x", T + later, commands=CommandsReading("x", {"A": 9}, T - 1),
                    metrics=MetricsReading(T - 26 * HOUR, {ROOT: 90}))  # fmt: skip
    reading = counting.read(base(40), [late])
    assert reading.counts == Counts({ROOT: 0}, {})
    assert reading.base == base(40)
    assert reading.problems == {}


@pytest.mark.parametrize("back", [6 * MINUTE, HOUR, 20 * HOUR])
def test_a_clock_that_was_set_back_within_a_day_loses_no_count(back: int) -> None:
    reading = read(base(40), T - back, 47)
    assert reading.counts.metrics == {ROOT: 7}
    assert reading.base.read_at == T - back
    assert read(reading.base, T - back + MINUTE, 49).counts.metrics == {ROOT: 2}


def test_after_a_clock_was_set_back_a_shortfall_ends_after_16_minutes_as_ever() -> None:
    short = read(base(50), T - HOUR, 44)
    assert short.counts.metrics == {ROOT: 0}
    assert read(short.base, T - HOUR + 16 * MINUTE, 51).counts.metrics == {ROOT: 1}
    assert read(short.base, T - HOUR + 17 * MINUTE, 44).base.metrics == MetricsBase(
        T - 26 * HOUR, {ROOT: 44}, {ROOT: T - HOUR + 17 * MINUTE}
    )


def test_a_base_that_a_clock_far_ahead_has_moved_is_begun_anew_from_a_day_before_now() -> None:
    """All that is lost is what the metrics counted between the two readings; commands know the node's life."""
    ahead = base(40)
    now = T - 10 * DAY
    assert counting.wanted(ahead, now) == (now - 26 * HOUR, None)
    reading = counting.read(ahead, [snapshot(now, MetricsReading(now - 26 * HOUR, {ROOT: 90}))])
    assert reading.counts.metrics == {ROOT: 0}
    assert reading.base.metrics == MetricsBase(now - 26 * HOUR, {ROOT: 90}, {ROOT: now})
    assert reading.base.taken_at == now


def test_a_cluster_whose_clock_was_set_back_goes_on_counting() -> None:
    begun = Base(T, T + 20 * MINUTE, MetricsBase(T - 26 * HOUR, {ROOT: 40}, {ROOT: T + 20 * MINUTE}))
    reading = counting.read(begun, [snapshot(T - HOUR, MetricsReading(T - 26 * HOUR, {ROOT: 47}))], listed=2)
    assert reading.counts.metrics == {ROOT: 7}


def test_metrics_are_counted_once_per_installation_and_not_once_per_node() -> None:
    both = [
        snapshot(T + 17 * MINUTE, MetricsReading(T - 26 * HOUR, {ROOT: 45})),
        snapshot(T + 17 * MINUTE, MetricsReading(T - 26 * HOUR, {ROOT: 47}), "http://node2/engine-rest"),
    ]
    assert counting.read(base(40), both).counts.metrics == {ROOT: 5}


def test_adding_keeps_what_only_one_side_knows() -> None:
    assert counting.add(Counts({"a": 1}, None), Counts({"a": 2, "b": 3}, None)) == Counts({"a": 3, "b": 3}, None)
    assert counting.add(Counts({"a": 1}, {"C": 4}), Counts(None, None)) == Counts({"a": 1}, {"C": 4})
    assert counting.add(Counts(None, None), Counts({"a": 0}, {})) == Counts({"a": 0}, {})


def test_subtracting_leaves_what_came_since_and_drops_names_without_any() -> None:
    rest = counting.subtract(Counts({"a": 5, "b": 2}, {"C": 7, "D": 1}), Counts({"a": 3, "b": 2}, {"C": 7}))
    assert rest == Counts({"a": 2}, {"D": 1})
    assert counting.subtract(Counts({"a": 5}, {"C": 1}), Counts(None, {"C": 1})) == Counts({"a": 5}, {})


def test_subtracting_more_than_there_is_leaves_nothing_negative() -> None:
    assert counting.subtract(Counts({"a": 5}, None), Counts({"a": 6}, None)) == Counts({}, None)
