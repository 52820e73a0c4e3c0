"""What went wrong with a report, in a sentence; what of it was said already, and how often and since when it fails."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from telemetry_core.errors import DeliveryFailed, EngineError, NotPermitted, TelemetryError
from telemetry_core.model import Kind, Millis, Outcome, Receipt, Report, ReportState
from telemetry_core.reporting.session import Session

if TYPE_CHECKING:
    from telemetry_core.reporting.outcomes import Failed, Sending

_FAILURE = "failure"
_ROW = "failures-in-a-row"


@dataclass(frozen=True, slots=True)
class Row:
    """Runs of an engine that failed since a report of it was accepted: how many, and when the first of them was."""

    count: int
    since: Millis


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
    said = _said(session, engine)
    if not said or said.get("over"):
        return None
    return str(said.get("message", "")), int(said.get("at", 0))


def remember(session: Session, result: Sending, *, failed: bool = True) -> None:
    """Mark what was said within the period already; a success ends it, a run with nothing to do does not.

    An engine that answers again is no trouble any more; what was said of it is still not said twice.

    Args:
        session: Where it is kept.
        result: What came of a `send`.
        failed: Whether failures are kept; at an end they are no trouble to come.
    """
    accepted = [one.report for one in result.delivered if one.report.state is ReportState.ACCEPTED]
    well = {engine for report in accepted for engine in report.engines}
    for engine in well:
        forget(session, engine)
    for engine in result.read - {failed.engine for failed in result.failed}:
        said = _said(session, engine)
        if said.get("status") == EngineError.exit_status and not said.get("over"):
            session.store.properties.put(engine, _FAILURE, json.dumps({**said, "over": True}))
            session.store.properties.remove(engine, _ROW)
    if result.failed and failed:
        with session.store.transaction():  # of several nodes one says it
            result.failed[:] = [_remembered(session, failed) for failed in result.failed]
            for engine in {failed.engine for failed in result.failed} - well:
                _lengthen(session, engine)


def in_a_row(session: Session, engine: str) -> Row | None:
    """The failures of an engine's entry since its last success; None where the last run that did something was one."""
    kept = session.store.properties.get(engine, _ROW)
    if kept is None:
        return None
    row = json.loads(kept)
    return Row(int(row.get("count", 1)), int(row.get("since", 0)))


def forget(session: Session, engine: str) -> None:
    """Let what an engine's entry failed at be over: something was accepted, or something else decided."""
    session.store.properties.remove(engine, _FAILURE)
    session.store.properties.remove(engine, _ROW)


def _lengthen(session: Session, engine: str) -> None:
    now, row = session.clock.now(), in_a_row(session, engine)
    count, since = (1, now) if row is None else (row.count + 1, min(row.since, now))
    session.store.properties.put(engine, _ROW, json.dumps({"count": count, "since": since}))


def _remembered(session: Session, failed: Failed) -> Failed:
    now, period = session.clock.now(), session.config.reporter.period
    said = _said(session, failed.engine)
    repeated = said.get("message") == failed.error.message and 0 <= now - said.get("at", 0) < period
    if not repeated or said.get("over"):
        at = said["at"] if repeated else now
        text = json.dumps({"message": failed.error.message, "at": at, "status": failed.error.exit_status})
        session.store.properties.put(failed.engine, _FAILURE, text)
    return replace(failed, repeated=repeated)


def _said(session: Session, engine: str) -> dict[str, Any]:
    kept = session.store.properties.get(engine, _FAILURE)
    said: dict[str, Any] = {} if kept is None else json.loads(kept)
    return said
