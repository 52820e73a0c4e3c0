"""What happened since the last reading, each event once: pure functions over readings and bases (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from telemetry_core import counting_rows, lives
from telemetry_core.engines.flavours import METRICS
from telemetry_core.model import (
    HOUR,
    MINUTE,
    Base,
    CommandsReading,
    Counts,
    MetricsBase,
    MetricsReading,
    Millis,
    RowsBase,
    RowsReading,
    Snapshot,
)

LOOK_BACK: Millis = 26 * HOUR
"""How far before now a base of metrics begins: more than a day, so that late flushes are seen."""

FLUSH: Millis = 16 * MINUTE
"""After this time every count that was in a node's memory is in the database (facts §5.3: every 15 minutes)."""

_NOT_WORTH_MOVING: Millis = HOUR

_OUT_OF_ORDER: Millis = 5 * MINUTE
"""Readings of several processes can end in another order than they began; by more than this, a clock was set back."""


@dataclass(frozen=True, slots=True)
class Reading:
    """New counts, the base after them, and why some counts are missing."""

    counts: Counts
    base: Base
    problems: Mapping[str, str] = field(default_factory=dict)


def wanted(base: Base | None, now: Millis) -> tuple[Millis, Millis | None]:
    """From when metrics must be summed to go on from a base, and where its beginning shall move, None for nowhere.

    A base that a clock far ahead has moved is given up, as by rows.
    """
    fresh = now - LOOK_BACK
    if base is None or base.metrics is None or base.metrics.since > now - counting_rows.SKEW:
        return fresh, None
    since = base.metrics.since
    return since, fresh if fresh - since >= _NOT_WORTH_MOVING else None


def begin(snapshots: Sequence[Snapshot], taken_at: Millis, *, listed: int = 1) -> Base:
    """The base that enabling takes: everything that was counted before it.

    Args:
        snapshots: The nodes that answered, in the configured order.
        taken_at: When consent was given.
        listed: How many nodes the configuration lists; one that does not answer has counts in its memory all the same.
    """
    read_at = max(snapshot.read_at for snapshot in snapshots)
    rows = _rows(snapshots)
    if rows is not None:
        counted_from = taken_at + counting_rows.UNFLUSHED
        begun = counting_rows.begin(rows, read_at, counted_from=counted_from)
        return lives.begin(Base(taken_at, read_at, rows=begun), _commands(snapshots), read_at)
    reading = None if max(listed, len(snapshots)) > 1 else _metrics(snapshots)
    metrics = None if reading is None else _fresh_metrics(reading, read_at)
    return lives.begin(Base(taken_at, read_at, metrics), _commands(snapshots), read_at)


def read(base: Base, snapshots: Sequence[Snapshot], *, listed: int = 1, begun_with: Base | None = None) -> Reading:
    """What the snapshots show for the first time. Nothing is ever negative, nothing is counted twice.

    Args:
        base: What was counted before.
        snapshots: The nodes that answered, in the configured order.
        listed: How many nodes the configuration lists.
        begun_with: The base at the beginning of the reading, None where it does not matter. Where it is another one by
            now, the reading is in no order with the one of another process: what only this one shows comes next time.
    """
    read_at = max(snapshot.read_at for snapshot in snapshots)
    if begun_with not in (None, base) or base.read_at - _OUT_OF_ORDER <= read_at <= base.read_at:
        return _nothing_new(base)  # another process was faster
    over_rest = base.metrics is not None
    base = _set_back(base, read_at)
    problems: dict[str, str] = {}
    rows = _rows(snapshots)
    if rows is None:
        nodes = max(listed, len(snapshots))
        if base.metrics is None:
            nodes = max(nodes, len(base.nodes))  # one that is listed no more flushes all the same
        early = nodes > 1 and max(read_at, base.read_at) < base.taken_at + FLUSH
        counts, metrics = _read_metrics(base, snapshots, read_at, problems, early=early)
        after = replace(base, metrics=metrics, rows=base.rows if metrics is None else None)
    else:
        boundary = read_at if over_rest else base.taken_at  # until then counts were REST's, or nobody's
        counts, after = _read_rows(base, rows, read_at, problems, counted_from=boundary + counting_rows.UNFLUSHED)
    commands, after = _read_commands(after, snapshots, read_at, problems)
    return Reading(Counts(counts, commands), replace(after, read_at=read_at), problems)


def _set_back(base: Base, read_at: Millis) -> Base:
    """A base after our clock was set back, as it was as far as it can be used.

    What a clock that was far ahead has moved is given up: the consent's moment too, but never to before a life that is
    known, because the clock that is wrong can as well be the one of now.
    """
    metrics, taken_at = base.metrics, base.taken_at
    if metrics is not None and metrics.since > read_at - counting_rows.SKEW:
        metrics = None
    elif metrics is not None and read_at < base.read_at:
        metrics = replace(metrics, full_at={name: min(at, read_at) for name, at in metrics.full_at.items()})
    if taken_at > read_at + counting_rows.SKEW:
        taken_at = min(taken_at, max(read_at, lives.latest_start(base)))
    return replace(base, metrics=metrics, taken_at=taken_at)


def _nothing_new(base: Base) -> Reading:
    if base.names is None:
        return Reading(Counts(None, {}), base, {"metrics": "the base could not be taken yet"})
    return Reading(Counts(dict.fromkeys(base.names, 0), {}), base)


def stay_out(base: Base) -> Base:
    """A base after a reading of an engine that reports by itself: what is held back leaves in its report, not in ours.

    See `lives`: counts are held back where 7.17 and 7.18 do not say whether they began again.
    """
    return lives.without_held(base)


def add(one: Counts, other: Counts) -> Counts:
    """Two counts together; what one of them does not know is what the other says."""
    return Counts(_add(one.metrics, other.metrics), _add(one.commands, other.commands))


