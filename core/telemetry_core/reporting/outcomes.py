"""What a `send` was asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from telemetry_core.errors import TelemetryError
from telemetry_core.model import Kind, Receipt, Report


@dataclass(frozen=True, slots=True)
class Request:
    """What `send` was asked for.

    Attributes:
        initial: Only the initial report.
        force: Without regard to slot and backoff.
        final: What is left, in little time, because the engine or the reporter ends.
        gone: With `final`: the engine is known to give no answer, and is not asked.
    """

    initial: bool = False
    force: bool = False
    final: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report that was tried, and what came of it."""

    report: Report
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """An engine whose turn failed; `repeated` where the same was said within the period already."""

    engine: str
    error: TelemetryError
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """What a `send` would do for an engine: reports of these kinds, or nothing and why."""

    engine: str
    kinds: tuple[Kind, ...]
    reason: str = ""


@dataclass(slots=True)
class Sending:
    """The result of a `send`; `idle` says for an engine why there was nothing to do, `read` has those that answered."""

    delivered: list[Delivered] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    idle: dict[str, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
