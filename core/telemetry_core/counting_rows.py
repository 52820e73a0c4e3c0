"""Counting metrics by the rows of the engine's meter table, each row once: pure functions (DESIGN §4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from telemetry_core.model import HOUR, MINUTE, MeterRow, Millis, RowsBase, RowsReading

LOOK_BACK: Millis = 26 * HOUR
"""How far before now, and before the newest row, rows are remembered: more than a day, so that late ones are seen."""

SKEW: Millis = 6 * HOUR
"""No node's clock is believed to be more wrong than this; a base that begins later than that before now is useless."""

UNFLUSHED: Millis = 15 * MINUTE
"""Rows of this time after a base hold work of before it: a node writes every 15 minutes (facts §5.3)."""

SILENCE: Millis = 30 * MINUTE
"""Rows come every 15 minutes, also with 0; after this time without a new one nobody knows what was counted."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """New counts and the base after them; `counts` is None, and `problem` says why, where they are not known."""

    counts: Mapping[str, int] | None
    base: RowsBase
    problem: str = ""


def wanted(base: RowsBase | None, now: Millis) -> Millis:
    """From when on rows must be read to go on from a base; one that a clock far ahead has moved is given up."""
    return now - LOOK_BACK if base is None or base.since > now - SKEW else base.since


def begin(reading: RowsReading, read_at: Millis, *, counted_from: Millis) -> RowsBase:
    """A base that has every row that is there now.

    Args:
        reading: The rows from `wanted(None, now)` on.
        read_at: When they were read.
        counted_from: Rows before this instant, by the clock of the node that wrote them, will never be counted.
    """
    nothing = RowsBase(reading.since, (), counted_from, read_at, tuple(reading.names))
    return _after(nothing, reading.rows, read_at)


def read(base: RowsBase, reading: RowsReading, read_at: Millis) -> RowCounts:
    """What rows show that were never seen: nothing is subtracted, so nothing is negative and nothing is counted twice.

    Args:
        base: What was seen before.
        reading: The rows from `wanted(base, now)` on.
        read_at: When they were read.
    """
    if base.since > read_at - SKEW:  # it was moved there by a clock that went ahead: what lies between is not known
        anew = begin(reading, read_at, counted_from=_still_counted_from(base, read_at))
        return RowCounts(dict.fromkeys(reading.names, 0), anew)
    if reading.since > base.since:
        return RowCounts(None, base, "they were read from another moment on than the base")
    seen = set(base.seen)
    new = [row for row in reading.rows if row.at >= base.since and (row.id, row.at) not in seen]
    after = _after(base, reading.rows, read_at)
    if not new and read_at - base.new_at > SILENCE:
        return RowCounts(None, after, "no node has written any to the database for more than 30 minutes")
    after = replace(after, new_at=read_at if new else min(base.new_at, read_at))
    return RowCounts(reading.sums(row for row in new if row.at >= base.counted_from), after)


def _still_counted_from(base: RowsBase, read_at: Millis) -> Millis:
    """From when on rows count after a clock was far ahead, or is far behind: rows of nodes witness which of the two."""
    newest = max((at for _, at in base.seen), default=0)
    if base.counted_from <= newest + SKEW:
        return base.counted_from
    return min(base.counted_from, max(read_at, newest))


def _after(base: RowsBase, rows: Iterable[MeterRow], read_at: Millis) -> RowsBase:
    """The base with all rows of a reading.

    It is moved along behind the newest row, and never ahead of our clock. What was seen before stays seen, also where a
    reading lacks it: another process may have read later, and a restored database gets old rows back.
    """
    found = {(row.id, row.at) for row in rows if row.at >= base.since}
    newest = max((at for _, at in found), default=None)
    since = base.since if newest is None else max(base.since, min(read_at, newest) - LOOK_BACK)
    seen = sorted((identity, at) for identity, at in found | set(base.seen) if at >= since)
    return replace(base, since=since, seen=tuple(seen))