def subtract(counts: Counts, carried: Counts) -> Counts:
    """Counts without what a report carried; names without anything left are dropped, nothing becomes negative."""
    return Counts(_subtract(counts.metrics, carried.metrics), _subtract(counts.commands, carried.commands))


def permitted(counts: Counts, withheld: Collection[str], pending: Counts, *, public: bool) -> Counts:
    """The counts without what is withheld by every name that it leaves by: it is dropped as if sent (DESIGN §4).

    Args:
        counts: What waits to be reported.
        withheld: Fields that are left out of reports, such as `metrics` or `commands.StartProcessInstanceCmd`.
        pending: What a pending report carries; that much stays until it is closed.
        public: Whether metrics leave by their public names too.
    """

    def is_withheld(point: str, name: str) -> bool:
        names = {name, METRICS.get(name, name)} if public and point == "metrics" else {name}
        return point in withheld or all(f"{point}.{one}" in withheld for one in names)

    def left(point: str, counted: Mapping[str, int] | None, carried: Mapping[str, int]) -> Mapping[str, int] | None:
        if counted is None:
            return None
        rest = {n: min(c, carried.get(n, 0)) if is_withheld(point, n) else c for n, c in counted.items()}
        return {name: count for name, count in rest.items() if count or not is_withheld(point, name)}

    return Counts(
        left("metrics", counts.metrics, pending.metrics or {}),
        left("commands", counts.commands, pending.commands or {}),
    )


def _commands(snapshots: Iterable[Snapshot]) -> list[CommandsReading]:
    return [snapshot.commands for snapshot in snapshots if snapshot.commands is not None]


def _rows(snapshots: Iterable[Snapshot]) -> RowsReading | None:
    return next((snapshot.rows for snapshot in snapshots if snapshot.rows is not None), None)


def _metrics(snapshots: Iterable[Snapshot]) -> MetricsReading | None:
    return next((snapshot.metrics for snapshot in snapshots if snapshot.metrics is not None), None)


def _read_metrics(
    base: Base, snapshots: Sequence[Snapshot], read_at: Millis, problems: dict[str, str], *, early: bool
) -> tuple[Mapping[str, int] | None, MetricsBase | None]:
    reading = _metrics(snapshots)
    if reading is None:
        problems["metrics"] = next(
            (snapshot.problems["metrics"] for snapshot in snapshots if "metrics" in snapshot.problems),
            "no source gave them",
        )
        return None, base.metrics
    if early:  # a base of before others were known of lacks what they had not flushed then
        problems["metrics"] = "in a cluster they begin 16 minutes after enabling"
        return None, None
    if base.metrics is None:
        return dict.fromkeys(reading.sums, 0), _fresh_metrics(reading, read_at)
    if reading.since != base.metrics.since:
        problems["metrics"] = "they are counted from the next reading on"
        return None, base.metrics
    return _continue_metrics(base.metrics, reading, read_at)


def _read_rows(
    base: Base, reading: RowsReading, read_at: Millis, problems: dict[str, str], *, counted_from: Millis
) -> tuple[Mapping[str, int] | None, Base]:
    if base.rows is None:
        fresh: RowsBase = counting_rows.begin(reading, read_at, counted_from=counted_from)
        return dict.fromkeys(fresh.names, 0), replace(base, metrics=None, rows=fresh)
    seen = counting_rows.read(base.rows, reading, read_at)
    if seen.problem:
        problems["metrics"] = seen.problem
    return seen.counts, replace(base, metrics=None, rows=seen.base)


def _fresh_metrics(reading: MetricsReading, read_at: Millis) -> MetricsBase:
    return _moved(reading, reading.sums, dict.fromkeys(reading.sums, read_at))


def _continue_metrics(
    base: MetricsBase, reading: MetricsReading, read_at: Millis
) -> tuple[Mapping[str, int], MetricsBase]:
    counts, seen, full_at = {}, {}, {}
    for name, total in reading.sums.items():
        before = base.seen.get(name, total)
        last_full = base.full_at.get(name, read_at)
        counts[name] = max(total - before, 0)
        carried = total < before and read_at - last_full <= FLUSH
        seen[name] = before if carried else total
        full_at[name] = last_full if carried else read_at
    return counts, _moved(reading, seen, full_at)


def _moved(reading: MetricsReading, seen: Mapping[str, int], full_at: Mapping[str, Millis]) -> MetricsBase:
    if reading.next_since is None or reading.older is None:
        return MetricsBase(reading.since, dict(seen), dict(full_at))
    rest = {name: max(total - reading.older.get(name, 0), 0) for name, total in seen.items()}
    return MetricsBase(reading.next_since, rest, dict(full_at))


def _read_commands(
    base: Base, snapshots: Sequence[Snapshot], read_at: Millis, problems: dict[str, str]
) -> tuple[Mapping[str, int] | None, Base]:
    readings = _commands(snapshots)
    if not readings:
        problems["commands"] = next(
            (snapshot.problems["commands"] for snapshot in snapshots if "commands" in snapshot.problems),
            "no node gave them",
        )
        return None, base
    news = lives.read(base, readings, read_at)
    if news.problem is not None:
        problems["commands"] = news.problem
        return None, news.base
    return news.counts, news.base


def _add(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> Mapping[str, int] | None:
    if one is None or other is None:
        return one if other is None else other
    return lives.add(one, other)


def _subtract(counts: Mapping[str, int] | None, carried: Mapping[str, int] | None) -> Mapping[str, int] | None:
    if counts is None or carried is None:
        return counts
    rest = {name: count - carried.get(name, 0) for name, count in counts.items()}
    return {name: count for name, count in rest.items() if count > 0}
