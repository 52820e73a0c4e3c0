"""A meter table that is none: nodes with clocks of their own flush into it, and it is purged and restored, to count by.

It keeps books of single rows, so that what should have been counted is known without counting again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from telemetry_core import counting, counting_rows
from telemetry_core.model import HOUR, Base, Counts, MeterRow, Millis, RowsReading, Snapshot

START: Millis = 1_795_000_000_000
FLUSH_EVERY: Millis = 15 * 60 * 1000
NAMES = ("activity-instance-start", "root-process-instance-start")


@dataclass
class Node:
    """One life of a node; `skew` is what its clock is ahead."""

    skew: Millis
    next_flush: Millis
    unflushed: Counter[str] = field(default_factory=Counter)


class Meter:
    """The table, its nodes and its backup. Ids are numbers that a restored database gives again."""

    def __init__(self, skews: Collection[Millis]) -> None:
        self.now = START
        self.rows: set[MeterRow] = set()
        self.written: set[MeterRow] = set()
        self.happened: Counter[str] = Counter()
        self._late: list[tuple[Millis, MeterRow]] = []
        self._last_id = 0
        self._backup: tuple[int, set[MeterRow]] = (0, set())
        self.nodes = [Node(skew, START + FLUSH_EVERY) for skew in skews]

    def wait(self, length: Millis) -> None:
        """Let time pass: nodes flush every 15 minutes, and rows that were late get visible."""
        self.now += length
        for node in self.nodes:
            while node.next_flush <= self.now:
                self._flush(node, node.next_flush, 0)
                node.next_flush += FLUSH_EVERY
        self.rows |= {row for moment, row in self._late if moment <= self.now}
        self._late = [(moment, row) for moment, row in self._late if moment > self.now]

    def work(self, number: int, times: int) -> None:
        done = Counter({NAMES[1]: times, NAMES[0]: 2 * times})
        self.nodes[number % len(self.nodes)].unflushed += done
        self.happened += done

    def flush_late(self, number: int, delay: Millis) -> None:
        """Flush now, in a transaction that ends only later."""
        self._flush(self.nodes[number % len(self.nodes)], self.now, delay)

    def restart(self, number: int) -> None:
        self._flush(self.nodes[number % len(self.nodes)], self.now, 0)

    def kill(self, number: int) -> None:
        self.nodes[number % len(self.nodes)].unflushed.clear()

    def purge(self, older_than: Millis) -> None:
        """As history clean-up does, by a clock that is right."""
        self.rows = {row for row in self.rows if row.at >= self.now - older_than}

    def backup(self) -> None:
        self._backup = (self._last_id, set(self.rows))

    def restore(self) -> None:
        """The table as it was; ids that were given since are given again."""
        self._last_id, rows = self._backup
        self.rows = set(rows)

    def _flush(self, node: Node, moment: Millis, delay: Millis) -> None:
        for name in NAMES:
            self._last_id += 1
            at = moment + node.skew
            while any(row.id == str(self._last_id) and row.at == at for row in self.written):
                at += 1
            row = MeterRow(str(self._last_id), name, node.unflushed[name], at)
            self.written.add(row)
            if delay:
                self._late.append((moment + delay, row))
            else:
                self.rows.add(row)
        node.unflushed.clear()


@dataclass
class RowReporter:
    """What `reporting` does with `counting` over a meter table, without a store.

    Attributes:
        offset: What our own clock is ahead.
        shown: Every row that a kept reading had before it.
        too_old: Whether a row was shown for the first time so late that no reading looks for it any more.
    """

    meter: Meter
    offset: Millis = 0
    base: Base = field(init=False)
    boundary: Millis = field(init=False)
    accumulated: Counts = field(default_factory=Counts)
    carried: Counts | None = None
    accepted: Counts = field(default_factory=Counts)
    shown: set[MeterRow] = field(default_factory=set)
    at_base: set[MeterRow] = field(init=False)
    happened_before: Counter[str] = field(init=False)
    too_old: bool = False

    def __post_init__(self) -> None:
        self.happened_before = Counter(self.meter.happened)
        self.base = counting.begin([self._snapshot(None)], self.now)
        self.boundary = self.now + FLUSH_EVERY
        self.at_base = set(self.meter.rows)
        self.shown |= self.at_base

    @property
    def now(self) -> Millis:
        return self.meter.now + self.offset

    @property
    def total(self) -> Counter[str]:
        return +Counter(counting.add(self.accepted, self.accumulated).metrics or {})

    def expected(self, rows: Collection[MeterRow]) -> Counter[str]:
        """What rows hold that were written after the consent."""
        found: Counter[str] = Counter()
        for row in rows:
            if row not in self.at_base and row.at >= self.boundary:
                found[row.name] += row.value
        return +found

    def live(self, history: Collection[tuple[str, tuple[object, ...]]]) -> None:
        """Let a history happen: names of methods, here or of the table, and their arguments."""
        for what, details in history:
            getattr(self if hasattr(self, what) else self.meter, what)(*details)

    def set_clock(self, offset: Millis) -> None:
        self.offset = offset

    def read(self, *, keep: bool = True) -> None:
        self.meter.wait(1)
        reading = counting.read(self.base, [self._snapshot(self.base)])
        assert all(count >= 0 for count in (reading.counts.metrics or {}).values())
        if not keep:
            return
        skipped = self.base.read_at - HOUR // 12 <= self.now <= self.base.read_at
        if not skipped:
            new = self.meter.rows - self.shown
            self.too_old |= self.base.rows is not None and any(row.at < self.base.rows.since for row in new)
            self.shown |= new
        self.base = reading.base
        self.accumulated = counting.add(self.accumulated, reading.counts)

    def lose(self) -> None:
        """A reading that is not kept."""
        self.read(keep=False)

    def prepare(self) -> None:
        if self.carried is None:
            self.carried = self.accumulated

    def accept(self) -> None:
        if self.carried is not None:
            self.accepted = counting.add(self.accepted, self.carried)
            self.accumulated = counting.subtract(self.accumulated, self.carried)
            self.carried = None

    def settle(self) -> None:
        """Everything gets into the table and is read."""
        self.meter.wait(13 * HOUR)
        self.read()
        self.accept()

    def _snapshot(self, base: Base | None) -> Snapshot:
        since = counting_rows.wanted(None if base is None else base.rows, self.now)
        rows = sorted((row for row in self.meter.rows if row.at >= since), key=lambda row: row.at)
        return Snapshot("orders", "database", self.now, rows=RowsReading(since, NAMES, tuple(rows)))
