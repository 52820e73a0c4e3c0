"""Counts are conserved over any history of a cluster: properties of `counting` against simulated nodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from hypothesis import given
from hypothesis import strategies as some

from tests.support.bookkeeping import Reporter
from tests.support.cluster import READING, Cluster
from tests.support.dose import dose

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
SIZE = 3

node = some.integers(0, SIZE - 1)
answering = some.frozensets(node, min_size=1)
time = some.one_of(
    some.integers(1, 90 * SECOND), some.integers(MINUTE, 40 * MINUTE), some.integers(HOUR, 30 * HOUR),
    some.integers(25 * HOUR, 100 * HOUR),
)  # fmt: skip
work = some.tuples(some.just("work"), some.tuples(node, some.integers(1, 40)))
wait = some.tuples(some.just("wait"), some.tuples(time))
read = some.tuples(some.just("read"), some.tuples(answering, some.sampled_from([0, 0, None])))
balanced = some.tuples(some.just("read"), some.tuples(some.just(frozenset({0})), node))
lose = some.tuples(some.just("lose"), some.tuples(answering))
restart = some.tuples(some.just("restart"), some.tuples(node))
kill = some.tuples(some.just("kill"), some.tuples(node))
purge = some.tuples(some.just("purge"), some.tuples(some.integers(0, 80 * HOUR)))
poll = some.tuples(some.just("poll"), some.tuples(node, some.integers(1, 3)))
prepare = some.just(("prepare", ()))
accept = some.just(("accept", ()))

History = list[tuple[str, tuple[object, ...]]]


def history(*actions: some.SearchStrategy[tuple[str, tuple[object, ...]]]) -> some.SearchStrategy[History]:
    return some.lists(some.one_of(work, wait, restart, prepare, accept, *actions), min_size=12, max_size=40)


def nothing_left_out(counts: Mapping[str, int] | None) -> Counter[str]:
    return +Counter(counts or {})


def settle(reporter: Reporter) -> None:
    """Everything gets into the database and is read."""
    reporter.cluster.wait(16 * MINUTE)
    reporter.read(range(reporter.size))
    reporter.accept()


def begun(size: int, before: int, answering_first: Collection[int], *, start_dates: bool) -> Reporter:
    """A cluster with work from before the consent, some of it flushed, and a reporter that was just enabled."""
    cluster = Cluster(size, start_dates=start_dates)
    for number in range(size):
        cluster.work(number, before)
    cluster.wait(20 * MINUTE)
    for number in range(size):
        cluster.work(number, 2 * before)
    return Reporter(cluster, size, {number % size for number in answering_first})


@dose(120)
@given(some.integers(1, SIZE), some.integers(0, 30), answering, history(read, read, lose))
def test_what_is_accepted_is_what_was_counted_since_the_base_where_nothing_was_lost(
    size: int, before: int, answering_first: frozenset[int], happening: History
) -> None:
    """Restarts, lost readings, nodes that do not answer, days without a reading: equal to the last event.

    Excluded: a node killed before it flushed and rows purged before they were read (their counts are gone for everyone,
    DESIGN §4; the next property), clocks of ours that are set, and a load balancer as the first listed node.
    """
    reporter = begun(size, before, answering_first, start_dates=True)
    reporter.live(happening)
    settle(reporter)
    settle(reporter)
    assert reporter.visible_at_base is not None
    assert nothing_left_out(reporter.total.metrics) == reporter.cluster.happened - reporter.visible_at_base


@dose(120)
@given(some.integers(1, SIZE), some.integers(0, 30), answering, history(read, read, lose, kill, purge))
def test_never_more_is_accepted_than_was_counted_since_the_base_whatever_dies_or_is_purged(
    size: int, before: int, answering_first: frozenset[int], happening: History
) -> None:
    """`kill -9` and purges of any age: at most what the engine counted, and nothing from before the consent.

    Excluded: equality, because what a killed node had not flushed and what was purged unread is gone (DESIGN §4); where
    no history lost anything, equality is asked for here too.
    """
    reporter = begun(size, before, answering_first, start_dates=True)
    reporter.live(happening)
    for _ in range(2):
        settle(reporter)
        counted = nothing_left_out(reporter.total.metrics)
        assert counted <= reporter.cluster.happened - reporter.happened_before
        if reporter.visible_at_base is not None:
            possible = reporter.cluster.happened - reporter.visible_at_base
            assert counted <= possible
            assert reporter.lost or counted == possible


@dose(120)
@given(some.integers(2, SIZE), history(balanced, balanced, lose))
def test_a_load_balancer_before_the_nodes_hides_counts_for_a_while_and_loses_or_doubles_none(
    size: int, happening: History
) -> None:
    """The first listed address is answered by another node each time, which lacks what the last one had not flushed.

    Excluded: a load balancer that is listed alone. Nothing tells of the nodes behind it, so the base is taken at once,
    and what another node had not flushed then is from before the consent (DESIGN §3: several nodes, 16 minutes later).
    """
    reporter = begun(size, 10, {0}, start_dates=True)
    reporter.live(happening)
    settle(reporter)
    settle(reporter)
    assert reporter.visible_at_base is not None
    assert nothing_left_out(reporter.total.metrics) == reporter.cluster.happened - reporter.visible_at_base


@dose(120)
@given(some.integers(1, SIZE), answering, history(read, read, lose, kill, purge))
def test_with_start_dates_each_command_that_a_reading_showed_is_counted_exactly_once(
    size: int, answering_first: frozenset[int], happening: History
) -> None:
    """From 7.19 on, kills included: commands of a life known by its start, and of lives begun after the consent.

    Excluded: what a life executed after its last reading (it was in its memory alone), and all before the first reading
    of a life that began before the consent: that one is only a base (DESIGN §4).
    """
    reporter = begun(size, 3, answering_first, start_dates=True)
    reporter.live(happening)
    assert nothing_left_out(reporter.total.commands) == reporter.expected
    settle(reporter)
    assert nothing_left_out(reporter.total.commands) == reporter.expected


@dose(120)
@given(some.integers(1, SIZE), answering, history(read, read, kill, purge))
def test_without_start_dates_a_life_is_known_by_its_address_and_its_count_of_readings(
    size: int, answering_first: frozenset[int], happening: History
) -> None:
    """7.17 and 7.18, read by nobody but us: exactly once as well, whatever restarts.

    Excluded: readings that were lost or made by others (the next property), a load balancer before the nodes, whose
    lives an address cannot tell apart (DESIGN §4, facts §10.4), and the first reading of an address that did not answer
    when consent was given: it is only a base.
    """
    reporter = begun(size, 3, answering_first, start_dates=False)
    reporter.live(happening)
    for _ in range(3):  # a life that is the last counts at the latest with its third reading
        settle(reporter)
    assert nothing_left_out(reporter.total.commands) == reporter.expected


@dose(120)
@given(some.integers(1, SIZE), answering, history(read, read, lose, kill, poll))
def test_without_start_dates_other_readers_can_hide_a_restart_but_never_make_it_count_twice(
    size: int, answering_first: frozenset[int], happening: History
) -> None:
    """7.17 and 7.18 where monitoring reads too, or a reading is not kept: never more than what readings showed.

    Excluded: equality, because a life that has outgrown the one before it in every count cannot be told from it
    (facts §10.2).
    """
    reporter = begun(size, 3, answering_first, start_dates=False)
    reporter.live(happening)
    for _ in range(3):
        settle(reporter)
    counted = nothing_left_out(reporter.total.commands)
    assert counted <= reporter.expected
    assert set(counted) <= {READING, "StartProcessInstanceCmd", "BootstrapEngineCommand"}
