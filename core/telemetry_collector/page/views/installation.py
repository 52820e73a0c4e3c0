"""One installation: what it has counted over time, and its last reports with how each of them is told from others."""

from __future__ import annotations

from telemetry_collector.model import State
from telemetry_collector.page.asking import Question
from telemetry_collector.page.views.fleet import COUNTERS, metrics
from telemetry_collector.store import Stored, Wanted
from telemetry_core.errors import UnknownReport
from telemetry_core.words.instants import instant
from telemetry_web.page.asked import Drawn
from telemetry_web.page.plots import Plot, plot

_REPORTS = 90
_LISTED = 30

BY_KEY, BY_START = "its key", "its start date"
BY_BYTES = "its bytes and its address, for a minute: it may have been counted twice"


def installation(question: Question) -> Drawn:
    """The page of the installation that the address names.

    Raises:
        UnknownReport: Nothing was ever received from it.
    """
    name = question.query.get("id", "")
    reports = []
    if name and name.isascii() and name.isprintable():
        reports = question.store.listing.newest(Wanted(name), count=_REPORTS)
    if not reports:
        raise UnknownReport("No report of this installation was received.", hint="The fleet has all of them.")
    return Drawn(
        "installation.html",
        {
            "name": name,
            "member": question.store.fleet.get(name),
            "plots": _plots(question, [one for one in reversed(reports) if one.state is State.COUNTED]),
            "reports": [(one, _known_by(one)) for one in reports[:_LISTED]],
        },
    )


def _plots(question: Question, reports: list[Stored]) -> list[Plot]:
    bodies = question.store.bodies.of([(one.number, one.received_at) for one in reports])
    counted = [(str(instant(one.received_at)), metrics(bodies[one.number])) for one in reports if one.number in bodies]
    plots = []
    for names in COUNTERS:
        values = [(label, next((counts[name] for name in names if name in counts), None)) for label, counts in counted]
        if any(value is not None for _, value in values):
            plots.append(plot(names[0], values))
    return plots


def _known_by(report: Stored) -> str:
    if report.keyed:
        return BY_KEY
    return BY_START if report.window else BY_BYTES
