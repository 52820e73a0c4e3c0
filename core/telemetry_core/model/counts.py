"""What was counted already and what waits to be reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from telemetry_core.model.basics import Millis
from telemetry_core.model.reports import Counts


@dataclass(frozen=True, slots=True)
class MetricsBase:
    """Where counting of the metrics goes on: the sums since `since` that were seen already.

    `full_at` is the last reading in which each sum was at least what had been seen before it.
    """

    since: Millis
    seen: Mapping[str, int]
    full_at: Mapping[str, Millis]


@dataclass(frozen=True, slots=True)
class RowsBase:
    """Where counting by rows goes on: those from `since` on, less those seen already, by id and time.

    Rows before `counted_from` hold work from before the base; `new_at` is the last reading that showed a new row.
    """

    since: Millis
    seen: tuple[tuple[str, Millis], ...]
    counted_from: Millis
    new_at: Millis
    names: tuple[str, ...]


class Suspicion(StrEnum):
    """What an address without start dates is suspected of, since its counts fell: a restart or a load balancer."""

    FALLEN = "fallen"
    RETURNED = "returned"
    BALANCER = "balancer"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the counts of an address are held back; `earlier` is what it showed before it showed what it shows now."""

    suspicion: Suspicion
    earlier: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Base:
    """What of an installation was counted already, so that it is never counted again.

    Attributes:
        metrics: The base over REST.
        rows: The base in the database; at most one of the two is there.
        nodes: What each life of a node has shown, by its start, or by its address where it says none.
        seen_at: When each life was last read: the one that was not read for longest is forgotten first.
        doubts: Of addresses whose counts are held back.
        forgotten: The latest start of a life that was forgotten: what began until then may have been counted.
    """

    taken_at: Millis
    read_at: Millis
    metrics: MetricsBase | None = None
    nodes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rows: RowsBase | None = None
    seen_at: Mapping[str, Millis] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    forgotten: Millis = 0

    @property
    def names(self) -> tuple[str, ...] | None:
        """The metrics that are counted; None where no base of them could be taken yet."""
        if self.rows is not None:
            return self.rows.names
        return None if self.metrics is None else tuple(self.metrics.seen)


@dataclass(frozen=True, slots=True)
class Ledger:
    """The base of an installation, what was counted since the last accepted report, and where its window starts."""

    installation: str
    base: Base
    accumulated: Counts
    window_start: Millis
