"""What an engine says: snapshots of its sources, and what was found of each data point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from telemetry_core.model.basics import Millis
from telemetry_core.model.products import Integration, License, Product, Software


@dataclass(frozen=True, slots=True)
class CommandsReading:
    """The command counts of one node since its life began."""

    node: str
    counts: Mapping[str, int]
    started_at: Millis | None


@dataclass(frozen=True, slots=True)
class MetricsReading:
    """Sums of the metrics over REST since `since`, and up to `next_since` where the base shall move there."""

    since: Millis
    sums: Mapping[str, int]
    next_since: Millis | None = None
    older: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class MeterRow:
    """One row of the engine's meter table: what one node counted until it wrote it, at `at` by its own clock."""

    id: str
    name: str
    value: int
    at: Millis


@dataclass(frozen=True, slots=True)
class RowsReading:
    """The rows of the metrics `names` from `since` on, out of the engine's database."""

    since: Millis
    names: tuple[str, ...]
    rows: tuple[MeterRow, ...]

    def sums(self, rows: Iterable[MeterRow] | None = None) -> Mapping[str, int]:
        """The sum of each metric over some of the rows, or all; a metric without any has 0, and nothing is negative."""
        sums = dict.fromkeys(self.names, 0)
        for row in self.rows if rows is None else rows:
            sums[row.name] = sums.get(row.name, 0) + max(row.value, 0)
        return sums


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one source said at one moment; `problems` says for a data point why it is not there.

    `on_host`: whether it comes from files and processes of this host, and says nothing of what was counted.
    `answered`: False for a node that gave no answer while others did; then there is nothing but the reason.
    `initial_sent`: whether the engine has sent its initial report by itself; None where the source cannot know.
    """

    engine: str
    source: str
    read_at: Millis
    installation: str | None = None
    product: Product | None = None
    database: Software | None = None
    application_server: Software | None = None
    jdk: Software | None = None
    webapps: tuple[str, ...] | None = None
    integration: Integration | None = None
    license_key: License | None = None
    commands: CommandsReading | None = None
    metrics: MetricsReading | None = None
    own_reporter: bool = False
    rows: RowsReading | None = None
    schema_version: str | None = None
    initial_sent: bool | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    answered: bool = True
    on_host: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the source that said it; `others` is what further sources say instead."""

    value: object
    source: str
    others: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why."""

    reason: str


Finding: TypeAlias = Found | Missing


@dataclass(frozen=True, slots=True)
class Environment:
    """Every data point of the report with what was found for it, by the point's name.

    `sources` has for each source that was asked why it does not say what it should, by the point's name.
    """

    findings: Mapping[str, Finding]
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def value(self, point: str) -> object | None:
        """The value of a data point, None where it is missing."""
        finding = self.findings.get(point)
        return finding.value if isinstance(finding, Found) else None
