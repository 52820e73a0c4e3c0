"""With stamps and without: whatever happens, the same reports arrive at the same times, and the same is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as some

from telemetry_admin import glance
from telemetry_admin.__main__ import run
from telemetry_admin.host import Host
from tests.support.clock import ManualClock
from tests.support.dose import dose
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

MINUTE, HOUR, DAY = 60, 3600, 86_400
LATE = 4_102_444_800_000
"""2100-01-01, so that all that a test writes has settled long ago."""


class Site:
    """An engine, a receiver and the program in this process; where it has stamps, a `send` ends where one holds."""

    def __init__(self, directory: Path, clock: ManualClock, *, stamps: bool) -> None:
        self.stamps = stamps
        self.clock = clock
        self.engine = SimulatedEngine(now=clock.now)
        self.receiver = Receiver(lambda _: Reply(status=self.status))
        self.status: int | None = 202
        self.program = Program(directory)
        self.more: dict[str, str] = {}
        self.spared = 0

    @contextmanager
    def running(self) -> Iterator[Site]:
        with self.engine, self.receiver:
            self.configure("24h")
            yield self

    def configure(self, period: str) -> None:
        self.program.configure(
            f'endpoint = "{self.receiver.url}"\n[reporter]\nretries = 0\nperiod = "{period}"\n'
            f'[engines.orders]\nrest = "{self.engine.rest}"\n'
        )

    def __call__(self, *arguments: str) -> tuple[int, str]:
        environment = self.program.environment(self.more)
        if self.stamps and arguments == ("send",) and glance.stamp_holds(environment, self.clock.now()):
            self.spared += 1
            return 0, ""
        host = Host(self.clock, environment, is_root=False, is_terminal=False, can_ask=False)
        with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
            status = run(list(arguments), host)
        return status, self._plain(output.getvalue() + errors.getvalue())

    def _plain(self, text: str) -> str:
        """Without what is different at each site."""
        for own in (str(self.program.directory), str(self.receiver.port), str(self.engine.port)):
            text = text.replace(own, "*")
        return text

    def arrived(self) -> list[tuple[str, bytes]]:
        return [(request.key, request.body) for request in self.receiver.received]


class Pair:
    """Two sites where the same happens at the same time."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock(LATE)
        for name in ("with", "without"):
            (directory / name).mkdir()
        self.with_stamps = Site(directory / "with", self.clock, stamps=True)
        self.without = Site(directory / "without", self.clock, stamps=False)
        self.sites = (self.with_stamps, self.without)

    def call(self, *arguments: str) -> None:
        now = self.clock.now()
        came = []
        for site in self.sites:
            self.clock.set(now)
            came.append(site(*arguments))
        assert came[0] == came[1]
        assert self.with_stamps.arrived() == self.without.arrived()
        assert self.with_stamps.engine.requests == self.without.engine.requests

    def send(self) -> None:
        self.call("send")

    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def set_back(self, seconds: int) -> None:
        self.clock.set(self.clock.now() - seconds * 1000)

    def work(self, times: int) -> None:
        for site in self.sites:
            site.engine.start_process(times)

    def flush(self) -> None:
        for site in self.sites:
            site.engine.flush()

    def answer(self, status: int | None) -> None:
        for site in self.sites:
            site.status = status

    def engine_fails(self) -> None:
        for site in self.sites:
            site.engine.override["/telemetry/data"] = (500, "text/plain", b"")

    def engine_answers(self) -> None:
        for site in self.sites:
            site.engine.override.clear()

    def edit(self, period: str) -> None:
        for site in self.sites:
            site.configure(period)

    def track(self, word: str) -> None:
        for site in self.sites:
            site.more = {"DO_NOT_TRACK": word}

    def lose(self) -> None:
        for site in self.sites:
            site.program.store.unlink(missing_ok=True)


Step = tuple[str, tuple[object, ...]]


def step(name: str, *arguments: some.SearchStrategy[object]) -> some.SearchStrategy[Step]:
    return some.tuples(some.just(name), some.tuples(*arguments))


def call(*arguments: str) -> some.SearchStrategy[Step]:
    return some.just(("call", arguments))


waiting = step("wait", some.sampled_from([1, MINUTE, 5 * MINUTE, HOUR, HOUR, 3 * HOUR, 23 * HOUR, DAY, 3 * DAY]))
administered = some.one_of(
    call("enable", "--yes"), call("enable", "--yes"), call("disable", "--json"),
    call("disable", "--no-requests", "--json"),
    call("send", "--force"), call("send", "--initial"), call("preview", "--keep", "--json"), call("send", "--json"),
    call("config", "set", "withhold", '["jdk"]', "--json"), call("config", "unset", "withhold", "--json"),
    call("config", "set", "telemetry-reporter-activate", "false", "--json"),
    call("config", "unset", "telemetry-reporter-activate", "--json"),
    step("edit", some.sampled_from(["24h", "12h"])), step("track", some.sampled_from(["0", "1"])),
)  # fmt: skip
happened = some.one_of(
    step("work", some.integers(1, 3)), step("flush"), step("answer", some.sampled_from([202, 202, 409, 400, 503])),
    step("answer", some.none()), step("engine_fails"), step("engine_answers"),
    step("set_back", some.sampled_from([1, HOUR, 2 * DAY])), step("lose"),
)  # fmt: skip
histories = some.lists(some.one_of(waiting, waiting, waiting, administered, happened), min_size=10, max_size=30)


@dose(40)
@given(histories)
@pytest.mark.timeout(3600)
def test_the_same_arrives_at_the_same_time(tmp_path_factory: pytest.TempPathFactory, history: list[Step]) -> None:
    pair = Pair(tmp_path_factory.mktemp("pair"))
    with ExitStack() as stack:
        for site in pair.sites:
            stack.enter_context(site.running())
        pair.call("enable", "--yes")
        for name, arguments in history:
            getattr(pair, name)(*arguments)
            pair.send()
        event(f"sends that were spared: {min(pair.with_stamps.spared, 5)}")


def test_a_week_of_a_five_minute_line_looks_for_reports_and_readings_alone(tmp_path: Path) -> None:
    clock = ManualClock(LATE)
    site = Site(tmp_path, clock, stamps=True)
    with site.running():
        site("enable", "--yes")
        sends = 7 * 288
        for _ in range(sends):
            assert site("send") == (0, "")
            clock.advance(5 * MINUTE)
    assert len(site.receiver.received) == 1 + 8
    assert sends - site.spared <= 8 * (1 + 4)
    assert not list(site.program.store.parent.glob("*.new"))
