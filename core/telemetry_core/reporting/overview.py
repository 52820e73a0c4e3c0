"""What is known without asking anybody: the state of each engine's entry, from configuration and store alone."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core import consent as consents
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.model import Contact, Kind, Millis, Outcome, Report, ReportState, State
from telemetry_core.reporting import copies, failures, initial, slots
from telemetry_core.reporting.session import FIELDS, Session


@dataclass(frozen=True, slots=True)
class Status:
    """One engine's entry.

    Attributes:
        at: When it was so.
        obstacle: Why no periodic report may leave, as a sentence; empty where one may.
        due_at: When the next periodic report is due, now or earlier where it is due; None where none may leave.
        initial: Whether the initial report was accepted, and when it is due otherwise (None: never, or not known yet).
        pending: A report that waits, the periodic one rather than the initial one.
        misfit: Why that is withdrawn by the next `send`, as a sentence; empty where it is not.
        last: The last report that was closed, whatever became of it.
        first_run: What `initialize-telemetry` will decide at the first run; None where it decides nothing any more.
        trouble: What keeps reports from arriving, as a sentence; empty where nothing is known to.
        trouble_at: Since when, or when it was said last.
        license_warning: That the licence set here ends soon or has ended, as a sentence; empty where it does not.
        new_fields: What nobody has agreed to yet, because it came with a later release than the consent.
        copies: That entries with this installation name several databases, as a sentence; empty where they do not.
    """

    engine: str
    at: Millis
    consent: Consent
    contact: Contact | None
    obstacle: str
    due_at: Millis | None
    initial_sent_at: Millis | None
    initial_due_at: Millis | None
    initial_obstacle: str
    last_accepted_at: Millis | None
    pending: Report | None
    misfit: str
    last: Report | None
    first_run: State | None
    trouble: str
    trouble_at: Millis | None
    license_warning: str
    new_fields: tuple[str, ...]
    copies: str


def status(session: Session, engine: Engine) -> Status:
    """The state of an engine's entry; opens no connection (DESIGN §1, promise 2)."""
    consent = session.recorded_consent(engine.entry)
    planned = session.first_run_decision(engine.entry)
    contact = session.store.contacts.get(engine.entry)
    shared = session.consent_of(session.group(engine))
    stays_out = consents.by_itself([engine.entry]) if contact is not None and contact.own_reporter else ""
    obstacle = consents.obstacle(shared, Kind.PERIODIC) or stays_out
    reports = _reports(session, contact)
    periodic = [report for report in reports if report.kind is Kind.PERIODIC]
    pending = [report for report in (*periodic, *reports) if report.state is ReportState.PENDING]
    accepted = [report.accepted_at for report in periodic if report.accepted_at is not None]
    closed = [report for report in periodic if report.state is not ReportState.PENDING]
    sent = None if contact is None else initial.accepted(session, contact.installation)
    sent_at = None if sent is None else sent.accepted_at
    trouble, trouble_at = _trouble(session, engine.entry, pending, closed)
    initial_obstacle = initial.left_to_the_engine(contact) or consents.obstacle(shared, Kind.INITIAL) or stays_out
    return Status(
        engine=engine.entry,
        at=session.clock.now(),
        consent=consent,
        contact=contact,
        obstacle=obstacle,
        due_at=None if obstacle else _due_at(session, shared, contact, pending),
        initial_sent_at=sent_at,
        initial_due_at=None if initial_obstacle or sent_at is not None else _initial_due_at(session, shared, contact),
        initial_obstacle=initial_obstacle,
        last_accepted_at=max(accepted, default=None),
        pending=pending[0] if pending else None,
        misfit=consents.misfit(shared, pending[0]) if pending else "",
        last=closed[0] if closed else None,
        first_run=None if planned is None else planned.state,
        trouble=trouble,
        trouble_at=trouble_at,
        license_warning=_license_warning(session, engine),
        new_fields=consents.not_agreed(consent, FIELDS),
        copies=copies.named(session.group(engine)),
    )


def _trouble(session: Session, entry: str, pending: list[Report], closed: list[Report]) -> tuple[str, Millis | None]:
    for report in pending:
        attempts = session.store.reports.attempts(report.id)
        if attempts and attempts[-1].outcome is Outcome.REFUSED:
            return (
                f"A report was refused and may have arrived: telemetry history {report.id} --resolve",
                report.created_at,
            )
        if attempts:
            detail = attempts[-1].detail or "the process ended before it knew"
            return (
                f"The {report.kind} report is not delivered after {len(attempts)} attempts: {detail}",
                report.created_at,
            )
    if closed and closed[0].state is ReportState.CONFLICT:
        return "The receiver had the last window with other bytes: its counts are not known to have arrived.", None
    said = failures.last(session, entry)
    return ("", None) if said is None else said


def _license_warning(session: Session, engine: Engine) -> str:
    installation = session.installation(engine)
    kept = None if installation is None else session.store.licenses.get(installation)
    if kept is None:
        return ""
    from telemetry_core import license as licenses  # what reads licences takes its time to load

    return licenses.warning(kept.license, session.clock.now())


def _reports(session: Session, contact: Contact | None) -> list[Report]:
    if contact is None:
        return []
    of = session.store.reports.of
    return [*of(contact.installation, Kind.PERIODIC), *of(contact.installation, Kind.INITIAL)]


def _due_at(session: Session, consent: Consent, contact: Contact | None, pending: list[Report]) -> Millis:
    now = session.clock.now()
    waiting = next((report for report in pending if report.kind is Kind.PERIODIC), None)
    if waiting is not None and not consents.misfit(consent, waiting):
        return max(waiting.next_attempt_at, waiting.created_at)
    begins_at = None if contact is None else slots.next_free(session, contact.installation, now, leaving=waiting)
    return now if begins_at is None else begins_at


def _initial_due_at(session: Session, consent: Consent, contact: Contact | None) -> Millis | None:
    if contact is None:
        return None
    return initial.due_at(session, consent.state, contact)
