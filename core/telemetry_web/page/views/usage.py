"""Usage as plots: what each accepted report has counted, from the bytes that were sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from telemetry_core.engines import METRICS
from telemetry_core.model import Kind, Report, ReportState
from telemetry_core.words.instants import instant
from telemetry_web.page.asked import Asked, Drawn

_REPORTS = 90
_COMMANDS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """One report in a plot; places and lengths in the units of its picture, which is 720 wide and 160 high."""

    until: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """One counter over the last reports, oldest first."""

    name: str
    total: int
    most: int
    bars: tuple[Bar, ...]


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
    return Drawn(
        "usage.html", {"plots": [plot(name, counted) for name in names], "commands": commands, "reports": len(accepted)}
    )


def _shown(names: Iterable[str]) -> list[str]:
    """Each metric once: by its public name where reports have that beside the legacy one."""
    found = dict.fromkeys(names)
    return [name for name in found if METRICS.get(name, name) == name or METRICS[name] not in found]


def plot(name: str, counted: Sequence[tuple[Report, dict[str, int]]]) -> Plot:
    """A counter as bars; a report that does not have it leaves a gap."""
    values = [(one, counts[name]) for one, counts in counted if name in counts]
    most = max((count for _, count in values), default=0)
    step = 720 / max(len(counted), 1)
    width = min(step * 0.8, 24.0)
    bars = []
    for place, (one, counts) in enumerate(counted):
        if name in counts:
            height = 160 * counts[name] / most if most else 0.0
            bars.append(
                Bar(
                    until=str(instant(one.window_end)),
                    count=counts[name],
                    x=round(place * step + (step - width) / 2, 2),
                    y=round(160 - height, 2),
                    width=round(width, 2),
                    height=round(height, 2),
                )
            )
    return Plot(name, sum(count for _, count in values), most, tuple(bars))


def _counts(report: Report, what: str) -> dict[str, int]:
    internals = json.loads(report.document.body)["product"].get("internals", {})
    return {name: counter["count"] for name, counter in (internals.get(what) or {}).items()}
