"""The slots of an installation: which one is now, since its first periodic report, and whether it has its report."""

from __future__ import annotations

from telemetry_core import due
from telemetry_core.model import Millis
from telemetry_core.reporting.session import Session

_PHASE = "phase"


def current(session: Session, installation: str, now: Millis) -> Millis | None:
    """The slot of now, None before the first periodic report; a phase that does not read is as none."""
    text = session.store.properties.get(installation, _PHASE)
    return None if text is None else due.slot(now, int(text), session.config.reporter.period)


def is_free(session: Session, installation: str, now: Millis, *, besides: str = "") -> bool:
    """Whether a periodic report is due; `besides` is the id of one that leaves its slot."""
    slot = current(session, installation, now)
    return slot is None or not session.store.reports.slot_taken(installation, slot, besides=besides)


def next_free(session: Session, installation: str, now: Millis, *, besides: str = "") -> Millis | None:
    """When the next periodic report may begin: the slot of now where it is free, else the one after it.

    None before the first periodic report, which may begin at once. `besides` is the id of one that leaves its slot.
    """
    slot = current(session, installation, now)
    if slot is None or not session.store.reports.slot_taken(installation, slot, besides=besides):
        return slot
    return slot + session.config.reporter.period


def current_or_first(session: Session, installation: str, now: Millis) -> Millis:
    """The slot of now; the first periodic report decides from when slots are counted."""
    slot = current(session, installation, now)
    if slot is None:
        slot = due.phase(now, session.config.reporter.period)
        session.store.properties.put(installation, _PHASE, str(slot))
    return slot
