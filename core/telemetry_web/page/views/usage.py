"""Usage as plots: what each accepted report has counted, from the bytes that were sent."""

from __future__ import annotations

import json
from collections.abc import Iterable

from telemetry_core.engines import METRICS
from telemetry_core.model import Kind, Report, ReportState
from telemetry_core.words.instants import instant
from telemetry_web.page.asked import Asked, Drawn
from telemetry_web.page.plots import plot

_REPORTS = 90
_COMMANDS = 10
_LEGACY = {public: legacy for legacy, public in METRICS.items()}


def usage(asked: Asked) -> Drawn:
    """A plot for each metric, and the commands that were executed most; asks nobody but the store."""
    with asked.opener.reading() as session:
        installation = session.installation(asked.engine)
        found = [] if installation is None else session.store.reports.of(installation, Kind.PERIODIC)
    accepted = [one for one in found if one.state is ReportState.ACCEPTED][:_REPORTS][::-1]
    counted = [(one, _counts(one, "metrics")) for one in accepted]
    names = _shown(name for _, counts in counted for name in counts)
    totals: dict[str, int] = {}
    for one in accepted:
        for name, count in _counts(one, "commands").items():
            totals[name] = totals.get(name, 0) + count
    executed = [item for item in totals.items() if item[1]]
    commands = sorted(executed, key=lambda item: (-item[1], item[0]))[:_COMMANDS]
    plots = [
        plot(name, [(str(instant(one.window_end)), _count(counts, name)) for one, counts in counted]) for name in names
    ]
    return Drawn("usage.html", {"plots": plots, "commands": commands, "reports": len(accepted)})


def _shown(names: Iterable[str]) -> list[str]:
    """Each metric once: by its public name where any of the reports has that."""
    found = dict.fromkeys(names)
    return [name for name in found if METRICS.get(name, name) == name or METRICS[name] not in found]


def _count(counts: dict[str, int], name: str) -> int | None:
    """What a report has counted of a metric; those of 7.14 to 7.16 have it by its legacy name alone."""
    return counts.get(name, counts.get(_LEGACY.get(name, name)))


def _counts(report: Report, what: str) -> dict[str, int]:
    internals = json.loads(report.document.body)["product"].get("internals", {})
    return {name: counter["count"] for name, counter in (internals.get(what) or {}).items()}
