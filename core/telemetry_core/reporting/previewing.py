"""The exact request before it leaves: the pending report where there is one, else what a `send` now would build."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from telemetry_core import consent as consents
from telemetry_core import due, wire
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.errors import DeliveryFailed, NotPermitted, TelemetryError
from telemetry_core.model import Contact, Document, Endpoint, Kind, Millis, Report, Trigger
from telemetry_core.payload import Built
from telemetry_core.reporting import initial, preparing, slots
from telemetry_core.reporting.observing import Observation, observe
from telemetry_core.reporting.session import Session
from telemetry_core.secret import REDACTED

_SENT = "The initial report was sent already, as it is shown here; it is sent once."


@dataclass(frozen=True, slots=True)
class Preview:
    """One report as it is, or would be, sent.

    Attributes:
        report_id: None where it gets its id only when it is prepared.
        pending_since: When it was prepared; None where a `send` would build it anew.
        next_attempt_at: Until when a pending one waits after a failure; None where it does not.
        request: Without an endpoint None.
        obstacle: Why nothing would be sent, as a sentence; empty where it would.
        initial_first: Whether the initial report goes before it.
        due_at: From when on a plain `send` would build it; None where it would now, or where that is not known.
    """

    engines: tuple[str, ...]
    installation: str
    kind: Kind
    document: Document
    sources: Mapping[str, str]
    missing: Mapping[str, str]
    withheld: tuple[str, ...]
    report_id: str | None
    pending_since: Millis | None
    next_attempt_at: Millis | None
    request: wire.Request | None
    obstacle: str
    initial_first: bool
    due_at: Millis | None = None


def preview(session: Session, engine: Engine, kind: Kind) -> Preview:
    """What a `send` of now would send; nothing is written, and only the engine is asked.

    Raises:
        EngineError: No report can be made.
    """
    group = session.group(engine)
    consent = session.consent_of(group)
    contact = session.store.contacts.get(engine.entry)
    if contact is not None:
        pending = _fitting(session, consent, contact.installation, kind)
        if pending is not None and not contact.own_reporter:
            return _of_pending(session, consent, pending, contact)
        accepted = initial.accepted(session, contact.installation) if kind is Kind.INITIAL else None
        if accepted is not None:
            return replace(_of_pending(session, consent, accepted, contact), pending_since=None, obstacle=_SENT)
    observation = observe(session, group, keep=False)
    pending = _fitting(session, consent, observation.installation, kind)
    if pending is not None:
        return _of_pending(session, consent, pending, observation)
    return _of_new(session, consent, observation, kind)


def keep(session: Session, engine: Engine) -> Preview:
    """Make the periodic report that a `send` would build the pending one; where one is pending, change nothing.

    Raises:
        NotPermitted: There is no permit for it, or the engine reports by itself.
        EngineError: No report can be made.
    """
    group = session.group(engine)
    consent = session.recorded_consent_of(group)
    reason = consents.obstacle(consent, Kind.PERIODIC)
    if reason:
        raise consents.refusal(consent, reason)
    contact = session.store.contacts.get(engine.entry)
    if contact is not None:
        preparing.close_misfits(session, contact.installation, consent)
    if contact is not None and session.store.reports.pending(contact.installation, Kind.PERIODIC) is not None:
        return preview(session, engine, Kind.PERIODIC)
    observation = observe(session, group, keep=True)
    if observation.own_reporter:
        raise NotPermitted(consents.by_itself([engine.entry]), hint="Switch its own reporter off first.")
    if consent.endpoint is None:
        raise TelemetryError("A permit without an endpoint.")
    built = preparing.build_periodic(observation, consent)
    kept = preparing.open_periodic(
        session, observation, built, consent.endpoint, trigger=Trigger.DUE, only_in_slot=False
    )
    if kept is None and session.store.reports.pending(observation.installation, Kind.PERIODIC) is None:
        raise DeliveryFailed("Another process sent or decided something meanwhile.", hint="Try again.")
    return preview(session, engine, Kind.PERIODIC)


def _fitting(session: Session, consent: Consent, installation: str, kind: Kind) -> Report | None:
    """The pending report, where it is not to be withdrawn."""
    pending = session.store.reports.pending(installation, kind)
    return None if pending is not None and consents.misfit(consent, pending) else pending


def _of_pending(session: Session, consent: Consent, report: Report, known: Contact | Observation) -> Preview:
    return Preview(
        engines=report.engines,
        installation=report.installation,
        kind=report.kind,
        document=report.document,
        sources={name: report.sources[name] for name in report.fields if name in report.sources},
        missing=report.missing,
        withheld=report.withheld,
        report_id=report.id,
        pending_since=report.created_at,
        next_attempt_at=report.next_attempt_at if report.next_attempt_at > session.clock.now() else None,
        request=_request(session, report.document, consent.endpoint, report.id),
        obstacle=consents.obstacle(consent, report.kind) or _own_reporter(known, report.engines),
        initial_first=_initial_first(session, consent, known, report.kind),
    )


def _of_new(session: Session, consent: Consent, observation: Observation, kind: Kind) -> Preview:
    built = _build(observation, consent, kind)
    document = wire.encode(built.payload)
    report_id = _future_id(session, observation, kind)
    return Preview(
        engines=observation.engines,
        installation=observation.installation,
        kind=kind,
        document=document,
        sources={name: source for name, source in built.sources.items() if name in built.fields},
        missing=built.missing,
        withheld=tuple(sorted(built.payload.withheld)),
        report_id=report_id,
        pending_since=None,
        next_attempt_at=None,
        request=_request(session, document, consent.endpoint, report_id),
        obstacle=_obstacle(session, consent, observation, kind),
        initial_first=_initial_first(session, consent, observation, kind),
        due_at=_due_at(session, consent, observation, kind),
    )


def _due_at(session: Session, consent: Consent, observation: Observation, kind: Kind) -> Millis | None:
    now = session.clock.now()
    withdrawn = session.store.reports.pending(observation.installation, kind)  # it does not fit, or it would be shown
    if kind is Kind.PERIODIC:
        begins_at = slots.next_free(session, observation.installation, now, leaving=withdrawn)
    elif withdrawn is not None:
        begins_at = now
    else:
        contact = session.store.contacts.get(observation.engines[0])
        if contact is None:
            begins_at = due.initial_due_at(consent.state, observation.read_at, now)
        else:
            begins_at = initial.due_at(session, consent.state, contact)
    return begins_at if begins_at is not None and begins_at > now else None


def _build(observation: Observation, consent: Consent, kind: Kind) -> Built:
    if kind is Kind.INITIAL:
        return preparing.build_initial(observation, consent.state)
    return preparing.build_periodic(observation, consent)


def _request(
    session: Session, document: Document, endpoint: Endpoint | None, report_id: str | None
) -> wire.Request | None:
    if endpoint is None:
        return None
    request = wire.request(document, endpoint, report_id or "(made when the report is prepared)")
    if session.config.reporter.token_file is None:
        return request
    return replace(request, headers=(*request.headers, ("Authorization", f"Bearer {REDACTED}")))


def _future_id(session: Session, observation: Observation, kind: Kind) -> str | None:
    if kind is Kind.INITIAL:
        return wire.initial_id(observation.installation)
    if observation.ledger is None or session.store.ledgers.get(observation.installation) is None:
        return None
    installation, start = observation.installation, observation.ledger.window_start
    return wire.periodic_id(installation, start, session.store.reports.ordinal(installation, start))


def _obstacle(session: Session, consent: Consent, observation: Observation, kind: Kind) -> str:
    reason = consents.obstacle(consent, kind) or _own_reporter(observation, observation.engines)
    if reason or kind is Kind.PERIODIC:
        return reason
    if initial.accepted(session, observation.installation):
        return _SENT
    return initial.left_to_the_engine(observation)


def _own_reporter(known: Contact | Observation, engines: Sequence[str]) -> str:
    return consents.by_itself(engines) if known.own_reporter else ""


def _initial_first(session: Session, consent: Consent, known: Contact | Observation, kind: Kind) -> bool:
    """Whether a `send` tries the initial report before a periodic one; one that waits after a failure holds none up."""
    if kind is Kind.INITIAL or consents.obstacle(consent, Kind.INITIAL) or initial.left_to_the_engine(known):
        return False
    if known.own_reporter or initial.accepted(session, known.installation):
        return False
    waiting = initial.waiting(session, known.installation)
    return waiting is None or slots.again_at(session, waiting) <= session.clock.now()
