"""Copies of a database: two of them with one installation are told to the administrator, and never guessed about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from telemetry_core.config import Engine
from telemetry_core.reporting.session import Session

if TYPE_CHECKING:
    from telemetry_core.engines.yardstick import Measured


def suspected(session: Session, engines: Sequence[Engine]) -> str:
    """That entries with one installation seem to have several databases, as a sentence; empty where they do not.

    A copy of production has the id of production, and nobody guesses which is which (DESIGN §4); its counts of the same
    hours are others as soon as one of the two has worked. Each source is asked once.

    Args:
        session: For the clock.
        engines: Entries that show one installation.

    Raises:
        ConfigurationError: Credentials, certificates or drivers cannot be used.
    """
    if sum(len(engine.addresses) + (engine.database is not None) for engine in engines) < 2:
        return ""
    from telemetry_core.engines.yardstick import measure

    moment = session.clock.now()
    measured = [one for engine in engines for one in measure(engine, moment, session.clock)]
    different = list(_different(measured))
    if len(different) < 2:
        return ""
    counts = "; ".join(f"{one.source} ({one.engine}): {_work(one)}" for one in different)
    return (
        f"One installation, but not the same counts of the last 26 hours: {counts}."
        " Is one a copy of the other's database? Then give the copy an installation id of its own,"
        " or take it out of the configuration."
    )


def named(engines: Iterable[Engine]) -> str:
    """That entries with one installation name several databases, as a sentence; nobody is asked."""
    places = {
        (engine.database.text, engine.schema, engine.table_prefix): engine.entry
        for engine in engines
        if engine.database is not None
    }
    if len(places) < 2:
        return ""
    names = ", ".join(sorted(places.values()))
    return (
        f"Entries {names} show one installation and name different databases: `telemetry environment` compares them."
        " Only the first one's metrics are counted."
    )


def _different(measured: Iterable[Measured]) -> Iterable[Measured]:
    known: list[object] = []
    for one in measured:
        if one.sums not in known:
            known.append(one.sums)
            yield one


def _work(one: Measured) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(one.sums.items()))
