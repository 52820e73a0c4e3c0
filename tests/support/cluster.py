"""A cluster that is none: nodes that count in memory and flush, one database, deaths and purges, to test counting.

It keeps its own books of single events, so that what should have been counted is known without counting again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from telemetry_core.model import CommandsReading, MetricsReading, Millis, Snapshot

START: Millis = 1_795_000_000_000
FLUSH_EVERY: Millis = 15 * 60 * 1000
READING = "GetTelemetryDataCmd"


@dataclass
class Node:
    """One life of a node. `events` are its executed commands, each with a number of its own."""

    address: str
    started_at: Millis
    next_flush: Millis
    unflushed: Counter[str] = field(default_factory=Counter)
    events: list[tuple[int, str]] = field(default_factory=list)


class Cluster:
    """Nodes of one installation on one database.

    Args:
        size: How many nodes; metrics are asked of the first one.
        start_dates: Whether the release says when a node's life began (7.19 and later).
    """

    def __init__(self, size: int, *, start_dates: bool) -> None:
        self.now = START
        self.start_dates = start_dates
        self.rows: list[tuple[Millis, str, int]] = []
        self.flushed: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self._numbers = iter(range(10**9))
        self.nodes = [self._born(f"http://node{number}:8080/engine-rest") for number in range(size)]

    def visible(self, via: int) -> Counter[str]:
        """All that a node could ever have shown until now, purged rows too."""
        return self.flushed + self.nodes[via].unflushed

    def wait(self, length: Millis) -> None:
        """Let time pass; every node flushes every 15 minutes."""
        self.now += length
        for node in self.nodes:
            while node.next_flush <= self.now:
                self._flush(node, node.next_flush)
                node.next_flush += FLUSH_EVERY

    def work(self, number: int, times: int) -> None:
        """Start process instances, each with two activities."""
        node = self.nodes[number]
        done = Counter({"root-process-instance-start": times, "activity-instance-start": 2 * times})
        node.unflushed += done
        self.happened += done
        self._execute(node, "StartProcessInstanceCmd", times)

    def restart(self, number: int) -> None:
        """Stop, which flushes, and start."""
        self._flush(self.nodes[number], self.now)
        self.nodes[number] = self._born(self.nodes[number].address)

    def kill(self, number: int) -> bool:
        """End without flushing and start; whether counts were lost by it."""
        lost = bool(self.nodes[number].unflushed)
        self.nodes[number] = self._born(self.nodes[number].address)
        return lost

    def purge(self, older_than: Millis) -> list[Millis]:
        """Delete rows as history clean-up does; the times of those that were deleted."""
        limit = self.now - older_than
        gone = [moment for moment, _, _ in self.rows if moment < limit]
        self.rows = [row for row in self.rows if row[0] >= limit]
        return gone

    def poll(self, number: int, times: int) -> None:
        """Somebody else reads a node's `/telemetry/data`."""
        self._execute(self.nodes[number], READING, times)

    def read(
        self, numbers: Collection[int], wanted: tuple[Millis, Millis | None], *, via: int | None
    ) -> tuple[Snapshot, ...]:
        """Snapshots of the nodes that answer; only the first one is asked for metrics.

        Args:
            numbers: Who answers.
            wanted: From when on metrics are summed, and where the base moves.
            via: Which node answers for metrics where the first one's address is a load balancer; None for no answer.
        """
        return tuple(self._snapshots(numbers, wanted, via))

    def _snapshots(
        self, numbers: Collection[int], wanted: tuple[Millis, Millis | None], via: int | None
    ) -> Iterator[Snapshot]:
        for number in sorted(numbers):
            node = self.nodes[number]
            self._execute(node, READING, 1)
            counts = Counter(name for _, name in node.events)
            started_at = node.started_at if self.start_dates else None
            yield Snapshot(
                engine="orders",
                source=f"REST {node.address}",
                read_at=self.now,
                commands=CommandsReading(node.address, dict(counts), started_at),
                metrics=self._metrics(*wanted, via) if number == 0 and via is not None else None,
            )

    def _metrics(self, since: Millis, next_since: Millis | None, via: int) -> MetricsReading:
        older = None if next_since is None else self._sums(since, next_since, via)
        return MetricsReading(since, self._sums(since, None, via), next_since, older)

    def _sums(self, since: Millis, until: Millis | None, via: int) -> dict[str, int]:
        """`/metrics/{name}/sum`: rows in the window, and what the answering node has not flushed (facts §5.3)."""
        sums = Counter({"root-process-instance-start": 0, "activity-instance-start": 0})
        for moment, name, value in self.rows:
            if since <= moment and (until is None or moment < until):
                sums[name] += value
        if until is None or until >= self.now - FLUSH_EVERY:
            sums.update(self.nodes[via].unflushed)
        return dict(sums)

    def _born(self, address: str) -> Node:
        self.now += 1
        node = Node(address, started_at=self.now, next_flush=self.now + FLUSH_EVERY)
        self._execute(node, "BootstrapEngineCommand", 1)
        return node

    def _execute(self, node: Node, name: str, times: int) -> None:
        node.events += [(next(self._numbers), name) for _ in range(times)]

    def _flush(self, node: Node, moment: Millis) -> None:
        self.rows += [(moment, name, value) for name, value in node.unflushed.items()]
        self.flushed += node.unflushed
        node.unflushed = Counter()
