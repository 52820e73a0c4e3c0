"""Counts by rows are conserved over any history of a meter table: properties of `counting` with a database."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from tests.support.dose import dose
from tests.support.meter import FLUSH_EVERY, Meter, RowReporter

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000

node = some.integers(0, 2)
skew = some.sampled_from([0, 0, 7 * SECOND, -90 * MINUTE, 5 * HOUR, -5 * HOUR])
skews = some.lists(skew, min_size=1, max_size=3)
time = some.one_of(some.integers(1, 40 * MINUTE), some.integers(1, 40 * MINUTE), some.integers(HOUR, 30 * HOUR))
work = some.tuples(some.just("work"), some.tuples(node, some.integers(1, 40)))
wait = some.tuples(some.just("wait"), some.tuples(time))
late = some.tuples(some.just("flush_late"), some.tuples(node, some.integers(1, 12 * HOUR)))
restart = some.tuples(some.just("restart"), some.tuples(node))
kill = some.tuples(some.just("kill"), some.tuples(node))
purge = some.tuples(some.just("purge"), some.tuples(some.integers(0, 60 * HOUR)))
clock = some.tuples(some.just("set_clock"), some.tuples(some.integers(-5 * HOUR, 5 * HOUR)))
backup, restore = some.just(("backup", ())), some.just(("restore", ()))
read, lose = some.just(("read", ())), some.just(("lose", ()))
prepare, accept = some.just(("prepare", ())), some.just(("accept", ()))

History = list[tuple[str, tuple[object, ...]]]


def history(*actions: some.SearchStrategy[tuple[str, tuple[object, ...]]]) -> some.SearchStrategy[History]:
    every = (work, work, wait, read, read, lose, late, restart, prepare, accept)
    return some.lists(some.one_of(*every, *actions), min_size=10, max_size=35)


def begun(clocks: list[int]) -> RowReporter:
    """A cluster with work from before the consent, some of it flushed, and a reporter that was just enabled."""
    meter = Meter([skew + number for number, skew in enumerate(clocks)])
    for number in range(len(clocks)):
        meter.work(number, 5)
    meter.wait(20 * MINUTE)
    for number in range(len(clocks)):
        meter.work(number, 11)
    return RowReporter(meter)


@dose(60)
@given(skews, history())
def test_every_row_that_was_flushed_after_the_consent_is_counted_exactly_once(
    clocks: list[int], happening: History
) -> None:
    """Late transactions, restarts, lost readings, days without one, clocks of nodes wrong by up to 5 h.

    Excluded: rows of the first 15 minutes by the clock of the node that wrote them, which are the base's (DESIGN §3).
    """
    reporter = begun(clocks)
    reporter.live(happening)
    reporter.settle()
    reporter.settle()
    assert not reporter.too_old
    assert reporter.total == reporter.expected(reporter.meter.written)


@dose(60)
@given(some.integers(1, 3), history(kill, purge, clock))
def test_where_clocks_are_right_nothing_from_before_the_consent_is_counted(size: int, happening: History) -> None:
    """The first flush after the consent holds work of before it, and is left out whole (DESIGN §3).

    The clocks are those of the nodes, and ours at the moment of the consent; afterwards ours may be wrong by 5 h.
    """
    reporter = begun([0] * size)
    reporter.live(happening)
    reporter.settle()
    reporter.settle()
    assert reporter.total <= reporter.meter.happened - reporter.happened_before
    assert reporter.total <= reporter.expected(reporter.meter.written)


@dose(60)
@given(skews, history(kill, purge, clock))
def test_what_is_killed_or_purged_unread_is_all_that_is_missing(clocks: list[int], happening: History) -> None:
    """Purges of any age, `kill -9`, and our own clock set by up to 5 h in both directions between readings."""
    reporter = begun(clocks)
    reporter.live(happening)
    reporter.settle()
    assert reporter.total == reporter.expected(reporter.shown)
    reporter.set_clock(0)
    reporter.settle()
    assert reporter.total == reporter.expected(reporter.shown)


@dose(60)
@given(skews, history(purge, backup, backup, restore, restore, clock))
def test_a_restored_database_counts_nothing_twice_and_goes_on_at_once(clocks: list[int], happening: History) -> None:
    """Rows vanish and come back, and numbers that were ids of rows become ids of other rows.

    Excluded: equality where a restored row was never read before and is older by then than what readings look for.
    """
    reporter = begun(clocks)
    reporter.live(happening)
    reporter.settle()
    reporter.settle()
    shown = reporter.expected(reporter.shown)
    assert reporter.total <= shown
    assert reporter.too_old or reporter.total == shown
    before = reporter.total
    reporter.meter.work(0, 3)
    reporter.meter.wait(2 * FLUSH_EVERY)
    reporter.settle()
    assert reporter.total - before == {"root-process-instance-start": 3, "activity-instance-start": 6}
