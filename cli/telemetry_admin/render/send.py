"""What a `send` did, or would do, in words; for terminals, cron reads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import safe, say
from telemetry_core.model import ReportState, State
from telemetry_core.words.instants import instant
from telemetry_core.words.status import STATES, becomes_of_initial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_core.reporting import Delivered, Planned, Sending, Status


def show(console: Console, done: Sending, idle: Sequence[Status]) -> None:
    """Print what was sent, and why nothing was for the rest, with what will be sent to where without being asked."""
    for delivered in done.delivered:
        say(console, _line(delivered))
    for status in idle:
        say(console, f"{safe(status.engine)}: {safe(done.idle[status.engine])}")
        if status.consent.state is not State.ENABLED:
            say(console, f"  Telemetry is {STATES[status.consent.state]}. {safe(becomes_of_initial(status))}")


def show_plan(console: Console, planned: Sequence[Planned]) -> None:
    """Print what would be sent."""
    for one in planned:
        what = " and ".join(f"the {kind} report" for kind in one.kinds)
        line = f"{what} would be sent" if what else f"nothing would be sent: {one.reason}"
        say(console, f"{safe(one.engine)}: {safe(line)}")


def _line(delivered: Delivered) -> str:
    report, receipt = delivered.report, delivered.receipt
    who = ", ".join(safe(engine) for engine in report.engines)
    line = f"{who}: {report.kind} report {report.id} {report.state} ({safe(receipt.detail)})"
    if report.state is ReportState.PENDING:
        return f"{line}, next attempt {instant(report.next_attempt_at)}"
    return f"{line}, {len(report.document.body)} bytes, SHA-256 {report.document.sha256}"
