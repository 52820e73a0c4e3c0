"""The first page: every installation with its last report, and how many reports came each day."""

from __future__ import annotations

from datetime import UTC, datetime

from telemetry_collector.page.asking import Question
from telemetry_collector.report import DECODER
from telemetry_collector.store.fleet import Arrivals
from telemetry_core.model import HOUR
from telemetry_web.page.asked import ON_A_PAGE, Drawn, around, first_of
from telemetry_web.page.plots import Plot, plot

_DAY = 24 * HOUR
_DAYS = 60

COUNTERS = (
    ("process-instances", "root-process-instance-start"),
    ("flow-node-instances", "activity-instance-start"),
    ("decision-instances", "executed-decision-instances"),
)
"""What a line shows of a report: each by its public name, else by its legacy name (facts §10.23)."""


def fleet(question: Question) -> Drawn:
    """A part of the table, those first that reported last, and the plot."""
    store = question.store
    count = store.fleet.count()
    first = first_of(question.query, count)
    members = store.fleet.newest(first, ON_A_PAGE)
    bodies = store.bodies.of([(one.last_number, one.last_at) for one in members])
    waiting = store.listing.quarantined()
    lines = [(one, _counts(bodies.get(one.last_number)), waiting.get(one.installation, 0)) for one in members]
    today = question.now // _DAY
    arrivals = store.fleet.arrivals(question.now - (_DAYS - 1) * _DAY)
    values = {
        "lines": lines,
        "count": count,
        "waiting": sum(waiting.values()),
        "plot": _plot(arrivals, today),
        "set_apart": sum(one.set_apart for one in arrivals),
        **around(first, count),
    }
    return Drawn("fleet.html", values)


def counters(counts: dict[str, int]) -> list[int | None]:
    """The counts that a line shows, of those of a report; None for one that it does not have."""
    return [next((counts[name] for name in names if name in counts), None) for names in COUNTERS]


def _counts(body: bytes | None) -> list[int | None]:
    return counters({} if body is None else metrics(body))


def metrics(body: bytes) -> dict[str, int]:
    """The metrics of a stored report by name."""
    internals = DECODER.decode(body).product.internals
    return {} if internals is None else {name: one.count for name, one in (internals.metrics or {}).items()}


def _plot(arrivals: list[Arrivals], today: int) -> Plot:
    """Every day since the first one, also those without any report."""
    counts = {one.day: one.reports for one in arrivals}
    begin = min(counts, default=today)
    days = [
        (f"{datetime.fromtimestamp(day * 86400, UTC):%Y-%m-%d}", counts.get(day, 0)) for day in range(begin, today + 1)
    ]
    return plot("reports", list(days))
