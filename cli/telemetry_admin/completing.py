"""Values for the shell's completion: names of engines, ids of reports, settings. Asks nobody, and never complains."""

from __future__ import annotations

from collections.abc import Callable

from telemetry_admin.host import this_host
from telemetry_admin.invocation import Invocation
from telemetry_core.errors import TelemetryError


def engines(incomplete: str) -> list[str]:
    """Names of configured engines."""
    return _quietly(lambda: [engine.entry for engine in _invocation().config().engines], incomplete)


def reports(incomplete: str) -> list[str]:
    """Ids of reports, newest first."""

    def ids() -> list[str]:
        with _invocation().reading() as session:
            return [report.id for report in session.store.reports.newest_first()]

    return _quietly(ids, incomplete)


def quarantined(incomplete: str) -> list[str]:
    """Ids of reports that wait for a decision in the collector's store, newest first."""

    def ids() -> list[str]:
        from telemetry_admin.commands.collector import place_of
        from telemetry_collector.store import Store

        found = Store.for_reading(place_of(_invocation(), None))
        if found is None:
            return []
        with found:
            return found.listing.waiting()

    return _quietly(ids, incomplete)


def settings(incomplete: str) -> list[str]:
    """Keys of settings, those of configured engines included."""

    def keys() -> list[str]:
        from telemetry_core.config import ENGINE_SETTINGS, SETTINGS

        names = [engine.entry for engine in _invocation().config().engines]
        inner = [f"engines.{name}.{setting.key}" for name in names for setting in ENGINE_SETTINGS]
        return [*(setting.key for setting in SETTINGS), *inner]

    return _quietly(keys, incomplete)


def fields(incomplete: str) -> list[str]:
    """Categories of fields, and fields that can be withheld."""

    def names() -> list[str]:
        from telemetry_core.wire import FIELDS

        return ["license", "meta", "usage", *FIELDS]

    return _quietly(names, incomplete)


def _invocation() -> Invocation:
    return Invocation(this_host())


def _quietly(find: Callable[[], list[str]], incomplete: str) -> list[str]:
    try:
        return [value for value in find() if value.startswith(incomplete)]
    except TelemetryError:
        return []  # a shell that completes is no place for an error; the command itself will say it
