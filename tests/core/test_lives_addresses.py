"""An address without start dates (7.17, 7.18): a fall is held back until the next reading tells why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as some

from telemetry_core import counting
from telemetry_core.model import Base, CommandsReading, Snapshot
from tests.support.cluster import READING
from tests.support.dose import dose

T = 1_795_000_000_000
MINUTE = 60_000
ADDRESS = "http://engine:8080/engine-rest"
BALANCER = f"{ADDRESS}: counts fall and return, as behind a load balancer; list its nodes one by one instead"


def snapshot(counts: Mapping[str, int], minute: int) -> Snapshot:
    reading = CommandsReading(ADDRESS, counts, None)
    return Snapshot("orders", f"REST {ADDRESS}", T + minute * MINUTE, commands=reading)


@dataclass
class Ledger:
    """What an address shows, read one minute after the other; the first is the base."""

    shown: Sequence[Mapping[str, int]]
    counted: list[Mapping[str, int] | None] = field(default_factory=list)
    problems: list[str | None] = field(default_factory=list)
    base: Base = field(init=False)

    def __post_init__(self) -> None:
        self.base = counting.begin([snapshot(self.shown[0], 0)], T)
        for minute, counts in enumerate(self.shown[1:], 1):
            self.read(counts, minute)

    def read(self, counts: Mapping[str, int], minute: int) -> None:
        reading = counting.read(self.base, [snapshot(counts, minute)])
        self.base = reading.base
        self.counted.append(reading.counts.commands)
        self.problems.append(reading.problems.get("commands"))

    @property
    def total(self) -> Counter[str]:
        return sum((Counter(counts) for counts in self.counted if counts is not None), Counter())


def shown(work: int, readings: int) -> dict[str, int]:
    return {"A": work, READING: readings}


@pytest.mark.parametrize(
    "fallen",
    [
        pytest.param(shown(4, 9), id="a smaller count"),
        pytest.param({"B": 4, READING: 9}, id="a count that is gone"),
        pytest.param(shown(900, 5), id="as many readings as before: each counts itself (facts §10.3)"),
    ],
)
def test_a_fall_counts_nothing_until_the_next_reading(fallen: Mapping[str, int]) -> None:
    ledger = Ledger([shown(50, 5), fallen])
    assert ledger.counted == [dict.fromkeys(fallen, 0)]
    assert ledger.problems == [None]


def test_a_life_that_goes_on_after_the_fall_was_a_restart_and_counts_whole() -> None:
    ledger = Ledger([shown(50, 5), shown(4, 1), shown(7, 2), shown(9, 3)])
    assert ledger.counted == [shown(0, 0), shown(7, 2), shown(2, 1)]


def test_counts_that_fall_and_return_are_a_load_balancer_missing_from_then_on_with_the_reason() -> None:
    ledger = Ledger([shown(100, 5), shown(60, 5), shown(100, 6), shown(60, 6), shown(101, 7), shown(102, 8)])
    assert ledger.counted == [shown(0, 0), shown(0, 0), None, None, None]
    assert ledger.problems == [None, None, BALANCER, BALANCER, BALANCER]


def test_each_of_many_restarts_with_one_reading_a_day_counts_whole_one_reading_later() -> None:
    """The case of a nightly restart: the count of readings is 1 each day, whatever the work."""
    ledger = Ledger([shown(100, 1), shown(50, 1), shown(200, 1), shown(10, 1), shown(300, 1), shown(300, 1)])
    assert [counts["A"] for counts in ledger.counted if counts is not None] == [0, 50, 200, 10, 300]


def test_a_restart_that_outgrows_the_life_before_it_counts_where_each_reading_is_one_step() -> None:
    ledger = Ledger([shown(3, 1), shown(1, 1), shown(5, 2), shown(8, 3), shown(9, 4)])
    assert [counts and counts["A"] for counts in ledger.counted] == [0, 0, 8, 1]
    assert ledger.problems == [None, None, None, None]


def test_a_restart_that_outgrows_the_life_before_it_is_a_balancer_where_others_read_too() -> None:
    """Rather missing than counted twice: two nodes that are read by others can show the same."""
    ledger = Ledger([shown(3, 1), shown(1, 1), shown(5, 3)])
    assert ledger.problems == [None, BALANCER]


def test_a_new_base_ends_the_suspicion() -> None:
    ledger = Ledger([shown(100, 5), shown(60, 5), shown(100, 7)])
    assert ledger.problems[-1] == BALANCER
    again = Ledger([shown(60, 6), shown(61, 7)])
    assert again.counted == [shown(1, 1)]


def test_while_one_address_is_in_doubt_the_other_nodes_count_and_beside_a_balancer_their_bases_stay() -> None:
    def two(counts: Mapping[str, int], other: int, minute: int) -> list[Snapshot]:
        beside = CommandsReading("http://node2/engine-rest", shown(other, minute + 1), None)
        return [snapshot(counts, minute), Snapshot("orders", "REST node2", T + minute * MINUTE, commands=beside)]

    counted = []
    base = counting.begin(two(shown(3, 1), 10, 0), T)
    for minute, counts in enumerate([shown(1, 1), shown(5, 2), shown(1, 2)], 1):
        reading = counting.read(base, two(counts, 10 + minute, minute))
        base = reading.base
        counted.append(reading.counts.commands)
    assert counted == [shown(1, 1), shown(1, 1), None]
    assert base.nodes["address http://node2/engine-rest"]["A"] == 12


def test_what_was_held_back_while_the_engine_reports_by_itself_is_never_ours() -> None:
    ledger = Ledger([shown(50, 5), shown(4, 1)])
    ledger.base = counting.stay_out(ledger.base)
    ledger.read(shown(6, 2), 2)
    assert ledger.counted[-1] == shown(2, 1)


def test_staying_out_does_not_forget_a_balancer() -> None:
    ledger = Ledger([shown(100, 5), shown(60, 5), shown(100, 7)])
    ledger.base = counting.stay_out(ledger.base)
    ledger.read(shown(60, 8), 3)
    assert ledger.problems[-1] == BALANCER


work = some.dictionaries(some.sampled_from("ABC"), some.integers(0, 60))
polled = some.tuples(work, work, some.integers(0, 2), some.integers(0, 2))


@dataclass
class Alternating:
    """Two nodes behind one address, asked in turn; `since` is what both counted since the first reading."""

    before: tuple[Mapping[str, int], Mapping[str, int]]
    nodes: list[Counter[str]] = field(default_factory=list)
    since: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.nodes = [Counter(counts) for counts in self.before]

    def count(self, number: int, done: Mapping[str, int]) -> None:
        self.nodes[number].update(done)
        self.since.update(done)

    def show(self, number: int, others: int = 0) -> dict[str, int]:
        self.count(number, {READING: 1 + others})
        return dict(self.nodes[number])


@dose(300)
@given(work, work, some.integers(0, 5), some.lists(some.tuples(work, work), min_size=1, max_size=14))
def test_two_nodes_in_turn_never_count_more_than_both_have_counted_since_the_base(
    one: Mapping[str, int], two: Mapping[str, int], readings: int, happening: list[tuple[Mapping[str, int], ...]]
) -> None:
    """Read by nobody else, whatever they counted before and do meanwhile.

    Excluded: another number of readings before the base (the next property).
    """
    nodes = Alternating(({**one, READING: readings}, {**two, READING: readings}))
    first = nodes.show(0)
    nodes.since.clear()
    ledger = Ledger([first])
    for minute, done in enumerate(happening, 1):
        for number in (0, 1):
            nodes.count(number, done[number])
        ledger.read(nodes.show(minute % 2), minute)
        assert ledger.total <= nodes.since


@dose(300)
@given(
    some.tuples(some.integers(0, 9), some.integers(0, 9)),
    work,
    work,
    some.lists(polled, min_size=1, max_size=14),
)
def test_two_nodes_in_turn_that_others_read_too_never_count_more_than_both_have_ever_counted(
    readings: tuple[int, int],
    one: Mapping[str, int],
    two: Mapping[str, int],
    happening: list[tuple[Mapping[str, int], Mapping[str, int], int, int]],
) -> None:
    """Monitoring reads the nodes as well.

    Excluded: what both counted since the base. A node that was read more often and did more looks like the other one,
    later, until the first fall; only what it showed more than that one is counted, once.
    """
    nodes = Alternating(({**one, READING: readings[0]}, {**two, READING: readings[1]}))
    ledger = Ledger([nodes.show(0)])
    for minute, (first, second, polls, more) in enumerate(happening, 1):
        nodes.count(0, {**first, READING: polls})
        nodes.count(1, {**second, READING: more})
        ledger.read(nodes.show(minute % 2), minute)
        assert ledger.total <= nodes.nodes[0] + nodes.nodes[1]


@dose(300)
@given(some.lists(some.tuples(work, some.booleans()), min_size=1, max_size=20))
def test_one_node_that_restarts_at_will_counts_every_event_that_a_reading_showed(
    happening: list[tuple[Mapping[str, int], bool]],
) -> None:
    """Read by nobody else; equal to the last event once the life that is last has been read three times."""
    node = Counter({READING: 1})
    ledger = Ledger([dict(node)])
    expected: Counter[str] = Counter()
    happening = [*happening, ({}, False), ({}, False), ({}, False)]
    for minute, (done, restart) in enumerate(happening, 1):
        if restart:
            node = Counter()
        before = Counter({} if restart else ledger.base.nodes[f"address {ADDRESS}"])
        node.update({**done, READING: 1})
        expected += node - before
        ledger.read(dict(node), minute)
        assert ledger.total <= expected
    assert +ledger.total == expected
