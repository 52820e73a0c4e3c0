"""The turn of one installation in a `send`: the initial report, then a pending one, then a new one."""

from __future__ import annotations

from collections.abc import Callable

from telemetry_core import consent as consents
from telemetry_core import due, log
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.courier import Courier
from telemetry_core.delivery import deliver
from telemetry_core.errors import AlreadySending, DeliveryFailed, NotPermitted, StoreError, TelemetryError
from telemetry_core.model import Contact, Kind, Report, ReportState, State, Trigger
from telemetry_core.reporting import failures, initial, preparing, slots
from telemetry_core.reporting.observing import Observation, observe
from telemetry_core.reporting.outcomes import Delivered, Planned, Request, Sending
from telemetry_core.reporting.session import Session


class Turn:
    """One turn; `result` gets what was delivered, and why there was nothing to do."""

    def __init__(
        self, session: Session, engine: Engine, request: Request, courier: Courier | None, *, result: Sending
    ) -> None:
        self._session = session
        self._engine = engine
        self._request = request
        self._courier = courier
        self._result = result
        self._seen: Observation | None = None
        self._unseen: TelemetryError | None = None
        self._tried: set[str] = set()
        self._why_idle = "nothing is due"

    @property
    def _steps(self) -> tuple[Callable[[], TelemetryError | None], ...]:
        return (self._begin, self._initial, self._pending, self._new, self._read)

    @property
    def entries(self) -> tuple[str, ...]:
        """The configured entries whose turn this is."""
        return tuple(engine.entry for engine in self._group)

    def take(self) -> list[TelemetryError]:
        """Do what is due; what one report fails at does not hold up the others.

        Returns:
            What went wrong.

        Raises:
            StoreError: The store cannot be used.
        """
        failed: list[TelemetryError] = []
        self._log_begin()
        for step in self._steps:
            error = self._guarded(step)
            if error is not None and error not in failed:
                failed.append(error)
                self._log_failure(error)
            if self._engine.entry in self._result.idle or (failed and step == self._begin):
                break
        if not failed and not self._tried:
            self._result.idle.setdefault(self._engine.entry, self._why_idle)
        return failed

    def plan(self) -> Planned:
        """What `take` would do."""
        entry = self._engine.entry
        if self._leave_out():
            return Planned(entry, (), self._result.idle[entry])
        if self._known is None or self._known.own_reporter:
            self._seen = observe(self._session, self._group, keep=False)
        if self._known is not None and self._known.own_reporter:
            return Planned(entry, (), consents.by_itself([entry]))
        kinds = []
        if not self._obstacle(Kind.INITIAL) and self._initial_is_due():
            kinds.append(Kind.INITIAL)
        if not self._request.initial and not self._obstacle(Kind.PERIODIC) and self._periodic_is_due():
            kinds.append(Kind.PERIODIC)
        return Planned(entry, tuple(kinds), "" if kinds else "nothing is due")

    def _guarded(self, step: Callable[[], TelemetryError | None]) -> TelemetryError | None:
        try:
            return step()
        except StoreError:
            raise
        except TelemetryError as error:
            if error.exit_status == TelemetryError.exit_status:
                raise
            return error

    def _log_begin(self) -> None:
        log.started(self.entries)
        reason = self._obstacle(Kind.PERIODIC)
        if reason:
            log.disabled(self.entries, reason)

    def _log_failure(self, error: TelemetryError) -> None:
        """What was tried to deliver has been logged attempt by attempt, and that nothing may leave before."""
        if not isinstance(error, DeliveryFailed | NotPermitted):
            log.failed(self.entries, error)

    @property
    def _group(self) -> tuple[Engine, ...]:
        return self._session.group(self._engine)

    @property
    def _consent(self) -> Consent:
        return self._session.consent_of(self._group)

    @property
    def _known(self) -> Observation | Contact | None:
        """What this turn has read of the engine, or else the last contact; None before the first."""
        return self._seen or self._session.store.contacts.get(self._engine.entry)

    @property
    def _installation(self) -> str | None:
        return None if self._known is None else self._known.installation

    def _obstacle(self, kind: Kind) -> str:
        return consents.obstacle(self._consent, kind)

    def _begin(self) -> TelemetryError | None:
        """Close what no longer fits; stay out where nothing may leave, loudly where it was asked for."""
        installation = self._installation
        if installation is not None:
            preparing.close_misfits(self._session, installation, self._consent)
        self._leave_out()
        return None

    def _leave_out(self) -> bool:
        consent = self._consent
        explicit = self._request.initial or self._request.force
        reason = self._obstacle(Kind.INITIAL if self._request.initial else Kind.PERIODIC)
        nowhere = consent.state is State.ENABLED and not consent.veto and consent.endpoint is None
        if reason and (explicit or nowhere):
            raise consents.refusal(consent, reason)
        if reason and self._obstacle(Kind.INITIAL):
            self._result.idle[self._engine.entry] = reason
            return True
        return False

    def _observe(self) -> Observation | None:
        """Read the engine once a turn; None where its own reporter is on, so that ours stays out.

        Raises:
            EngineError: It gives nothing; the same one again at the second call.
        """
        if self._unseen is not None:
            raise self._unseen
        if self._seen is None:
            group = self._group
            try:
                self._seen = observe(self._session, group, keep=True)
                if self._group != group:  # its installation is another entry's too: read them all, under one consent
                    self._seen = observe(self._session, self._group, keep=True)
            except TelemetryError as error:
                self._unseen = error
                raise
            self._result.read.update(self._seen.engines)
        if not self._seen.own_reporter:
            return self._seen
        reason = consents.by_itself([self._engine.entry])
        if self._request.force or self._request.initial:
            raise NotPermitted(
                reason, hint=f'Switch its reporter off, or set engines.{self._engine.entry}.own-reporter = "off".'
            )
        self._result.idle[self._engine.entry] = reason
        log.disabled(self.entries, reason)
        return None

    def _initial(self) -> TelemetryError | None:
        if self._obstacle(Kind.INITIAL) or not self._initial_is_due():
            return None
        seen = self._observe()
        consent = self._consent
        if seen is None or consents.obstacle(consent, Kind.INITIAL) or not self._initial_is_due():
            return None
        pending = self._session.store.reports.pending(seen.installation, Kind.INITIAL)
        if pending is not None and not (self._request.initial or self._request.force or self._is_due_again(pending)):
            return None  # another node has tried it since it was found due
        if pending is None and consent.endpoint is not None:
            built = preparing.build_initial(seen, consent.state)
            pending = preparing.open_initial(self._session, seen, built, consent.endpoint)
        return None if pending is None else self._deliver(pending)

    def _initial_is_due(self) -> bool:
        known, explicit, now = self._known, self._request.initial, self._session.clock.now()
        if known is not None and known.initial_sent:
            return False
        if self._installation is not None and initial.accepted(self._session, self._installation):
            return False
        if initial.left_to_the_engine(known):
            return explicit and self._request.force
        contact = self._session.store.contacts.get(self._engine.entry)
        if explicit or contact is None:
            return explicit or self._seen is None or self._consent.state is not State.NOT_CONFIGURED
        if self._request.force:  # without waiting after a failure
            return due.initial_due_at(self._consent.state, contact.first_at, now) <= now
        return initial.due_at(self._session, self._consent.state, contact) <= now

    def _pending(self) -> TelemetryError | None:
        installation = self._installation
        if self._request.initial or installation is None or self._obstacle(Kind.PERIODIC):
            return None
        pending = self._session.store.reports.pending(installation, Kind.PERIODIC)
        at_once = self._request.force or self._request.final
        if pending is None or not (at_once or self._is_due_again(pending)):
            return None
        has_its_own = self._known is not None and self._known.own_reporter
        if has_its_own and (self._request.gone or self._observe() is None):
            return None  # ours stays out, this report with it, until the engine's own reporter is off
        return self._deliver(pending)

    def _new(self) -> TelemetryError | None:
        if self._request.initial or self._obstacle(Kind.PERIODIC):
            return None
        before = self._installation
        if before is not None and not self._may_begin(before):
            return None
        seen = self._observe()
        if seen is not None and before not in (None, seen.installation):
            failure = self._initial()  # the engine shows another installation, which has an initial report of its own
            if failure is not None:
                return failure
        consent = self._consent
        if seen is None or consents.obstacle(consent, Kind.PERIODIC) or not self._may_begin(seen.installation):
            return None
        if seen.ledger is None or consent.endpoint is None:
            return None
        built = preparing.build_periodic(seen, consent)
        trigger = Trigger.FORCED if self._request.force else Trigger.DUE
        report = preparing.open_periodic(
            self._session, seen, built, consent.endpoint, trigger=trigger, only_in_slot=not self._request.force
        )
        return None if report is None else self._deliver(report)

    def _read(self) -> None:
        """A reading in between, so that the end of an engine loses little (DESIGN §4)."""
        installation = self._installation
        explicit = self._request.initial or self._request.force
        if explicit or installation is None or self._seen is not None or self._obstacle(Kind.PERIODIC):
            return
        ledger = self._session.store.ledgers.get(installation)
        now, sample_period = self._session.clock.now(), self._session.config.reporter.sample_period
        if ledger is not None and due.reading_is_due(ledger.base.read_at, now, sample_period):
            self._observe()
            self._why_idle += "; a reading was taken"

    def _periodic_is_due(self) -> bool:
        """For a plan: as `take` would find it, which withdraws first what no longer fits."""
        installation = self._installation or ""
        pending = self._session.store.reports.pending(installation, Kind.PERIODIC)
        if pending is not None and not consents.misfit(self._consent, pending):
            return self._request.force or self._is_due_again(pending)
        return self._request.force or slots.is_free(
            self._session, installation, self._session.clock.now(), leaving=pending
        )

    def _may_begin(self, installation: str) -> bool:
        if self._session.store.reports.pending(installation, Kind.PERIODIC) is not None:
            return False
        now = self._session.clock.now()
        return self._request.force or slots.is_free(self._session, installation, now)

    def _deliver(self, report: Report) -> TelemetryError | None:
        permit = consents.permit(self._consent, report.kind, report.installation)
        if self._courier is None:
            raise TelemetryError("A plan delivers nothing.")
        try:
            report, receipt = deliver(report, permit, self._courier)
        except AlreadySending as elsewhere:
            self._why_idle = elsewhere.message
            return None
        self._tried.add(report.id)
        self._result.delivered.append(Delivered(report, receipt))
        if report.kind is Kind.PERIODIC:
            self._seen = None  # its counts have left; what comes next is read anew
        if report.state is ReportState.WITHDRAWN and not (self._request.force or self._request.initial):
            return None  # decided so meanwhile: as if it had been decided before
        return failures.of_delivery(report, receipt)

    def _is_due_again(self, report: Report) -> bool:
        return slots.again_at(self._session, report) <= self._session.clock.now()
