"""What each source of metrics counted in the same span of time: the same in one database, different in a copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from telemetry_core.config import Engine
from telemetry_core.engines import database
from telemetry_core.engines.rest import Node
from telemetry_core.errors import EngineError
from telemetry_core.model import HOUR, MINUTE, Clock, Millis

_FROM = 26 * HOUR
_UNTIL = 16 * MINUTE
"""Before now: what is younger can be in the memory of one node alone (facts §5.3)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One source and its sums of all metrics from 26 hours to 16 minutes ago."""

    engine: str
    source: str
    sums: Mapping[str, int]


def measure(engine: Engine, moment: Millis, clock: Clock) -> Iterator[Measured]:
    """Sums of each node and of the database of an entry that can be read; of the others nothing.

    Args:
        engine: The entry.
        moment: The end of the 26 hours, the same for all that are compared.
        clock: For the limits of time.

    Raises:
        ConfigurationError: Credentials, certificates or drivers cannot be used.
    """
    since, until = moment - _FROM, moment - _UNTIL
    for address in engine.addresses:
        try:
            with Node(engine, address, clock) as node:
                yield Measured(engine.entry, f"REST {address.text}", node.sums(since, until))
        except EngineError:
            continue  # `telemetry environment` says so already
    if engine.database is not None:
        found = database.read(engine, since, clock, expected=None)
        if found.rows is not None:
            older = (row for row in found.rows.rows if row.at < until)
            yield Measured(engine.entry, found.source, found.rows.sums(older))
