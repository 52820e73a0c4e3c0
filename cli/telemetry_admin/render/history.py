"""The history, as a list and one report by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, safe, say
from telemetry_core.words import history as words
from telemetry_core.words.instants import instant
from telemetry_core.words.preview import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_core.model import Attempt, Report


def show_list(console: Console, reports: Sequence[Report]) -> None:
    """Print all reports, a line each."""
    if not reports:
        console.print("No report was ever prepared.")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("prepared", "kind", "state", "engines", "id"):
        table.add_column(name, no_wrap=name != "engines", overflow="fold")
    for report in reports:
        engines = ", ".join(safe(engine) for engine in report.engines)
        when = f"{instant(report.created_at)}"[:19] + "Z"
        shown = report.id[:8] if console.width < 110 else report.id
        table.add_row(when, report.kind, report.state, Text(engines), shown)
    console.print(table)


def show_one(console: Console, report: Report, attempts: Sequence[Attempt]) -> None:
    """Print one report with its attempts and its body."""
    heading(console, f"{report.kind.capitalize()} report {report.id}")
    pairs(console, words.rows(report))
    heading(console, "Attempts" if attempts else "No attempts yet")
    pairs(console, [(f"{one.number}  {instant(one.started_at)}", words.outcome(one)) for one in attempts])
    heading(console, "Body")
    say(console, readable(report.document.body))
