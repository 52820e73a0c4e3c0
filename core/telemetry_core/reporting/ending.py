"""The turn of one installation at an end, of its engine or of the reporter: what is left, in little time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from telemetry_core import consent as consents
from telemetry_core import environment
from telemetry_core.config import Engine
from telemetry_core.errors import ConfigurationError, EngineError, TelemetryError
from telemetry_core.model import Contact, Counts, Kind, Snapshot, Trigger
from telemetry_core.payload import Usage
from telemetry_core.reporting import preparing, slots
from telemetry_core.reporting.observing import Observation, license_set_here
from telemetry_core.reporting.session import Session
from telemetry_core.reporting.turn import Turn

_OF_READING = frozenset({"GetTelemetryDataCmd", "MetricsQueryImpl", "IsTelemetryEnabledCmd"})
"""Commands that reading an engine causes in it (facts §10.3): alone they are no work worth a report."""


def in_a_hurry(session: Session, engines: tuple[Engine, ...]) -> Session:
    """The session with time limits that keep a final `send` within its deadline: half to read, half to send.

    Args:
        session: With the usual limits, which are kept where they are shorter.
        engines: Those that end; the time for reading is shared among all their sources.
    """
    reporter = session.config.reporter
    half = reporter.final_deadline // 2
    concerned = {one.entry for engine in engines for one in session.group(engine)}
    sources = [len(one.addresses) + bool(one.database) for one in session.config.engines if one.entry in concerned]
    each = max(half // max(sum(sources), 1), 1)
    config = replace(
        session.config,
        reporter=replace(reporter, deadline=min(reporter.deadline, half)),
        engines=tuple(replace(one, timeout=min(one.timeout, each)) for one in session.config.engines),
    )
    return replace(session, config=config)


class Ending(Turn):
    """A last look at the engine, then a pending report, then one of all that was counted.

    The initial report is not begun any more, as by the engine (facts §2.4). Where nothing was counted since the last
    report, and that was this slot's, none is made; what the engine itself sent then were zeros.
    """

    @property
    def _steps(self) -> tuple[Callable[[], TelemetryError | None], ...]:
        return (self._begin, self._look, self._pending, self._final)

    def _look(self) -> TelemetryError | None:
        """Read the engine before it is gone, for what is sent now or after the next start."""
        self._last: Observation | None = None
        self._answered = False
        contact = self._session.store.contacts.get(self._engine.entry)
        if contact is None or self._obstacle(Kind.PERIODIC):
            return None
        reason, failure = "the engine is gone", None
        if not self._request.gone:
            try:
                self._last = self._observe()
            except (EngineError, ConfigurationError) as error:
                reason, failure = error.message, error
            else:
                self._answered = True
        if not self._answered and not contact.own_reporter:
            self._last = _remembered(self._session, self._group, contact, reason=reason)
        return failure

    def _final(self) -> TelemetryError | None:
        consent = self._consent
        self._why_idle = consents.obstacle(consent, Kind.PERIODIC) or "nothing was counted since the last report"
        if self._last is None or consents.obstacle(consent, Kind.PERIODIC) or consent.endpoint is None:
            return None
        seen = _as_kept(self._session, self._last)
        if seen is None or not self._has_something_to_say(seen):
            return None
        built = preparing.build_periodic(seen, consent)
        report = preparing.open_periodic(
            self._session, seen, built, consent.endpoint, trigger=Trigger.FINAL, only_in_slot=False
        )
        return None if report is None else self._deliver(report)

    def _has_something_to_say(self, seen: Observation) -> bool:
        counts = seen.usage.counts
        commands = {name: count for name, count in (counts.commands or {}).items() if name not in _OF_READING}
        if any((counts.metrics or {}).values()) or any(commands.values()):
            return True
        now = self._session.clock.now()
        return self._answered and slots.is_free(self._session, seen.installation, now)


def _remembered(session: Session, group: tuple[Engine, ...], contact: Contact, *, reason: str) -> Observation | None:
    """What is known of an engine that gives no answer: what it is, from the last contact, and what was counted."""
    ledger = session.store.ledgers.get(contact.installation)
    if ledger is None:
        return None
    said = Snapshot(
        contact.engine,
        "the last contact",
        contact.at,
        installation=contact.installation,
        product=contact.product,
        problems={point.name: reason for point in environment.POINTS},
    )
    return Observation(
        engines=tuple(engine.entry for engine in group),
        installation=contact.installation,
        product=contact.product,
        environment=environment.gather([said, *license_set_here(session, contact.installation)]),
        usage=Usage(ledger.accumulated, ledger.window_start, {"metrics": reason, "commands": reason}),
        ledger=ledger,
        read_at=contact.at,
        own_reporter=False,
        initial_sent=contact.initial_sent,
    )


def _as_kept(session: Session, seen: Observation) -> Observation | None:
    """An observation with the ledger of now: a pending report may have left since the engine was read."""
    ledger = session.store.ledgers.get(seen.installation)
    if ledger is None:
        return None
    known, all_ = seen.usage.counts, ledger.accumulated
    counts = Counts(
        metrics=None if known.metrics is None else all_.metrics,
        commands=None if known.commands is None else all_.commands,
    )
    return replace(seen, ledger=ledger, usage=replace(seen.usage, counts=counts, window_start=ledger.window_start))
