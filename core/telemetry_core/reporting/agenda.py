"""When something is to be done for an engine next, by configuration and store alone: what a resident one waits for."""

from __future__ import annotations

from telemetry_core import consent as consents
from telemetry_core import due
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.engines.flavours import sends_its_own_initial_report
from telemetry_core.model import Contact, Kind, Millis, Report, ReportState
from telemetry_core.reporting import preparing
from telemetry_core.reporting.session import Session


def next_at(session: Session, engine: Engine) -> Millis | None:
    """When a plain `send` has something to do for an engine's entry; in the past where it has, None where nothing may.

    A new report is awaited for the time of day of the first one, not for the beginning of its slot, 5 % of a period
    earlier: so reports are a period apart, as the engine's own were (facts §2.2).
    """
    consent = session.consent_of(session.group(engine))
    contact = session.store.contacts.get(engine.entry)
    moments = (
        _initial_at(session, consent, contact),
        _periodic_at(session, consent, contact),
        _reading_at(session, consent, contact),
    )
    return min((moment for moment in moments if moment is not None), default=None)


def _initial_at(session: Session, consent: Consent, contact: Contact | None) -> Millis | None:
    now = session.clock.now()
    if consents.obstacle(consent, Kind.INITIAL):
        return None
    if contact is None:
        return now
    its_own = contact.initial_sent is None and sends_its_own_initial_report(contact.product)
    if contact.initial_sent or its_own:
        return None
    sent = session.store.reports.of(contact.installation, Kind.INITIAL)
    if sent and sent[0].state is ReportState.ACCEPTED:
        return None
    if sent and sent[0].state in (ReportState.PENDING, ReportState.REFUSED):
        return _again_at(session, sent[0])
    return due.initial_due_at(consent.state, contact.first_at, now)


def _periodic_at(session: Session, consent: Consent, contact: Contact | None) -> Millis | None:
    now, period = session.clock.now(), session.config.reporter.period
    if consents.obstacle(consent, Kind.PERIODIC):
        return None
    if contact is None:
        return now
    pending = session.store.reports.pending(contact.installation, Kind.PERIODIC)
    if pending is not None:
        return _again_at(session, pending)
    if contact.own_reporter:
        return None
    slot = preparing.current_slot(session, contact.installation, now)
    if slot is None:
        return now
    taken = session.store.reports.slot_taken(contact.installation, slot)
    return due.on_time(slot + period if taken else slot, period)


def _reading_at(session: Session, consent: Consent, contact: Contact | None) -> Millis | None:
    ledger = None if contact is None else session.store.ledgers.get(contact.installation)
    if ledger is None or consents.obstacle(consent, Kind.PERIODIC):
        return None
    return min(ledger.base.read_at, session.clock.now()) + session.config.reporter.sample_period


def _again_at(session: Session, report: Report) -> Millis:
    """The end of a report's wait; one of more than a period was noted by a clock that went wrong."""
    now = session.clock.now()
    return report.next_attempt_at if report.next_attempt_at <= now + session.config.reporter.period else now
