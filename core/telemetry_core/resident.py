"""The reporter that stays, as the engine's own thread did: looks what is due, sleeps until then, has a last word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeAlias

from telemetry_core import due, reporting
from telemetry_core.config import Config, Engine
from telemetry_core.errors import AlreadySending, EngineUnreachable
from telemetry_core.model import HOUR, MINUTE, Clock, Millis, State
from telemetry_core.reporting import Request, Sending, Session

LOOK: Millis = 5 * MINUTE
"""At least so often the store is looked into: for what was decided, sent or kept elsewhere, and for who is back."""

GONE_AFTER = 2
"""So many checks in a row without an answer, and an engine has gone; one alone may be its restart."""

Sessions: TypeAlias = Callable[[], AbstractContextManager[Session]]
OnSent: TypeAlias = Callable[[Sending], None]
OnFailure: TypeAlias = Callable[[Exception], None]


class Resident:
    """What a resident reporter knows between two looks: since when it runs, whom it has checked, and who has gone.

    A *look* is at the store alone. An engine is *checked*, by a plain `send`, some minutes after the start, then at
    least once a period, and whenever its next report, attempt or reading is due (facts §2.2; user guide, Design).

    Args:
        sessions: Opens the store, with the configuration that holds; at each look anew.
        clock: For waits, by its monotonic part.
        engines: Names or globs of entries; all without any.
        sent: Told what each check came to.
        failed: Told of what kept a look from happening, once a period.
    """

    def __init__(
        self, sessions: Sessions, clock: Clock, engines: Sequence[str] = (), *, sent: OnSent, failed: OnFailure
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._patterns = tuple(engines)
        self._sent = sent
        self._failed = failed
        self._started_at = clock.monotonic()
        self._checked: dict[str, float] = {}
        self._unanswered: dict[str, int] = {}
        self._gone: set[str] = set()
        self._said: dict[str, float] = {}
        self._period, self._pause = 24 * HOUR / 1000, LOOK / 1000
        self.limit = 0.0
        """Seconds that a look takes at most, by all its time limits together."""

    def look(self) -> float:
        """Do what is due; seconds until the next look. Whatever fails is told and ends nothing."""
        try:
            # a `send` of cron does what we would
            with suppress(AlreadySending), self._sessions() as session:
                engines = self._engines(session)
                reporter = session.config.reporter
                self._period, self.limit = reporter.period / 1000, _limit(session.config)
                self._pause = min(LOOK, reporter.period, reporter.sample_period) / 1000
                due_now = tuple(engine for engine in engines if self._is_due(session, engine))
                if due_now:
                    self._check(session, due_now)
                return self._until_next(session, engines)
        except Exception as error:  # noqa: BLE001  # no failure ends it
            self._tell(error)
        return self._pause

    def finish(self) -> None:
        """One final report of each engine, within `final-deadline`; whatever fails is told.

        One that has gone is asked too, since it may be back; where it is not, nothing is left to report.
        """
        try:
            with suppress(AlreadySending), self._sessions() as session:
                self._send(session, self._engines(session), Request(final=True))
        except Exception as error:  # noqa: BLE001  # as above
            self._tell(error)

    def report_now(self) -> Sending:
        """Report without regard to slot and backoff.

        Raises:
            TelemetryError: Nothing could be tried; what was tried and failed is in the result.
        """
        with self._sessions() as session:
            return reporting.send(session, self._engines(session), Request(force=True))

    def _engines(self, session: Session) -> tuple[Engine, ...]:
        return session.engines(self._patterns)

    def _is_due(self, session: Session, engine: Engine) -> bool:
        if self._ready_in(session, engine) > 0:
            return False
        checked_at = self._checked.get(engine.entry)
        if checked_at is None or self._clock.monotonic() - checked_at >= self._period:
            return True
        moment = reporting.next_at(session, engine)
        return moment is not None and moment <= session.clock.now()

    def _ready_in(self, session: Session, engine: Engine) -> float:
        """Seconds until an engine may be checked: 5 minutes after the start once decided, 3 hours otherwise.

        A first contact sends nothing, and the undecided one's 3 hours begin with it: it is made at once.
        """
        if session.consent(engine.entry).state is not State.NOT_CONFIGURED:
            delay = session.config.reporter.initial_delay
        elif session.store.contacts.get(engine.entry) is None:
            delay = 0
        else:
            delay = due.UNDECIDED_DELAY
        return self._started_at + delay / 1000 - self._clock.monotonic()

    def _check(self, session: Session, engines: tuple[Engine, ...]) -> None:
        result = self._send(session, engines, Request())
        self._checked |= {engine.entry: self._clock.monotonic() for engine in engines}
        self._notice(result)
        lost = {entry for entry, times in self._unanswered.items() if times >= GONE_AFTER} - self._gone
        parting = tuple(engine for engine in engines if engine.entry in lost)
        if parting:
            self._send(session, parting, Request(final=True, gone=True))
            self._gone |= {engine.entry for engine in parting}

    def _send(self, session: Session, engines: tuple[Engine, ...], request: Request) -> Sending:
        result = reporting.send(session, engines, request)
        result.failed[:] = [replace(one, repeated=one.repeated or self._is_known(one)) for one in result.failed]
        with suppress(Exception):  # whoever is told fails for himself
            self._sent(result)
        return result

    def _is_known(self, failed: reporting.Failed) -> bool:
        """Whether it is of an engine that was said to be out of reach before it had its final report."""
        return failed.engine in self._gone and isinstance(failed.error, EngineUnreachable)

    def _notice(self, result: Sending) -> None:
        """Who answered, and who did not."""
        self._gone -= result.read
        for entry in result.read:
            self._unanswered.pop(entry, None)
        for one in result.failed:
            if isinstance(one.error, EngineUnreachable):
                self._unanswered[one.engine] = self._unanswered.get(one.engine, 0) + 1

    def _until_next(self, session: Session, engines: tuple[Engine, ...]) -> float:
        """Seconds until something may be due; what should be by now and could not be done has a whole pause."""
        waits, now = [self._pause], session.clock.now()
        for engine in engines:
            ready_in = self._ready_in(session, engine)
            moment = reporting.next_at(session, engine) if ready_in <= 0 else None
            waits.append(ready_in if moment is None else (moment - now) / 1000)
        return min(wait for wait in waits if wait > 0)

    def _tell(self, error: Exception) -> None:
        """Once a period for the same failure."""
        now, text = self._clock.monotonic(), f"{type(error).__name__}: {error}"
        self._said = {said: at for said, at in self._said.items() if now - at < self._period}
        if text not in self._said:
            self._said[text] = now
            with suppress(Exception):
                self._failed(error)


class TelemetryReporter:
    """A resident reporter in a daemon thread. Use it as a context manager, or `start` and `stop` it.

    Args:
        sessions: Opens the store, with the configuration that holds; at each look anew, in the reporter's thread.
        clock: Time and chance.
        engines: Names or globs of entries; all without any.
        sent: Told, in the reporter's thread, what each check came to.
        failed: Told, in the reporter's thread, of what kept a look from happening, once a period.
    """

    def __init__(
        self,
        sessions: Sessions,
        clock: Clock,
        engines: Sequence[str] = (),
        *,
        sent: OnSent = lambda _: None,
        failed: OnFailure = lambda _: None,
    ) -> None:
        self._resident = Resident(sessions, clock, engines, sent=sent, failed=failed)
        self._clock = clock
        self._thread = threading.Thread(target=self._run, name="telemetry-reporter", daemon=True)
        self._woken = threading.Event()
        self._ending = False
        self._alone = threading.Lock()
        self._busy_since: float | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin. A reporter that was stopped is not started again: make another one.

        Raises:
            RuntimeError: It was started already.
        """
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End after one final report; whether it came to an end within `timeout` seconds.

        What is not over by then is given up with the process, and sent after the next start.
        """
        self._ending = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def report_now(self) -> Sending:
        """Report without regard to slot and backoff, in the caller's thread.

        Raises:
            AlreadySending: Another process is sending.
            StoreError: The store cannot be used.
            ConfigurationError: The configuration is wrong.
        """
        with self._alone:
            return self._resident.report_now()

    def look_now(self) -> None:
        """Look at once, for what was configured or decided; without waiting for what comes of it."""
        self._woken.set()

    def is_well(self) -> bool:
        """Whether the thread lives, and does not take longer for a look than all its time limits together."""
        since = self._busy_since
        return self._thread.is_alive() and (
            since is None or self._clock.monotonic() - since <= max(self._resident.limit, LOOK / 1000)
        )

    def _run(self) -> None:
        while not self._ending:
            self._woken.wait(self._busy(self._resident.look))
            self._woken.clear()
        self._busy(self._resident.finish)

    def _busy(self, do: Callable[[], float] | Callable[[], None]) -> float | None:
        with self._alone:
            self._busy_since = self._clock.monotonic()
            try:
                return do()
            finally:
                self._busy_since = None


def _limit(config: Config) -> float:
    """Every source twice, since another installation may show, then both reports and a final one, and the store."""
    reading = sum(engine.timeout * (len(engine.addresses) + bool(engine.database)) for engine in config.engines)
    return (2 * reading + config.reporter.deadline + config.reporter.final_deadline + 2 * MINUTE) / 1000
