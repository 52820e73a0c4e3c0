"""The lives of nodes: which of a node's commands are new, where a life is known by its start or only by its address.

From 7.19 on a start date names a life. 7.17 and 7.18 have none: there the address is the key, a fall is a restart or a
load balancer, and only the reading after it tells which (DESIGN §4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from telemetry_core.model import Base, CommandsReading, Doubt, Millis, Suspicion

KEPT = 100
"""How many lives are remembered; a life that is forgotten and returns is only a base."""

_READING_COMMAND = "GetTelemetryDataCmd"
_WHY_MISSING = "counts fall and return, as behind a load balancer; list its nodes one by one instead"
_Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class News:
    """What is new of all nodes, the base after it, and why commands are missing; then `counts` says nothing."""

    counts: _Counts
    base: Base
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What one reading of an address adds, and what is in doubt after it."""

    counts: _Counts
    doubt: Doubt | None = None


def begin(base: Base, readings: Sequence[CommandsReading], read_at: Millis) -> Base:
    """A base with everything that nodes show now."""
    lives = {_life(one): dict(one.counts) for one in readings}
    return replace(base, nodes=lives, seen_at=dict.fromkeys(lives, read_at))


def read(base: Base, readings: Sequence[CommandsReading], read_at: Millis, *, kept: int = KEPT) -> News:
    """What nodes show for the first time (DESIGN §4, facts §10.2).

    Args:
        base: What each life has shown before.
        readings: At least one node's counts.
        read_at: When they were read.
        kept: How many lives are remembered besides those that are shown.
    """
    steps = []
    after = base
    for reading in readings:
        step = _address(reading, after) if reading.started_at is None else _Step(_of_life(reading, after))
        after = _after(after, reading, step.doubt, read_at)
        steps.append((reading, step))
    balancers = [one.node for one, step in steps if step.doubt and step.doubt.suspicion is Suspicion.BALANCER]
    if not balancers:
        counts: _Counts = {}
        for _, step in steps:
            counts = add(counts, step.counts)
        return News(counts, _forget(after, {_life(one) for one in readings}, kept))
    for reading, step in steps:  # what the others did is missing too: their bases stay
        if reading.node in balancers or not (_life(reading) in base.nodes or any(step.counts.values())):
            base = _after(base, reading, step.doubt, read_at)
    return News({}, base, f"{', '.join(dict.fromkeys(balancers))}: {_WHY_MISSING}")


def without_held(base: Base) -> Base:
    """A base that counts nothing of what was held back: it belongs to somebody else's report."""
    balancers = {life: doubt for life, doubt in base.doubts.items() if doubt.suspicion is Suspicion.BALANCER}
    return replace(base, doubts=balancers)


def latest_start(base: Base) -> Millis:
    """When the latest life that is known began, 0 where none says so."""
    return max([base.forgotten, *_starts(base.nodes)])


def add(one: _Counts, other: _Counts) -> _Counts:
    """Two counts together, name by name."""
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _life(reading: CommandsReading) -> str:
    """What names a node's life: its start (7.19 and later), else only the address (facts §10.2)."""
    return f"address {reading.node}" if reading.started_at is None else f"start {reading.started_at}"


def _of_life(reading: CommandsReading, base: Base) -> _Counts:
    """What is new of a life with a start; its keys stay in the report with 0, as the engine's own did (facts §2.4).

    One begun after the consent begins at 0, unless it can be one that was counted and then forgotten.
    """
    before = base.nodes.get(_life(reading))
    if before is not None:
        return _since(reading.counts, before)
    begun_since = reading.started_at is not None and reading.started_at > max(base.taken_at, base.forgotten)
    return reading.counts if begun_since else _nothing(reading.counts)


def _address(reading: CommandsReading, base: Base) -> _Step:
    """What is new at an address without start dates; after a fall nothing, until the next reading tells why it fell."""
    counts, before, doubt = reading.counts, base.nodes.get(_life(reading)), base.doubts.get(_life(reading))
    if before is None:
        return _Step(_nothing(counts))
    goes_on = _goes_on(counts, before)
    if doubt is None:
        return _Step(_since(counts, before)) if goes_on else _fallen(before, _nothing(counts))
    if doubt.suspicion is Suspicion.BALANCER:
        return _Step(_nothing(counts), doubt)
    if not _goes_on(counts, doubt.earlier):
        # What is held was a restart. It may be over already: then it is counted, and the next one is held.
        return _Step(counts) if goes_on else _fallen(before, add(before, _nothing(counts)))
    if goes_on and counts[_READING_COMMAND] == before.get(_READING_COMMAND, 0) + 1:
        # Both a life that has outgrown the one before it, and a return. Where nobody else reads, two nodes in turn
        # cannot show two such steps after another: the first says that the other node was read more often.
        if doubt.suspicion is Suspicion.RETURNED:
            return _Step(counts)
        return _Step(_nothing(counts), Doubt(Suspicion.RETURNED, before))
    return _Step(_nothing(counts), Doubt(Suspicion.BALANCER))


def _fallen(before: _Counts, certain: _Counts) -> _Step:
    return _Step(certain, Doubt(Suspicion.FALLEN, dict(before)))


def _goes_on(counts: _Counts, before: _Counts) -> bool:
    """Whether counts can be those of the same life, later: none is smaller, and each reading counts itself."""
    grown = all(counts.get(name, 0) >= count for name, count in before.items())
    return grown and counts.get(_READING_COMMAND, 0) > before.get(_READING_COMMAND, 0)


def _since(counts: _Counts, before: _Counts) -> _Counts:
    return {name: max(count - before.get(name, 0), 0) for name, count in counts.items()}


def _nothing(counts: _Counts) -> _Counts:
    return dict.fromkeys(counts, 0)


def _after(base: Base, reading: CommandsReading, doubt: Doubt | None, read_at: Millis) -> Base:
    life = _life(reading)
    before = base.nodes.get(life)
    doubts = {name: known for name, known in base.doubts.items() if name != life}
    return replace(
        base,
        nodes={**base.nodes, life: _most(reading, before)},
        seen_at={**base.seen_at, life: read_at},
        doubts=doubts if doubt is None else {**doubts, life: doubt},
    )


def _most(reading: CommandsReading, before: _Counts | None) -> _Counts:
    """The most that a life has shown.

    One with a start date never begins again, but 7.19 to 7.21 show 0 while their own reporter sends, and put the counts
    back when that fails (facts §2.3).
    """
    if reading.started_at is None or before is None:
        return dict(reading.counts)
    return {name: max(reading.counts.get(name, 0), before.get(name, 0)) for name in {**before, **reading.counts}}


def _forget(base: Base, shown: set[str], kept: int) -> Base:
    """A base with at most `kept` lives besides those that were shown now: each restart of a node begins another one.

    The ones not read for longest go. Any of them may return (a node that was out of reach), so that from then on no
    life that began before the latest of them is taken for a new one.
    """
    silent = sorted(base.nodes.keys() - shown, key=lambda life: (base.seen_at.get(life, 0), life), reverse=True)
    gone = set(silent[kept:])
    if not gone:
        return base
    return replace(
        base,
        nodes={life: counts for life, counts in base.nodes.items() if life not in gone},
        seen_at={life: moment for life, moment in base.seen_at.items() if life not in gone},
        doubts={life: doubt for life, doubt in base.doubts.items() if life not in gone},
        forgotten=max([base.forgotten, *_starts(gone)]),
    )


def _starts(names: Iterable[str]) -> list[Millis]:
    return [int(life.removeprefix("start ")) for life in names if life.startswith("start ")]
