"""What went wrong with a report, in a sentence, and what of it was said already, so that cron mails it once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from telemetry_core.errors import DeliveryFailed, NotPermitted, TelemetryError
from telemetry_core.model import Kind, Outcome, Receipt, Report, ReportState
from telemetry_core.reporting.session import Session

if TYPE_CHECKING:
    from telemetry_core.reporting.outcomes import Failed, Sending

_FAILURE = "failure"


def of_delivery(report: Report, receipt: Receipt) -> TelemetryError | None:
    """The failure that a tried report came to, None where it was accepted."""
    if report.state is ReportState.ACCEPTED:
        return None
    what = f"The {report.kind} report of {', '.join(report.engines)}"
    if report.state is ReportState.CONFLICT:
        return DeliveryFailed(
            f"{what} met another one: the receiver has this window with other bytes ({receipt.detail}).",
            hint=f"Its counts are not known to have arrived. `telemetry history {report.id}` shows it.",
        )
    if report.state is ReportState.WITHDRAWN:
        return NotPermitted(f"{what} was withdrawn: {receipt.detail}")
    if receipt.outcome is Outcome.REFUSED and report.state is ReportState.PENDING:
        return DeliveryFailed(
            f"{what} was refused by {report.endpoint} ({receipt.detail}), but an earlier attempt may have arrived.",
            hint=f"Ask there, then: telemetry history {report.id} --resolve accepted (or refused).",
        )
    if receipt.outcome is Outcome.REFUSED:
        later = (
            "It is tried again next period." if report.kind is Kind.INITIAL else "Its counts go into the next report."
        )
        return DeliveryFailed(
            f"{what} was refused by {report.endpoint}: {receipt.detail}.",
            hint=f"{later} `telemetry history {report.id}` shows it.",
        )
    return DeliveryFailed(
        f"{what} was not delivered to {report.endpoint}: {receipt.detail}.",
        hint=f"It is kept and sent again. `telemetry history {report.id}` shows every attempt.",
    )


def last(session: Session, engine: str) -> tuple[str, int] | None:
    """The failure that a plain `send` said last for an engine, and when; None after a success."""
    kept = session.store.properties.get(engine, _FAILURE)
    if kept is None:
        return None
    said = json.loads(kept)
    return str(said.get("message", "")), int(said.get("at", 0))


def remember(session: Session, result: Sending) -> None:
    """Mark what was said within the period already; a success ends it, a run with nothing to do does not."""
    accepted = [one.report for one in result.delivered if one.report.state is ReportState.ACCEPTED]
    for engine in {engine for report in accepted for engine in report.engines}:
        session.store.properties.remove(engine, _FAILURE)
    if result.failed:
        with session.store.transaction():  # of several nodes one says it
            result.failed[:] = [_remembered(session, failed) for failed in result.failed]


def _remembered(session: Session, failed: Failed) -> Failed:
    now, period = session.clock.now(), session.config.reporter.period
    kept = session.store.properties.get(failed.engine, _FAILURE)
    said = json.loads(kept) if kept is not None else {}
    if said.get("message") == failed.error.message and 0 <= now - said.get("at", 0) < period:
        return replace(failed, repeated=True)
    text = json.dumps({"message": failed.error.message, "at": now})
    session.store.properties.put(failed.engine, _FAILURE, text)
    return failed
