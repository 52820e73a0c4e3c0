"""When something is to be done next, by configuration and store alone: for a resident reporter and a plain `send`."""

from __future__ import annotations

from pathlib import Path

from telemetry_core import consent as consents
from telemetry_core import due
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.model import HOUR, Contact, Kind, Millis
from telemetry_core.reporting import initial, slots
from telemetry_core.reporting.session import Session

_UNSEEN: Millis = HOUR
"""So long the changes of other nodes in a shared store, consent above all, may stay unseen."""


def next_at(session: Session, engine: Engine) -> Millis | None:
    """When a resident reporter has something to do for an engine's entry; in the past where it has, None where nothing.

    A new report is awaited for the time of day of the first one, not for the beginning of its slot, 5 % of a period
    earlier: so reports are a period apart, as the engine's own were (facts §2.2). An engine that reports by itself is
    asked once a period whether it still does.
    """
    return min(_moments(session, engine, resident=True), default=None)


def idle_until(session: Session) -> Millis:
    """Until when a plain `send` has nothing to do as long as neither configuration nor store change (DESIGN §9).

    Now or earlier where it has something to do; at most a period ahead, and an hour for a store that nodes share.
    """
    now, period = session.clock.now(), session.config.reporter.period
    longest = period if isinstance(session.store.place, Path) else min(period, _UNSEEN)
    moments = [moment for engine in session.config.engines for moment in _moments(session, engine, resident=False)]
    return min([now + longest, *moments])


def _moments(session: Session, engine: Engine, *, resident: bool) -> list[Millis]:
    consent = session.consent_of(session.group(engine))
    contact = session.store.contacts.get(engine.entry)
    moments = (
        _initial_at(session, consent, contact, resident=resident),
        _periodic_at(session, consent, contact, resident=resident),
        _reading_at(session, consent, contact),
    )
    return [moment for moment in moments if moment is not None]


def _initial_at(session: Session, consent: Consent, contact: Contact | None, *, resident: bool) -> Millis | None:
    now = session.clock.now()
    if consents.obstacle(consent, Kind.INITIAL):
        return None
    if contact is None:
        return now
    if initial.left_to_the_engine(contact) or initial.accepted(session, contact.installation):
        return None
    at = initial.due_at(session, consent.state, contact)
    return max(at, contact.at + session.config.reporter.period) if contact.own_reporter and resident else at


def _periodic_at(session: Session, consent: Consent, contact: Contact | None, *, resident: bool) -> Millis | None:
    now = session.clock.now()
    if consents.obstacle(consent, Kind.PERIODIC):
        return None
    if contact is None:
        return now
    if contact.own_reporter and resident:
        return None
    pending = session.store.reports.pending(contact.installation, Kind.PERIODIC)
    if pending is not None:
        return slots.again_at(session, pending)
    begins_at = slots.next_free(session, contact.installation, now)
    if begins_at is None:
        return now
    return due.on_time(begins_at, session.config.reporter.period) if resident else begins_at


def _reading_at(session: Session, consent: Consent, contact: Contact | None) -> Millis | None:
    ledger = None if contact is None else session.store.ledgers.get(contact.installation)
    if ledger is None or consents.obstacle(consent, Kind.PERIODIC):
        return None
    now, read_at = session.clock.now(), ledger.base.read_at
    return read_at + session.config.reporter.sample_period if read_at <= now else now  # else a clock had gone wrong
