"""When reports may leave: slots of an installation since its first periodic report, and the wait after a failure."""

from __future__ import annotations

from telemetry_core import due
from telemetry_core.model import Millis, Report
from telemetry_core.reporting.session import Session

_PHASE = "phase"


def current(session: Session, installation: str, now: Millis) -> Millis | None:
    """The slot of now, None before the first periodic report; a phase that does not read is as none."""
    text = session.store.properties.get(installation, _PHASE)
    return None if text is None else due.slot(now, int(text), session.config.reporter.period)


def is_free(session: Session, installation: str, now: Millis, *, leaving: Report | None = None) -> bool:
    """Whether a periodic report is due; `leaving` is one that leaves its slot."""
    slot = current(session, installation, now)
    return slot is None or not _is_taken(session, installation, slot, leaving)


def next_free(session: Session, installation: str, now: Millis, *, leaving: Report | None = None) -> Millis | None:
    """When the next periodic report may begin: the slot of now where it is free, else the one after it.

    None before the first periodic report, which may begin at once. `leaving` is one that leaves its slot.
    """
    slot = current(session, installation, now)
    if slot is None or not _is_taken(session, installation, slot, leaving):
        return slot
    return slot + session.config.reporter.period


def again_at(session: Session, report: Report) -> Millis:
    """The end of a report's wait; one of more than a period was noted by a clock that went wrong, and is over."""
    now = session.clock.now()
    return report.next_attempt_at if report.next_attempt_at <= now + session.config.reporter.period else now


def current_or_first(session: Session, installation: str, now: Millis) -> Millis:
    """The slot of now; the first periodic report decides from when slots are counted."""
    slot = current(session, installation, now)
    if slot is None:
        slot = due.phase(now, session.config.reporter.period)
        session.store.properties.put(installation, _PHASE, str(slot))
    return slot


def _is_taken(session: Session, installation: str, slot: Millis, leaving: Report | None) -> bool:
    return session.store.reports.slot_taken(installation, slot, besides="" if leaving is None else leaving.id)
