"""The initial report of an installation: whether one is to be sent, and when (user guide, Initial Data Report)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core import due
from telemetry_core.engines.flavours import sends_its_own_initial_report
from telemetry_core.model import Contact, Kind, Millis, Report, ReportState, State
from telemetry_core.reporting import slots

if TYPE_CHECKING:
    from telemetry_core.reporting.observing import Observation
    from telemetry_core.reporting.session import Session

_SENT_BY_THE_ENGINE = "The engine has sent it by itself, as its database says."
_SENDS_ITS_OWN = "7.14 to 7.16 send theirs by themselves; `telemetry send --initial --force` sends one more."


def left_to_the_engine(known: Contact | Observation | None) -> str:
    """Why the engine's own initial report counts, as a sentence; empty where it does not, or nothing is known of it."""
    if known is None or known.initial_sent is False:
        return ""
    if known.initial_sent:
        return _SENT_BY_THE_ENGINE
    return _SENDS_ITS_OWN if sends_its_own_initial_report(known.product) else ""


def accepted(session: Session, installation: str) -> Report | None:
    """The one that has arrived; None where none has."""
    sent = _last(session, installation)
    return sent if sent is not None and sent.state is ReportState.ACCEPTED else None


def waiting(session: Session, installation: str) -> Report | None:
    """The one that is tried again: it has not arrived, or was refused; None where none is."""
    sent = _last(session, installation)
    return sent if sent is not None and sent.state in (ReportState.PENDING, ReportState.REFUSED) else None


def due_at(session: Session, state: State, contact: Contact) -> Millis:
    """When one that was not accepted is tried the next time: now or earlier where that is at the next `send`."""
    again = waiting(session, contact.installation)
    if again is not None:
        return slots.again_at(session, again)
    return due.initial_due_at(state, contact.first_at, session.clock.now())


def _last(session: Session, installation: str) -> Report | None:
    sent = session.store.reports.of(installation, Kind.INITIAL)
    return sent[0] if sent else None
