"""Until when a plain `send` has nothing to do, by configuration and store alone: the mirror image of a turn."""

from __future__ import annotations

from pathlib import Path

from telemetry_core import consent as consents
from telemetry_core import due
from telemetry_core.config import Engine
from telemetry_core.engines.flavours import sends_its_own_initial_report
from telemetry_core.model import HOUR, Contact, Kind, Millis, Report, ReportState
from telemetry_core.reporting import slots
from telemetry_core.reporting.session import Session

_UNSEEN: Millis = HOUR
"""So long the changes of other nodes in a shared store, consent above all, may stay unseen."""


def idle_until(session: Session) -> Millis:
    """Until when a plain `send` has nothing to do as long as neither configuration nor store change (DESIGN §9).

    Now or earlier where it has something to do; at most a period ahead, and an hour for a store that nodes share.
    """
    now, period = session.clock.now(), session.config.reporter.period
    longest = period if isinstance(session.store.place, Path) else min(period, _UNSEEN)
    moments = (moment for engine in session.config.engines for moment in _moments(session, engine, now))
    return min([now + longest, *(moment for moment in moments if moment is not None)])


def _moments(session: Session, engine: Engine, now: Millis) -> tuple[Millis | None, ...]:
    """When each of what a turn does is due for an entry; None for what is not, whatever the time."""
    consent = session.consent_of(session.group(engine))
    contact = session.store.contacts.get(engine.entry)
    initial = not consents.obstacle(consent, Kind.INITIAL)
    periodic = not consents.obstacle(consent, Kind.PERIODIC)
    if contact is None:
        return (now if initial or periodic else None,)
    return (
        _initial_at(session, contact, due.initial_due_at(consent.state, contact.first_at, now)) if initial else None,
        _periodic_at(session, contact, now) if periodic else None,
        # A reading that is due between two reports has its moment here.
    )


def _initial_at(session: Session, contact: Contact, first_due_at: Millis) -> Millis | None:
    its_own = contact.initial_sent is None and sends_its_own_initial_report(contact.product)
    sent = session.store.reports.of(contact.installation, Kind.INITIAL)
    if contact.initial_sent or its_own or (sent and sent[0].state is ReportState.ACCEPTED):
        return None
    if sent and sent[0].state in (ReportState.PENDING, ReportState.REFUSED):
        return _again_at(session, sent[0])
    return first_due_at


def _periodic_at(session: Session, contact: Contact, now: Millis) -> Millis:
    pending = session.store.reports.pending(contact.installation, Kind.PERIODIC)
    if pending is not None:
        return _again_at(session, pending)
    slot = slots.current(session, contact.installation, now)
    if slot is None or not session.store.reports.slot_taken(contact.installation, slot):
        return now
    return slot + session.config.reporter.period


def _again_at(session: Session, report: Report) -> Millis:
    """The end of a report's wait; one of more than a period was noted by a clock that went wrong, and is over."""
    now = session.clock.now()
    return report.next_attempt_at if report.next_attempt_at <= now + session.config.reporter.period else now
