"""Whether reports arrive, in the levels of monitoring: what is late, fails, waits or ends, and since when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from telemetry_core import license as licenses
from telemetry_core.config import Engine
from telemetry_core.model import HOUR, MINUTE, Kind, Millis, State
from telemetry_core.reporting import failures
from telemetry_core.reporting.overview import Status, status
from telemetry_core.reporting.session import Session

FAILING_WARNING: Millis = 24 * HOUR
FAILING_CRITICAL: Millis = 48 * HOUR
"""How long a reporter may fail, or a report wait, until it is so."""


class Level(IntEnum):
    """The levels of monitoring plug-ins, which are their exit statuses too."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """From which age of the last accepted report on it is late, and very late."""

    warning: Millis
    critical: Millis


@dataclass(frozen=True, slots=True)
class Health:
    """How one engine's entry is.

    Attributes:
        expected: Whether periodic reports are expected of it.
        reason: Why it has its level, as a part of a sentence.
        last_accepted_at: When a periodic report was accepted last; None before the first.
        age: How long ago that was, or telemetry was enabled before the first; None where none is expected.
        limits: Of the age.
        failures: Runs in a row that failed.
        failing: For how long it has failed, or a report has waited; 0 where neither is so.
        pending: Reports that wait.
        license_days: Days until the end of the licence that is set here, negative after it; None without.
    """

    engine: str
    level: Level
    reason: str
    expected: bool
    last_accepted_at: Millis | None
    age: Millis | None
    limits: Limits
    failures: int
    failing: Millis
    pending: int
    license_days: int | None


def health(session: Session, engine: Engine) -> Health:
    """How an engine's entry is, from configuration and store alone; nothing is expected of what is not permitted.

    Raises:
        StoreError: The store cannot be read.
    """
    known, now, group = status(session, engine), session.clock.now(), session.group(engine)
    rows = [row for one in group if (row := failures.in_a_row(session, one.entry)) is not None]
    installation = session.installation(engine) or ""
    pending = [session.store.reports.pending(installation, kind) for kind in Kind]
    waiting = [report.created_at for report in pending if report is not None]
    kept = session.store.licenses.get(installation)
    enabled_at = _enabled_at(session, group, known)
    begun = [row.since for row in rows] + [max(created_at, enabled_at or 0) for created_at in waiting]
    period = session.config.reporter.period
    found = Health(
        engine=engine.entry,
        level=Level.OK,
        reason="",
        expected=enabled_at is not None,
        last_accepted_at=known.last_accepted_at,
        age=None if enabled_at is None else max(now - max(enabled_at, known.last_accepted_at or 0), 0),
        limits=Limits(2 * period, period + max(FAILING_CRITICAL, 2 * period)),
        failures=max((row.count for row in rows), default=0),
        failing=max(now - min(begun, default=now), 0),
        pending=len(waiting),
        license_days=None if kept is None else licenses.days_left(kept.license, now),
    )
    return _judged(found, known, lost=session.store.lost_at is not None)


def _enabled_at(session: Session, group: tuple[Engine, ...], known: Status) -> Millis | None:
    """Since when periodic reports are expected; an endpoint that is missing, or is another one, keeps none from it."""
    consents = [session.consent(one.entry) for one in group]
    by_itself = known.contact is not None and known.contact.own_reporter
    if by_itself or any(one.veto or one.state is not State.ENABLED for one in consents):
        return None
    return max(one.decision.decided_at for one in consents if one.decision is not None)


def _judged(found: Health, known: Status, *, lost: bool) -> Health:
    if not found.expected:
        if lost and known.consent.decision is None:
            return replace(found, level=Level.WARNING, reason="the store was lost, and nothing was decided since")
        return replace(found, reason=f"no report is expected: {known.obstacle.rstrip('.')}")
    problems = [(level, text) for level, text in _problems(found, known) if level is not Level.OK]
    if problems:
        return replace(found, level=max(problems)[0], reason="; ".join(text for _, text in problems))
    last = "no report yet" if found.last_accepted_at is None else f"last report {_length(found.age or 0)} ago"
    return replace(found, reason=f"{last}, failing for {_length(found.failing)}" if found.failures else last)


def _problems(found: Health, known: Status) -> Iterator[tuple[Level, str]]:
    failing = _level(found.failing, Limits(FAILING_WARNING, FAILING_CRITICAL))
    what = f"failing ({found.failures} runs in a row)" if found.failures else "a report waits"
    why = f": {known.trouble.rstrip('.')}" if known.trouble else ""
    yield failing, f"{what} for {_length(found.failing)}{why}"
    age = _level(found.age or 0, found.limits)
    why = f": {known.obstacle.rstrip('.')}" if known.obstacle else ""
    yield age, f"no report accepted for {_length(found.age or 0)}{why}"
    yield Level.WARNING if known.license_warning else Level.OK, known.license_warning.rstrip(".")


def _level(length: Millis, limits: Limits) -> Level:
    if length >= limits.critical:
        return Level.CRITICAL
    return Level.WARNING if length >= limits.warning else Level.OK


def _length(length: Millis) -> str:
    minutes = length // MINUTE
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
