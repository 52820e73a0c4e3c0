"""What cron runs: each engine's due reports, the initial one first, then a pending one, then a new one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from telemetry_core import consent as consents
from telemetry_core import due
from telemetry_core.config import Engine
from telemetry_core.delivery import Courier, deliver, withdraw
from telemetry_core.errors import DeliveryFailed, NotPermitted, TelemetryError
from telemetry_core.model import Kind, Outcome, Receipt, Report, ReportState, State, Trigger
from telemetry_core.reporting import preparing
from telemetry_core.reporting.observing import Observation, observe
from telemetry_core.reporting.session import Session

_FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Request:
    """What `send` was asked for: `initial` only the initial report, `force` without regard to slot and backoff."""

    initial: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Delivered:
    """A report that was tried, and what came of it."""

    report: Report
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Failed:
    """An engine whose turn failed; `repeated` where the same was said within the period already."""

    engine: str
    error: TelemetryError
    repeated: bool = False


@dataclass(slots=True)
class Sending:
    """The result of a `send`; `idle` says for an engine why there was nothing to do."""

    delivered: list[Delivered] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    idle: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """What a `send` would do for an engine: reports of these kinds, or nothing and why."""

    engine: str
    kinds: tuple[Kind, ...]
    reason: str = ""


def send(session: Session, engines: tuple[Engine, ...], request: Request) -> Sending:
    """Send what is due for some engines.

    Raises:
        AlreadySending: Another process does; nothing was done.
        StoreError: The store cannot be used.
    """
    result = Sending()
    with session.store.sending():
        courier = Courier(
            session.store, session.clock, session.config.reporter, lambda report: _misfit(session, report)
        )
        for engine in engines:
            turn = _Turn(session, engine, request, courier, result)
            try:
                turn.take()
            except TelemetryError as error:
                if error.exit_status in (1, 8):
                    raise
                result.failed.append(Failed(engine.entry, error))
    _remember_failures(session, engines, result)
    return result


def plan(session: Session, engines: tuple[Engine, ...], request: Request) -> list[Planned]:
    """What a `send` of now would do; an engine is read where it was never contacted, and nothing is written.

    Raises:
        NotPermitted: An explicit request meets an obstacle.
        EngineError: An engine that was never contacted does not answer.
    """
    courier = Courier(session.store, session.clock, session.config.reporter, lambda _: "")
    return [_Turn(session, engine, request, courier, Sending()).plan() for engine in engines]


class _Turn:
    """One engine's turn in a `send`."""

    def __init__(self, session: Session, engine: Engine, request: Request, courier: Courier, result: Sending) -> None:
        self._session = session
        self._engine = engine
        self._request = request
        self._courier = courier
        self._result = result
        self._consent = session.consent(engine.entry)
        self._seen: Observation | None = None

    def take(self) -> None:
        """Do what is due; a report that could not be delivered is kept, and the turn goes on.

        Raises:
            NotPermitted: An explicit request meets an obstacle.
            EngineError: A report is due and the engine gives nothing to make it from.
        """
        self._close_what_no_longer_fits()
        if self._leave_out():
            return
        failures = [failure for failure in (self._initial(), self._pending(), self._new()) if failure is not None]
        if failures:
            raise failures[0]
        if not any(self._engine.entry in delivered.report.engines for delivered in self._result.delivered):
            self._result.idle.setdefault(self._engine.entry, "nothing is due")

    def plan(self) -> Planned:
        """What `take` would do."""
        if self._leave_out():
            return Planned(self._engine.entry, (), self._result.idle[self._engine.entry])
        if self._installation is None:
            self._seen = observe(self._session, self._engine, self._consent, keep=False)
        contact = self._session.store.contacts.get(self._engine.entry)
        own_reporter = self._seen.own_reporter if contact is None and self._seen else contact and contact.own_reporter
        if own_reporter:
            return Planned(self._engine.entry, (), f"Engine {self._engine.entry} reports by itself.")
        kinds = []
        if not self._obstacle(Kind.INITIAL) and self._initial_is_due():
            kinds.append(Kind.INITIAL)
        if not self._request.initial and not self._obstacle(Kind.PERIODIC) and self._periodic_is_due():
            kinds.append(Kind.PERIODIC)
        return Planned(self._engine.entry, tuple(kinds), "" if kinds else "nothing is due")

    def _periodic_is_due(self) -> bool:
        installation = self._installation or ""
        pending = self._session.store.reports.pending(installation, Kind.PERIODIC)
        if pending is not None:
            return self._request.force or self._is_due_again(pending)
        return self._may_begin(installation)

    def _obstacle(self, kind: Kind) -> str:
        return consents.obstacle(self._consent, kind)

    def _leave_out(self) -> bool:
        wanted = Kind.INITIAL if self._request.initial else Kind.PERIODIC
        reason = self._obstacle(wanted)
        if reason and (self._request.initial or self._request.force):
            raise consents.refusal(self._consent, reason)
        if reason and self._obstacle(Kind.INITIAL):
            self._result.idle[self._engine.entry] = reason
            return True
        return False

    @property
    def _installation(self) -> str | None:
        if self._seen is not None:
            return self._seen.installation
        contact = self._session.store.contacts.get(self._engine.entry)
        return None if contact is None else contact.installation

    def _observe(self) -> Observation | None:
        """Read the engine once a turn; None where its own reporter is on, so that ours stays out."""
        if self._seen is None:
            self._seen = observe(self._session, self._engine, self._consent, keep=True)
        if not self._seen.own_reporter:
            return self._seen
        reason = f"Engine {self._engine.entry} reports by itself."
        if self._request.force:
            raise NotPermitted(
                reason, hint=f'Switch its reporter off, or set engines.{self._engine.entry}.own-reporter = "off".'
            )
        self._result.idle[self._engine.entry] = reason
        return None

    def _initial(self) -> TelemetryError | None:
        if self._obstacle(Kind.INITIAL) or not self._initial_is_due():
            return None
        seen = self._observe()
        if seen is None or not self._initial_is_due() or self._consent.endpoint is None:
            return None
        pending = self._session.store.reports.pending(seen.installation, Kind.INITIAL)
        if pending is None:
            built = preparing.build_initial(seen, self._consent.state)
            pending = preparing.open_initial(self._session, seen, built, self._consent.endpoint)
        return None if pending is None else self._deliver(pending)

    def _initial_is_due(self) -> bool:
        contact = self._session.store.contacts.get(self._engine.entry)
        if contact is None:
            return self._request.initial or self._consent.state is not State.NOT_CONFIGURED or self._seen is None
        now = self._session.clock.now()
        sent = self._session.store.reports.of(contact.installation, Kind.INITIAL)
        if sent and sent[0].state is ReportState.ACCEPTED:
            return False
        explicit = self._request.initial
        if sent and sent[0].state in (ReportState.PENDING, ReportState.REFUSED) and not self._request.force:
            return explicit or self._is_due_again(sent[0])
        return explicit or due.initial_due_at(self._consent.state, contact.first_at, now) <= now

    def _pending(self) -> TelemetryError | None:
        installation = self._installation
        if self._request.initial or installation is None or self._obstacle(Kind.PERIODIC):
            return None
        pending = self._session.store.reports.pending(installation, Kind.PERIODIC)
        if pending is None:
            return None
        if not self._request.force and not self._is_due_again(pending):
            return None
        return self._deliver(pending)

    def _new(self) -> TelemetryError | None:
        if self._request.initial or self._obstacle(Kind.PERIODIC) or self._consent.endpoint is None:
            return None
        if self._installation is not None and not self._may_begin(self._installation):
            return None
        seen = self._observe()
        if seen is None or seen.ledger is None or not self._may_begin(seen.installation):
            return None
        built = preparing.build_periodic(seen, self._consent)
        trigger = Trigger.FORCED if self._request.force else Trigger.DUE
        report = preparing.open_periodic(
            self._session, seen, built, self._consent.endpoint, trigger=trigger, only_in_slot=not self._request.force
        )
        return None if report is None else self._deliver(report)

    def _may_begin(self, installation: str) -> bool:
        if self._session.store.reports.pending(installation, Kind.PERIODIC) is not None:
            return False
        now = self._session.clock.now()
        return self._request.force or preparing.slot_is_free(self._session, installation, now)

    def _deliver(self, report: Report) -> TelemetryError | None:
        permit = consents.permit(self._consent, report.kind, report.installation)
        report, receipt = deliver(report, permit, self._courier)
        self._result.delivered.append(Delivered(report, receipt))
        return _failure(report, receipt)

    def _is_due_again(self, report: Report) -> bool:
        """Whether a report's wait is over; a wait of more than a period was noted by a clock that went wrong."""
        now = self._session.clock.now()
        return not now < report.next_attempt_at <= now + self._session.config.reporter.period

    def _close_what_no_longer_fits(self) -> None:
        installation = self._installation
        for kind in Kind if installation is not None else ():
            pending = self._session.store.reports.pending(installation or "", kind)
            if pending is not None and consents.misfit(self._consent, pending):
                withdraw(pending, self._session.store)


