"""A whole installation that is simulated: nodes with clocks of their own, one database, purges and backups.

Each event that a node counts belongs to the consent during which it happened, and stays known as such until it is in a
row; so that what a report may hold, at most and at least, is known without counting as `telemetry` does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from telemetry_core.model import Millis

START: Millis = 1_795_000_000_000
MINUTE: Millis = 60_000
FLUSH_EVERY: Millis = 15 * MINUTE
ROOT, ACTIVITY = "root-process-instance-start", "activity-instance-start"
NAMES = (ACTIVITY, ROOT)
STARTING = "StartProcessInstanceCmd"
READING = "GetTelemetryDataCmd"

Tagged = Counter[tuple[str, int]]
"""Counts by name and by the number of the consent in which they happened; 0 for none."""


@dataclass(frozen=True)
class Row:
    """A row of the meter table; `own` is how much of its value happened in which consent, `skew` its node's clock."""

    id: str
    name: str
    at: Millis
    own: tuple[tuple[int, int], ...]
    skew: Millis

    @property
    def value(self) -> int:
        return sum(count for _, count in self.own)

    def of(self, consent: int) -> int:
        return dict(self.own).get(consent, 0)


@dataclass
class Node:
    """One life of a node; `skew` is what its clock is ahead, `began_in` the consent in which it began."""

    place: int
    skew: Millis
    started_at: Millis
    next_flush: Millis
    began_in: int
    commands: Tagged = field(default_factory=Counter)
    unflushed: Tagged = field(default_factory=Counter)
    answers: bool = True

    @property
    def counts(self) -> Counter[str]:
        return by_name(self.commands)


class World:
    """The installation; a life never starts in the same millisecond as another one.

    Attributes:
        now: The right time.
        consent: The number of the consent of now, 0 while there is none.
        happened: All events of metrics.
        killed: Those that were in the memory of a node that was killed.
    """

    def __init__(self, skews: list[Millis]) -> None:
        self.now = START
        self.consent = 0
        self.rows: set[Row] = set()
        self.written: set[Row] = set()
        self.happened: Tagged = Counter()
        self.killed: Tagged = Counter()
        self._late: list[tuple[Millis, Row]] = []
        self._last_id = 0
        self._backup: tuple[int, set[Row]] = (0, set())
        self.nodes = [self._born(place, skew) for place, skew in enumerate(skews)]

    def wait(self, length: Millis) -> None:
        """Let time pass: nodes flush every 15 minutes, and rows whose transaction was long get visible."""
        self.now += length
        for node in self.nodes:
            while node.next_flush <= self.now:
                self._flush(node, node.next_flush)
                node.next_flush += FLUSH_EVERY
        self.rows |= {row for moment, row in self._late if moment <= self.now}
        self._late = [(moment, row) for moment, row in self._late if moment > self.now]

    def work(self, place: int, times: int) -> None:
        """Start process instances, each with two activities."""
        node = self.nodes[place]
        done: Tagged = Counter({(ROOT, self.consent): times, (ACTIVITY, self.consent): 2 * times})
        node.unflushed += done
        self.happened += done
        node.commands[STARTING, self.consent] += times

    def flush(self, place: int, delay: Millis = 0) -> None:
        """Flush now, in a transaction that ends perhaps only later."""
        self._flush(self.nodes[place], self.now, delay)

    def restart(self, place: int) -> None:
        """Stop, which flushes, and start."""
        self.flush(place)
        self._begin_anew(place)

    def kill(self, place: int) -> None:
        """End without flushing, and start."""
        self.killed += self.nodes[place].unflushed
        self._begin_anew(place)

    def purge(self, older_than: Millis) -> Counter[str]:
        """Delete rows by their time; what was in them."""
        gone = {row for row in self.rows if row.at < self.now - older_than}
        self.rows -= gone
        return values(gone)

    def backup(self) -> None:
        self._backup = (self._last_id, set(self.rows))

    def restore(self) -> tuple[Counter[str], Counter[str]]:
        """The table as it was, ids that were given since are given again; what vanished, and what came back.

        Transactions of this moment are gone with it.
        """
        before = self.rows | self.in_flight
        self._late = []
        self._last_id, rows = self._backup
        self.rows = set(rows)
        return values(before - rows), values(rows - before)

    def visible(self, place: int) -> Counter[str]:
        """All that a node could have shown over REST until now, were no row ever deleted; and what none will show."""
        flushed = self.written - self.in_flight
        return values(flushed) + by_name(self.nodes[place].unflushed) + by_name(self.killed)

    @property
    def in_flight(self) -> set[Row]:
        """What nodes have flushed in transactions that are not over."""
        return {row for _, row in self._late}

    def sum(self, place: int, name: str, since: Millis, until: Millis | None) -> int:
        """`/metrics/{name}/sum`, with what the answering node has not flushed (facts §5.3)."""
        node = self.nodes[place]
        rows = (row for row in self.rows if row.name == name and row.at >= since)
        total = sum(row.value for row in rows if until is None or row.at < until)
        if until is None or until >= self.now + node.skew - FLUSH_EVERY:
            total += by_name(node.unflushed)[name]
        return total

    def execute(self, place: int, command: str) -> None:
        self.nodes[place].commands[command, self.consent] += 1

    def _begin_anew(self, place: int) -> None:
        self.nodes[place] = self._born(place, self.nodes[place].skew)

    def _born(self, place: int, skew: Millis) -> Node:
        self.now += 1
        node = Node(place, skew, self.now + skew, self.now + FLUSH_EVERY, self.consent)
        node.commands["BootstrapEngineCommand", self.consent] += 1
        return node

    def _flush(self, node: Node, moment: Millis, delay: Millis = 0) -> None:
        for name in NAMES:
            self._last_id += 1
            own = tuple((consent, count) for (one, consent), count in node.unflushed.items() if one == name and count)
            row = Row(str(self._last_id), name, moment + node.skew, own, node.skew)
            while any(row.id == other.id and row.at == other.at for other in self.written):
                row = replace(row, at=row.at + 1)
            self.written.add(row)
            if delay:
                self._late.append((moment + delay, row))
            else:
                self.rows.add(row)
        node.unflushed = Counter()


def by_name(tagged: Tagged) -> Counter[str]:
    """Counts of all consents together."""
    found: Counter[str] = Counter()
    for (name, _), count in tagged.items():
        found[name] += count
    return found


def during(tagged: Tagged, consent: int) -> Counter[str]:
    """Counts of one consent."""
    return Counter({name: count for (name, own), count in tagged.items() if own == consent})


def values(rows: set[Row]) -> Counter[str]:
    """What rows hold together."""
    found: Counter[str] = Counter()
    for row in rows:
        found[row.name] += row.value
    return found
