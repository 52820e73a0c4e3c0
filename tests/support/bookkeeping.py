"""What `reporting` does with `counting`, without a store, and with books of single events to compare with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from telemetry_core import counting
from telemetry_core.model import Base, Counts, Millis
from tests.support.cluster import Cluster


@dataclass
class Reporter:
    """A base, an accumulator, reports that are accepted; and books of what should come out.

    Args:
        cluster: What it reads.
        size: How many nodes the configuration lists.
        answering_first: The nodes that answer when consent is given.

    Attributes:
        lost: Whether counts are gone for everyone: killed before a flush, or purged unread.
        visible_at_base: What the node that answered showed when the metrics' base was taken.
        happened_before: Metrics from before the consent.
        expected: Commands that a kept reading showed for the first time, less what is only a base.
    """

    cluster: Cluster
    size: int
    answering_first: Collection[int]
    base: Base = field(init=False)
    accumulated: Counts = field(default_factory=Counts)
    carried: Counts | None = None
    accepted: Counts = field(default_factory=Counts)
    lost: bool = False
    visible_at_base: Counter[str] | None = None
    expected: Counter[str] = field(default_factory=Counter)
    happened_before: Counter[str] = field(init=False)
    _seen: set[int] = field(default_factory=set)
    _lives: set[object] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.happened_before = Counter(self.cluster.happened)
        snapshots = self.cluster.read(self.answering_first, counting.wanted(None, self.cluster.now), via=0)
        self.base = counting.begin(snapshots, self.cluster.now, listed=self.size)
        self._book(self.answering_first, count=False)
        self._base_taken(0)

    @property
    def total(self) -> Counts:
        """Accepted, and still to be sent."""
        return counting.add(self.accepted, self.accumulated)

    def live(self, history: Collection[tuple[str, tuple[object, ...]]]) -> None:
        """Let a history happen: names of methods and their arguments."""
        for what, details in history:
            getattr(self, what)(*details)

    def work(self, number: int, times: int) -> None:
        self.cluster.work(number % self.size, times)

    def wait(self, length: Millis) -> None:
        self.cluster.wait(length)

    def restart(self, number: int) -> None:
        self.cluster.restart(number % self.size)

    def kill(self, number: int) -> None:
        self.lost |= self.cluster.kill(number % self.size)

    def poll(self, number: int, times: int) -> None:
        self.cluster.poll(number % self.size, times)

    def lose(self, numbers: Collection[int]) -> None:
        """A reading that is not kept."""
        self.read(numbers, keep=False)

    def read(self, numbers: Collection[int], via: int | None = 0, *, keep: bool = True) -> None:
        """A reading; numbers of nodes wrap around where the cluster is smaller."""
        via = None if via is None else via % self.size
        self.cluster.wait(1)
        numbers = {number % self.size for number in numbers}
        snapshots = self.cluster.read(numbers, counting.wanted(self.base, self.cluster.now), via=via)
        reading = counting.read(self.base, snapshots, listed=self.size)
        assert _never_negative(reading.counts)
        if not keep:
            return
        self.base = reading.base
        self.accumulated = counting.add(self.accumulated, reading.counts)
        self._book(numbers, count=True)
        self._base_taken(via)

    def prepare(self) -> None:
        """A report takes the accumulator."""
        if self.carried is None:
            self.carried = self.accumulated

    def accept(self) -> None:
        """The prepared report is accepted, whatever was read meanwhile."""
        if self.carried is not None:
            self.accepted = counting.add(self.accepted, self.carried)
            self.accumulated = counting.subtract(self.accumulated, self.carried)
            assert _never_negative(self.accumulated)
            self.carried = None

    def purge(self, older_than: Millis) -> None:
        gone = self.cluster.purge(older_than)
        self.lost |= self.base.metrics is not None and any(moment >= self.base.metrics.since for moment in gone)

    def _base_taken(self, via: int | None) -> None:
        if self.visible_at_base is None and self.base.metrics is not None and via is not None:
            self.visible_at_base = self.cluster.visible(via)

    def _book(self, numbers: Collection[int], *, count: bool) -> None:
        """Note every single event that a kept reading shows for the first time."""
        for number in numbers:
            alive = self.cluster.nodes[number]
            name: object = alive.started_at if self.cluster.start_dates else alive.address
            new = [(event, command) for event, command in alive.events if event not in self._seen]
            self._seen |= {event for event, _ in new}
            own = self.cluster.start_dates and alive.started_at > self.base.taken_at
            if count and (name in self._lives or own):
                self.expected.update(command for _, command in new)
            self._lives.add(name)


def _never_negative(counts: Counts) -> bool:
    return all(count >= 0 for one in (counts.metrics, counts.commands) for count in (one or {}).values())