def _misfit(session: Session, report: Report) -> str:
    reasons = (consents.misfit(session.consent(entry), report) for entry in report.engines)
    return next((reason for reason in reasons if reason), "")


def _failure(report: Report, receipt: Receipt) -> TelemetryError | None:
    if report.state is ReportState.ACCEPTED:
        return None
    what = f"The {report.kind} report of {', '.join(report.engines)}"
    if report.state is ReportState.CONFLICT:
        return DeliveryFailed(
            f"{what} met another one: the receiver has this window with other bytes ({receipt.detail}).",
            hint=f"Its counts are not known to have arrived. `telemetry history {report.id}` shows it.",
        )
    if report.state is ReportState.WITHDRAWN:
        return NotPermitted(f"{what} was withdrawn: {receipt.detail}")
    verb = "was refused" if receipt.outcome is Outcome.REFUSED else "was not delivered"
    return DeliveryFailed(
        f"{what} {verb} by {report.endpoint}: {receipt.detail}.",
        hint=f"It is kept and sent again. `telemetry history {report.id}` shows every attempt.",
    )


def _remember_failures(session: Session, engines: tuple[Engine, ...], result: Sending) -> None:
    """Mark what was said within the period already, so that cron mails it once."""
    now, period = session.clock.now(), session.config.reporter.period
    failed = {failure.engine: failure for failure in result.failed}
    for engine in engines:
        failure = failed.get(engine.entry)
        kept = session.store.properties.get(engine.entry, _FAILURE)
        if failure is None:
            if kept is not None:
                session.store.properties.remove(engine.entry, _FAILURE)
            continue
        said = json.loads(kept) if kept is not None else {}
        same = said.get("message") == failure.error.message and 0 <= now - said.get("at", 0) < period
        if same:
            result.failed[result.failed.index(failure)] = Failed(engine.entry, failure.error, repeated=True)
        else:
            text = json.dumps({"message": failure.error.message, "at": now})
            session.store.properties.put(engine.entry, _FAILURE, text)
