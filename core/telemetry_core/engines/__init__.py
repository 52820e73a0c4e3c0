"""Reading engines: each node of a configured engine gives one snapshot."""

from __future__ import annotations

from dataclasses import dataclass, replace

from telemetry_core.config import Engine
from telemetry_core.engines.flavours import METRICS
from telemetry_core.engines.rest import Node
from telemetry_core.errors import ConfigurationError, EngineError
from telemetry_core.model import Clock, Millis, Snapshot

__all__ = ["METRICS", "Wanted", "read"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """From when on metrics are to be summed, and where the base shall move; None where it shall stay."""

    since: Millis
    next_since: Millis | None = None


def read(group: tuple[Engine, ...], wanted: Wanted, clock: Clock) -> tuple[Snapshot, ...]:
    """One snapshot of each node that answers, in the configured order; the first listed node gives the metrics.

    Args:
        group: Entries that show one installation, or one entry.
        wanted: From when on metrics are summed.
        clock: For time limits.

    Raises:
        EngineError: No node answers; it is what the first one said.
        ConfigurationError: Credentials or certificates cannot be used, or there is no source.
    """
    nodes = [(engine, address) for engine in group for address in engine.addresses]
    if not nodes:
        entry = group[0].entry
        raise ConfigurationError(
            f"Engine {entry} has no REST address.", hint=f"Set engines.{entry}.rest to its REST API."
        )
    snapshots: list[Snapshot] = []
    failures: list[EngineError] = []
    for position, (engine, address) in enumerate(nodes):
        try:
            with Node(engine, address, clock) as node:
                snapshots.append(_read(node, wanted if position == 0 else None))
        except EngineError as failure:
            failures.append(failure)
    if not snapshots:
        raise failures[0]
    return tuple(snapshots)


def _read(node: Node, wanted: Wanted | None) -> Snapshot:
    snapshot = node.snapshot()
    if wanted is None:
        return snapshot
    try:
        return replace(snapshot, metrics=node.metrics(wanted.since, wanted.next_since))
    except EngineError as failure:
        problem = f"{failure.message} {failure.hint}".strip()
        return replace(snapshot, problems={**snapshot.problems, "metrics": problem})
