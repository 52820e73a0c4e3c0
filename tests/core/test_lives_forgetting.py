"""Each restart of a node begins another life: the base remembers a hundred, and counts none twice that returns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from telemetry_core import counting, lives
from telemetry_core.model import Base, CommandsReading, Snapshot
from telemetry_core.store import rows
from tests.support.dose import dose

T = 1_795_000_000_000
MINUTE = 60_000


def node(start: int, count: int, minute: int) -> Snapshot:
    return Snapshot("orders", "REST x", T + minute * MINUTE, commands=CommandsReading("x", {"A": count}, start))


def restarted(times: int) -> Base:
    """A base after so many lives, each read once, a minute after the other."""
    base = counting.begin([node(T - 5, 10, 0)], T)
    for number in range(1, times + 1):
        base = counting.read(base, [node(T + number, 1, number)]).base
    return base


def test_the_base_does_not_grow_with_every_restart() -> None:
    base = restarted(400)
    assert len(base.nodes) == len(base.seen_at) == lives.KEPT + 1
    assert base.forgotten == T + 400 - lives.KEPT - 1


def test_a_life_that_was_forgotten_and_returns_is_only_a_base() -> None:
    base = restarted(400)
    returned = counting.read(base, [node(T + 7, 30, 401)])
    assert returned.counts.commands == {"A": 0}
    assert counting.read(returned.base, [node(T + 7, 32, 402)]).counts.commands == {"A": 2}


def test_a_life_that_is_remembered_goes_on_however_many_came_since() -> None:
    base = restarted(90)
    assert counting.read(base, [node(T - 5, 14, 401)]).counts.commands == {"A": 4}


def test_the_one_not_read_for_longest_is_forgotten_not_the_oldest() -> None:
    base = counting.begin([node(T - 5, 10, 0)], T)
    for number in range(1, 300):
        old = [node(T - 5, 10 + number, number)] if number % 50 == 0 else []
        base = counting.read(base, [node(T + number, 1, number), *old]).base
    assert counting.read(base, [node(T - 5, 400, 401)]).counts.commands == {"A": 140}


def test_what_was_forgotten_earlier_stays_forgotten_when_an_older_life_is() -> None:
    base = Base(T, T)
    for minute, start in enumerate([T + 20, T + 10, T + 30, T + 40], 1):
        base = lives.read(base, [CommandsReading("x", {"A": 1}, start)], T + minute * MINUTE, kept=1).base
    assert base.nodes.keys() == {f"start {T + 30}", f"start {T + 40}"}
    assert lives.read(base, [CommandsReading("x", {"A": 9}, T + 20)], T + 9 * MINUTE, kept=1).counts == {"A": 0}


def test_a_base_of_before_there_were_these_fields_is_read_and_goes_on() -> None:
    text = rows.to_text({"taken_at": T, "read_at": T, "metrics": None, "nodes": {f"start {T - 5}": {"A": 3}}})
    base = rows.from_text(text, Base, "base")
    assert counting.read(base, [node(T - 5, 5, 1)]).counts.commands == {"A": 2}


def test_a_base_with_all_its_fields_is_the_same_after_the_store() -> None:
    falling = [Snapshot("orders", "REST x", T + n, commands=CommandsReading("x", {"A": 9 - n}, None)) for n in (0, 1)]
    base = counting.read(counting.begin(falling[:1], T), falling[1:]).base
    assert base.doubts
    assert rows.from_text(rows.to_text(base), Base, "base") == base


step = some.tuples(some.sampled_from(["work", "restart", "read", "read"]), some.integers(0, 3), some.integers(1, 9))


@dose(200)
@given(some.lists(step, min_size=20, max_size=120))
def test_whatever_nodes_come_go_and_return_no_event_counts_twice(happening: list[tuple[str, int, int]]) -> None:
    """Four places; each holds several lives, of which any may answer again; three are remembered besides those shown.

    Excluded: equality. What a life did before the first reading after it was forgotten is not counted (DESIGN §4).
    """
    counts = {T - 9 + place: 5 for place in range(4)}
    base = counting.begin([node(start, count, 0) for start, count in counts.items()], T)
    before, total = sum(counts.values()), 0
    for minute, (what, place, amount) in enumerate(happening, 1):
        starts = sorted(counts)
        if what == "restart":
            counts[T + minute * MINUTE] = 0
        start = starts[(place * 7 + amount) % len(starts)]
        if what == "work":
            counts[start] += amount
        if what == "read":
            news = lives.read(base, [CommandsReading("x", {"A": counts[start]}, start)], T + minute * MINUTE, kept=3)
            base, total = news.base, total + news.counts["A"]
            assert len(base.nodes) <= 4
        assert total <= sum(counts.values()) - before
