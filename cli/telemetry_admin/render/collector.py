"""What the collector has stored, as a list, and what was decided about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import safe, say
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_collector.store import Stored


def show_list(console: Console, reports: Sequence[Stored], *, are_more: bool) -> None:
    """Print reports, a line each, and below it the reason where it was set apart."""
    if not reports:
        say(console, "No report.")
        return
    for report in reports:
        when = f"{instant(report.received_at)}"[:19] + "Z"
        who = safe(report.installation or "no installation")
        say(console, f"{when}  {report.state.value:<11}  {safe(report.id)}  {who}")
        if report.code:
            decided = f" Decided by {safe(report.decided_by)}." if report.decided_by else ""
            say(console, f"    {safe(report.code)}: {safe(report.detail)}{decided}")
    if are_more:
        say(console, f"More than these {len(reports)}: --last shows more of them.")


def show_decided(console: Console, done: Sequence[tuple[Stored, bool]]) -> None:
    """Print what became of each report."""
    for stored, changed in done:
        said = "is" if changed else "was already"
        say(console, f"Report {safe(stored.id)} {said} {stored.state.value}.")
