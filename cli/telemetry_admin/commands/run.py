"""`telemetry run`: the resident reporter, for containers and systemd; signals, and what systemd is told, are here."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from telemetry_admin import options, processes
from telemetry_admin.invocation import Invocation, no_engine, patterns
from telemetry_admin.result import Json, Result
from telemetry_admin.saying import say, say_bug
from telemetry_admin.systemd import Service
from telemetry_core.errors import AlreadySending, EngineUnreachable, StoreDamaged, TelemetryError

if TYPE_CHECKING:
    from types import FrameType
    from typing import Self

    from telemetry_core.config import Config
    from telemetry_core.model import Clock
    from telemetry_core.reporting import Sending, Session

app = typer.Typer(add_completion=False)

_RELOAD = "SIGHUP"
_GONE = "process"
_AT_ONCE = 1.0


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    with_: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--with", metavar="PID", min=1, help="End, after a final report, when this process has ended."),
    ] = None,
    json: options.Json = False,
) -> Result:
    """Stay, and send what is due, as the engine's own reporter thread did.

    The first check is 5 minutes after the start, or 3 hours while telemetry is neither enabled nor disabled; then one
    every period. SIGTERM and SIGINT end it after one final report, SIGHUP reads the configuration anew.
    """
    invocation: Invocation = ctx.obj
    with invocation.logging() as config:
        return Result(_Run(invocation, config, patterns(engine, everything=all_)).until_its_end(with_))


class _Run:
    """One run: the reporter in its thread, and what happens to it meanwhile, in the order in which it happened.

    A signal's handler may come between any two steps of this thread; of all queues this one alone stands that.
    """

    def __init__(self, invocation: Invocation, config: "Config", names: tuple[str, ...]) -> None:
        from telemetry_core import TelemetryReporter

        self._invocation = invocation
        self._names = names
        self._config = self._checked(config)
        self._service = Service(invocation.host.environment, invocation.host.clock)
        self._reporter = TelemetryReporter(
            self._session, invocation.host.clock, names, sent=self._sent, failed=self._failed
        )
        self._accepted = self._failures = 0
        self._is_gone = False
        self._events: SimpleQueue[str] = SimpleQueue()

    def until_its_end(self, pid: int | None) -> Json:
        """Run, until a process has ended where one is named, and say how it went."""
        with _Signals(self._events, self._invocation.host.clock) as signals:
            with _no_signals_for_threads():
                if pid is not None:
                    processes.when_gone(pid, lambda: self._events.put(_GONE))
                self._reporter.start()
            self._greet()
            self._service.ready()
            ended_by = self._until_told()
            signals.are_last()  # whoever asks a second time does not wait for the final report
            self._is_gone = ended_by == _GONE
            self._service.stopping()
            in_time = self._reporter.stop()
        if not in_time:
            say(TelemetryError("The final report was not over in time.", hint="It is sent after the next start."))
        return {
            "ended-by": ended_by,
            "accepted": self._accepted,
            "failures": self._failures,
            "ended-in-time": in_time,
        }

    def _greet(self) -> None:
        """To a terminal alone: who else would wait for something to be said?"""
        if self._invocation.host.is_terminal:
            from telemetry_admin.render import run as render
            from telemetry_admin.render.console import make_console

            render.greet(make_console(self._invocation.host), self._config)

    def _until_told(self) -> str:
        while True:
            try:
                event = self._events.get(timeout=self._service.beat)
            except Empty:
                if self._reporter.is_well():
                    self._service.alive()
                continue
            if event != _RELOAD:
                return event
            self._reload()

    def _reload(self) -> None:
        """Take a new configuration; one that is wrong is said, and the old one stays."""
        self._service.reloading()
        try:
            self._config = self._checked(self._invocation.config())
        except TelemetryError as error:
            say(error)
        self._service.ready()
        self._reporter.look_now()

    def _checked(self, config: "Config") -> "Config":
        from telemetry_core.reporting import matching

        if not matching(config.engines, self._names):
            raise no_engine()
        return config

    @contextmanager
    def _session(self) -> "Iterator[Session]":
        with self._invocation.writing(config=self._config) as session:
            self._say_losses()
            yield session

    def _say_losses(self) -> None:
        while self._invocation.lost:
            say(self._invocation.lost.pop())

    def _sent(self, result: "Sending") -> None:
        from telemetry_admin.render import send as render
        from telemetry_admin.render.console import make_console

        self._accepted += sum(one.report.state == "accepted" for one in result.delivered)
        self._failures += len(result.failed)
        for failed in result.failed:
            expected = self._is_gone and isinstance(failed.error, EngineUnreachable)
            if not failed.repeated and not expected:
                say(failed.error)
        if self._invocation.host.is_terminal:
            render.show(make_console(self._invocation.host), result, [])

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if isinstance(error, StoreDamaged):
            with suppress(AlreadySending):  # whose `send` sets it aside
                self._invocation.set_aside(self._config)
        if self._invocation.lost:
            self._say_losses()
        elif isinstance(error, TelemetryError):
            say(error)
        else:
            say_bug()


class _Signals:
    """Puts signals into the queue instead of ending by them, until the last one is obeyed; a later one ends it.

    What comes at once is the same request: `timeout`, and others, signal a process and then its group.
    """

    def __init__(self, events: "SimpleQueue[str]", clock: "Clock") -> None:
        self._events = events
        self._clock = clock
        self._last_at: float | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Self":
        self._before = {one: signal.signal(one, self._note) for one in _known()}
        return self

    def __exit__(self, *_: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def are_last(self) -> None:
        """From now on they end it."""
        self._last_at = self._clock.monotonic()

    def _note(self, number: int, frame: "FrameType | None") -> None:
        before = self._before[signal.Signals(number)]
        if self._last_at is not None and self._clock.monotonic() - self._last_at > _AT_ONCE and callable(before):
            before(number, frame)
        self._events.put(signal.Signals(number).name)


@contextmanager
def _no_signals_for_threads() -> Iterator[None]:
    """Those begun inside take none: after a standstill any thread may be given one, and this one would sleep on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _known())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _known() -> list[signal.Signals]:
    return [getattr(signal, name) for name in ("SIGTERM", "SIGINT", _RELOAD) if hasattr(signal, name)]
