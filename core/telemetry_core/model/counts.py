"""What was counted already and what waits to be reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry_core.model.basics import Millis


@dataclass(frozen=True, slots=True)
class Counts:
    """How often things happened; None where that is not known."""

    metrics: Mapping[str, int] | None = None
    commands: Mapping[str, int] | None = None


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


@dataclass(frozen=True, slots=True)
class Base:
    """What of an installation was counted already, so that it is never counted again.

    `metrics` is the base over REST, `rows` the one in the database; at most one of them is there.
    """

    taken_at: Millis
    read_at: Millis
    metrics: MetricsBase | None = None
    nodes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rows: RowsBase | None = None

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
