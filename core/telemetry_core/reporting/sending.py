"""What cron runs: the turn of each installation, under the lock of those who send and within one deadline."""

from __future__ import annotations

from telemetry_core import consent as consents
from telemetry_core.config import Engine
from telemetry_core.courier import Courier
from telemetry_core.errors import TelemetryError, first_by_precedence
from telemetry_core.model import Report
from telemetry_core.reporting import failures
from telemetry_core.reporting.ending import Ending, in_a_hurry
from telemetry_core.reporting.outcomes import Failed, Planned, Request, Sending
from telemetry_core.reporting.session import Session
from telemetry_core.reporting.turn import Turn


def send(session: Session, engines: tuple[Engine, ...], request: Request) -> Sending:
    """Send what is due for some engines; entries that show the same installation have one turn together.

    Raises:
        AlreadySending: Another process does; nothing was done.
        StoreError: The store cannot be used.
    """
    result = Sending()
    if request.final:
        session = in_a_hurry(session, engines)
        engines = tuple(one for one in session.config.engines if one.entry in {engine.entry for engine in engines})
    with session.store.sending():
        courier = Courier(
            session.store, session.clock, session.config.reporter, lambda report: _misfit(session, report)
        )
        done: set[str] = set()
        for engine in engines:
            if engine.entry in done:
                continue
            kind = Ending if request.final else Turn
            turn = kind(session, engine, request, courier, result=result)
            failed = turn.take()
            done |= set(turn.entries)
            if failed:
                result.failed.append(Failed(engine.entry, first_by_precedence(failed)))
        failures.remember(session, result, failed=not request.final)
    return result


def plan(session: Session, engine: Engine, request: Request) -> Planned:
    """What a `send` of now would do for an engine; it is read where it was never contacted, and nothing is written.

    Raises:
        NotPermitted: An explicit request meets an obstacle.
        EngineError: It was never contacted and does not answer.
    """
    return Turn(session, engine, request, None, result=Sending()).plan()


def _misfit(session: Session, report: Report) -> str:
    """Why a report no longer fits the consent of now: all entries that show its installation must permit it."""
    try:
        group = session.sharing(report.installation)
    except TelemetryError as error:
        return error.message
    return (
        consents.misfit(session.consent_of(group), report) if group else "No configured engine shows its installation."
    )
