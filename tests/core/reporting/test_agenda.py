"""Until when nothing is due: whatever happened, a `send` before that does nothing, and later ones do not wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as some

from telemetry_core import reporting
from telemetry_core.config import Url
from telemetry_core.errors import TelemetryError
from telemetry_core.reporting import Request, Sending
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.dose import dose
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Promise:
    """What was said after a `send`: nothing to do from then until then, while the store is as it was."""

    since: int
    until: int
    store: bytes
    variables: dict[str, str]


class Office:
    """Two engines, a receiver, a desk whose every `send` is held against what was promised before it."""

    def __init__(self, directory: Path) -> None:
        self.clock = ManualClock()
        releases = {"orders": "camunda-7.17.0", "claims": "camunda-7.24.0"}
        self.engines = {name: SimulatedEngine(release, now=self.clock.now) for name, release in releases.items()}
        self.engines["claims"].installation = "11111111-2222-3333-4444-555555555555"
        self.status: int | None = 202
        self.receiver = Receiver(lambda _: Reply(status=self.status))
        addresses = {name: engine.rest for name, engine in self.engines.items()}
        self.desk = Desk(directory, self.clock, addresses, self.receiver.url)
        self.variables: dict[str, str] = {}
        self.promise: Promise | None = None
        self.kept = 0

    def __enter__(self) -> Office:
        for server in (*self.engines.values(), self.receiver):
            server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (*self.engines.values(), self.receiver):
            server.__exit__(None, None, None)

    @property
    def asked(self) -> int:
        """How often anybody was asked for anything."""
        return len(self.receiver.received) + sum(len(engine.requests) for engine in self.engines.values())

    def store(self) -> bytes:
        place = self.desk.place
        assert isinstance(place, Path)
        return place.read_bytes() if place.exists() else b""

    def until(self) -> int:
        with self.desk.session(**self.variables) as session:
            found = reporting.idle_until(session)
            assert found <= self.clock.now() + session.config.reporter.period
            return found

    def send(self) -> Sending:
        promise, now, before = self.promise, self.clock.now(), self.store()
        binding = (
            promise is not None
            and promise.since <= now < promise.until
            and (promise.store, promise.variables) == (before, self.variables)
        )
        asked = self.asked
        done = self._send()
        if binding:
            self.kept += 1
            assert (self.asked, self.store()) == (asked, before)
            assert (done.delivered, done.failed) == ([], [])
        if not done.failed:
            self.promise = Promise(self.clock.now(), self.until(), self.store(), {**self.variables})
        return done

    def _send(self, *, force: bool = False) -> Sending:
        with self.desk.session(**self.variables) as session:
            return reporting.send(session, session.config.engines, Request(force=force))

    def enable(self, *names: str) -> None:
        with suppress(TelemetryError):  # an engine that does not answer
            self.desk.enable(*names, **self.variables)

    def force(self) -> None:
        self._send(force=True)

    def keep(self) -> None:
        with suppress(TelemetryError):
            self.desk.keep()

    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    def set_back(self, seconds: int) -> None:
        self.clock.set(self.clock.now() - seconds * 1000)

    def disable(self, name: str) -> None:
        self.desk.disable(name)

    def refuse(self, name: str) -> None:
        self.desk.disable(name, no_requests=True)

    def almost(self) -> None:
        """Wait until just before what was promised is over."""
        if self.promise is not None and self.clock.now() < self.promise.until:
            self.clock.set(self.promise.until - 1)

    def answer(self, status: int | None) -> None:
        self.status = status

    def stop(self, name: str) -> None:
        self.engines[name].override["/telemetry/data"] = (500, "text/plain", b"")

    def start(self, name: str) -> None:
        self.engines[name].override.clear()

    def switch(self, name: str) -> None:
        """Its own reporter, on or off; that of newer releases does not exist and is never on."""
        self.engines[name].own_reporter = None if self.engines[name].own_reporter else True

    def swap(self) -> None:
        """Both entries show one installation from now on, or each its own again."""
        first, second = self.engines.values()
        second.installation = first.installation if second.installation != first.installation else "a" * 36

    def track(self, word: str) -> None:
        self.variables = {**self.variables, "DO_NOT_TRACK": word}

    def period(self, length: str) -> None:
        self.variables = {**self.variables, "TELEMETRY_REPORTER__PERIOD": length}


names = some.sampled_from(["orders", "claims"])
lengths = some.sampled_from([1, MINUTE, 5 * MINUTE, HOUR, 3 * HOUR, DAY - HOUR, DAY, 3 * DAY, 400 * DAY])


def step(name: str, *arguments: some.SearchStrategy[object]) -> some.SearchStrategy[tuple[str, tuple[object, ...]]]:
    return some.tuples(some.just(name), some.tuples(*arguments))


sending = some.one_of(step("almost"), step("almost"), step("wait", lengths))
happening = some.one_of(
    step("set_back", some.sampled_from([1, HOUR, 2 * DAY])),
    step("answer", some.sampled_from([202, 202, 409, 400, 503, None])),
    *(step(name, names) for name in ("enable", "disable", "refuse", "stop", "start", "switch")),
    *(step(name) for name in ("enable", "force", "keep", "swap")),
    step("track", some.sampled_from(["0", "1"])),
    step("period", some.sampled_from(["2h", "24h", "7d"])),
)
histories = some.lists(some.one_of(sending, sending, sending, happening), min_size=10, max_size=50)


@dose(60)
@given(histories)
def test_before_that_a_send_asks_nobody_and_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, tuple[object, ...]]]
) -> None:
    with Office(tmp_path_factory.mktemp("office")) as office:
        office.send()
        office.enable()
        for name, arguments in history:
            getattr(office, name)(*arguments)
            office.send()
        event(f"promises that were kept: {min(office.kept, 5)}")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(tmp_path) as made:
        yield made


def looked(office: Office, hours: int) -> int:
    """How many `send`s of that many hourly ones had to look for themselves."""
    before = office.kept
    for _ in range(hours):
        office.wait(HOUR)
        office.send()
    return hours - (office.kept - before)


def test_of_hourly_sends_the_daily_one_has_to_look_and_the_others_have_not(office: Office) -> None:
    office.enable()
    office.send()
    assert looked(office, 10 * 24) == 10 * (1 + 3)  # and three more for readings in between


def test_where_nothing_was_decided_the_first_contact_waits_for_its_three_hours(office: Office) -> None:
    office.send()
    assert office.until() == office.clock.now() + 3 * HOUR * 1000
    assert looked(office, 24) == 1
    assert len(office.receiver.received) == 2


def test_a_report_that_waits_is_looked_for_at_its_next_attempt(office: Office) -> None:
    office.enable()
    office.status = 503
    office.send()
    assert office.until() == office.clock.now() + MINUTE * 1000


def test_an_engine_that_was_never_reached_leaves_nothing_to_wait_for(office: Office) -> None:
    office.stop("orders")
    office.send()
    assert office.until() <= office.clock.now()


def test_an_engine_that_reports_by_itself_is_asked_each_time_whether_it_still_does(office: Office) -> None:
    office.enable()
    office.switch("orders")
    office.send()
    assert office.until() <= office.clock.now()


def test_where_no_request_may_leave_a_period_goes_by(office: Office) -> None:
    for name in office.engines:
        office.refuse(name)
    office.send()
    assert office.until() == office.clock.now() + DAY * 1000


def test_in_a_store_that_nodes_share_at_most_an_hour_goes_by(office: Office, shared_place: Url) -> None:
    office.desk.place = shared_place
    office.enable()
    office.desk.send()
    assert office.until() == office.clock.now() + HOUR * 1000
