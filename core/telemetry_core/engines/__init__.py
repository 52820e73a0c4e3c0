"""Reading engines: each node of a configured engine gives one snapshot, and so does its database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from telemetry_core.config import Engine
from telemetry_core.engines.flavours import METRICS
from telemetry_core.errors import ConfigurationError, EngineError
from telemetry_core.model import Clock, Millis, Snapshot

if TYPE_CHECKING:
    from telemetry_core.engines.rest import Node

__all__ = ["METRICS", "Wanted", "read"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """From when on metrics are to be summed, and where the base shall move; None where it shall stay.

    `rows_since` is the same for an engine whose database gives the metrics, row by row.
    """

    since: Millis
    next_since: Millis | None
    rows_since: Millis


def read(group: tuple[Engine, ...], wanted: Wanted, clock: Clock, *, thorough: bool = False) -> tuple[Snapshot, ...]:
    """One snapshot of each node, in the configured order, then one of the database, then those of this host.

    The first listed database gives the metrics, or fails to; the first listed node does where none is configured, so
    that base and count always come from the same source (DESIGN §4).

    Nodes that give no answer leave the rest to the others; the running process of an engine is looked for where nobody
    else has said which product or JDK it is.

    Args:
        group: Entries that show one installation, or one entry.
        wanted: From when on metrics are read.
        clock: For time limits.
        thorough: Look for the process in any case.

    Raises:
        EngineError: No node answers, and what database and host say does not make up for it; it is what the first node
            said. Without nodes, the database does not.
        ConfigurationError: Credentials, certificates or drivers cannot be used, or there is no source.
    """
    source = next((engine for engine in group if engine.database is not None), None)
    snapshots, failure = _nodes(group, wanted if source is None else None, clock)
    if source is None and not snapshots:
        entry = group[0].entry
        raise ConfigurationError(
            f"Engine {entry} has no REST address.", hint=f"Set engines.{entry}.rest to its REST API."
        )
    if source is None and failure is not None:
        raise failure
    if source is not None:
        from telemetry_core.engines import database

        found = database.read(source, wanted.rows_since, clock, expected=_expected(group, snapshots))
        if not snapshots and found.installation is None and "database" in found.problems:
            raise database.unreadable(source, found)
        snapshots = (*snapshots, found)
    snapshots = (*snapshots, *_here(group, snapshots, clock, thorough=thorough))
    if failure is not None and not any(one.product for one in snapshots):
        raise failure
    return snapshots


def _here(
    group: tuple[Engine, ...], snapshots: tuple[Snapshot, ...], clock: Clock, *, thorough: bool
) -> Iterator[Snapshot]:
    """What this host says, where it is configured, or asked because nobody else has said which product or JDK it is."""
    unsaid = not any(one.product for one in snapshots) or not any(one.jdk for one in snapshots)
    if thorough or unsaid or any(engine.home or engine.java_home for engine in group):
        from telemetry_core.engines import host  # what opens archives takes its time to load

        for engine in group:
            yield from host.read(engine, clock, look_for_process=thorough or unsaid)


def _expected(group: tuple[Engine, ...], snapshots: tuple[Snapshot, ...]) -> str | None:
    """The installation as nodes or configuration say it."""
    shown = next((snapshot.installation for snapshot in snapshots if snapshot.installation is not None), None)
    return shown or next((engine.installation for engine in group if engine.installation is not None), None)


def _nodes(
    group: tuple[Engine, ...], wanted: Wanted | None, clock: Clock
) -> tuple[tuple[Snapshot, ...], EngineError | None]:
    """The nodes, and where none of them answers what the first one said."""
    from telemetry_core.engines.rest import Node

    snapshots: list[Snapshot] = []
    failures: list[EngineError] = []
    nodes = [(engine, address) for engine in group for address in engine.addresses]
    for position, (engine, address) in enumerate(nodes):
        try:
            with Node(engine, address, clock) as node:
                snapshots.append(_read(node, wanted if position == 0 else None))
        except EngineError as failure:
            failures.append(failure)
            silent = {"answer": failure.message}
            snapshots.append(
                Snapshot(engine.entry, f"REST {address.text}", clock.now(), problems=silent, answered=False)
            )
    answered = any(snapshot.answered for snapshot in snapshots)
    return tuple(snapshots), failures[0] if failures and not answered else None


def _read(node: Node, wanted: Wanted | None) -> Snapshot:
    snapshot = node.snapshot()
    if wanted is None:
        return snapshot
    try:
        return replace(snapshot, metrics=node.metrics(wanted.since, wanted.next_since))
    except EngineError as failure:
        problem = f"{failure.message} {failure.hint}".strip()
        return replace(snapshot, problems={**snapshot.problems, "metrics": problem})
