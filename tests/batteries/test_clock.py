"""A clock that was wrong once: no stored time that lies ahead silences the reporter for longer than a period."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.model import Kind
from telemetry_core.store import Store
from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

HOUR = 3600.0
DAY = 24 * HOUR
AHEAD = 400 * 24 * 3_600_000
Spoil = Callable[[Store, str, int], None]


class Place:
    """An installation whose reporter has a clock of its own; the engine's is right."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.right = ManualClock(), ManualClock()
        self.engine = SimulatedEngine(now=self.right.now)
        self.status = 202
        self.accepted: dict[str, bytes] = {}
        self.receiver = Receiver(self._answer)
        self.desk = Desk(directory, self.clock, {"orders": self.engine.rest}, self.receiver.url)

    def _answer(self, request: Received) -> Reply:
        if self.status == 202:
            self.accepted.setdefault(request.key, request.body)
        return Reply(self.status)

    @property
    def counted(self) -> list[int]:
        """How many process instances each accepted periodic report counts."""
        internals = [json.loads(body)["product"]["internals"] for body in self.accepted.values()]
        metrics = [one.get("metrics", {}) for one in internals if len(one) > 1]
        return [one.get("root-process-instance-start", {}).get("count", 0) for one in metrics]

    @classmethod
    @contextmanager
    def made(cls, directory: Path) -> Iterator[Place]:
        place = cls(directory)
        with place.engine, place.receiver:
            yield place

    def pass_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.right.advance(seconds)

    def a_day_of_cron(self) -> list[int]:
        """What the periodic reports of a day count."""
        before = len(self.counted)
        for _ in range(12):
            self.pass_by(2 * HOUR)
            self.desk.send()
        return self.counted[before:]

    @contextmanager
    def wrong_clock(self) -> Iterator[None]:
        self.clock.set(self.clock.now() + AHEAD)
        try:
            yield
        finally:
            self.clock.set(self.clock.now() - AHEAD)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place.made(tmp_path) as made:
        yield made


def reports(kind: Kind, **changes: str) -> Spoil:
    """Set a time of all reports of a kind."""

    def spoil(store: Store, installation: str, ahead: int) -> None:
        for report in store.reports.of(installation, kind):
            store.reports.put(replace(report, **dict.fromkeys(changes, ahead)))  # type: ignore[arg-type]  # times all

    return spoil


def contact(field: str) -> Spoil:
    def spoil(store: Store, _: str, ahead: int) -> None:
        known = store.contacts.get("orders")
        assert known is not None
        store.contacts.put(replace(known, **{field: ahead}))  # type: ignore[arg-type]  # a time

    return spoil


def ledger(field: str) -> Spoil:
    def spoil(store: Store, installation: str, ahead: int) -> None:
        known = store.ledgers.get(installation)
        assert known is not None
        if field == "window_start":
            store.ledgers.put(replace(known, window_start=ahead))
        else:
            base = replace(known.base, **{field: ahead})  # type: ignore[arg-type]  # a time
            store.ledgers.put(replace(known, base=base))

    return spoil


def phase(store: Store, installation: str, ahead: int) -> None:
    assert store.properties.get(installation, "phase") is not None
    store.properties.put(installation, "phase", str(ahead))


def failure(store: Store, _: str, ahead: int) -> None:
    kept = store.properties.get("orders", "failure")
    assert kept is not None
    store.properties.put("orders", "failure", json.dumps({**json.loads(kept), "at": ahead}))


SPOILT = [
    pytest.param(reports(Kind.PERIODIC, next_attempt_at=""), id="next attempt"),
    pytest.param(reports(Kind.INITIAL, next_attempt_at=""), id="next attempt of the initial report"),
    pytest.param(reports(Kind.PERIODIC, created_at=""), id="created"),
    pytest.param(reports(Kind.PERIODIC, accepted_at=""), id="accepted"),
    pytest.param(reports(Kind.PERIODIC, window_end=""), id="window's end"),
    pytest.param(phase, id="phase"),
    pytest.param(failure, id="said"),
    pytest.param(contact("at"), id="contact"),
    pytest.param(contact("first_at"), id="first contact"),
    pytest.param(ledger("read_at"), id="base read"),
    pytest.param(ledger("taken_at"), id="base taken"),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_no_stored_time_that_lies_ahead_silences_the_reporter(spoil: Spoil, place: Place) -> None:
    place.desk.enable()
    place.desk.send()
    place.pass_by(DAY)
    place.engine.start_process(4)
    place.status = 503
    place.desk.send()
    with place.desk.session() as session:
        spoil(session.store, place.engine.installation, place.clock.now() + AHEAD)
    place.status = 202
    assert 4 in place.a_day_of_cron()
    place.engine.start_process(3)
    assert 3 in place.a_day_of_cron()
    assert sum(place.counted) == 7


def test_a_window_that_starts_in_the_future_silences_nobody(place: Place) -> None:
    """While a report is pending a window's start only ever falls; so this is looked at when none is."""
    place.desk.enable()
    place.desk.send()
    with place.desk.session() as session:
        ledger("window_start")(session.store, place.engine.installation, place.clock.now() + AHEAD)
    place.engine.start_process(4)
    assert place.a_day_of_cron() == [4]
    place.engine.start_process(3)
    assert place.a_day_of_cron() == [3]


@pytest.mark.parametrize("moment", range(5))
def test_a_clock_that_is_ahead_for_one_run_silences_nobody(moment: int, place: Place) -> None:
    """Whatever that run was: consent, the first report, one that fails, one that is refused, one that is accepted."""

    def live(number: int, do: Callable[[], object]) -> None:
        place.pass_by(DAY)
        if number != moment:
            do()
            return
        with place.wrong_clock():
            do()

    def sends(status: int) -> Callable[[], object]:
        def send() -> None:
            place.engine.start_process(1)
            place.status = status
            place.desk.send()

        return send

    for number, do in enumerate((place.desk.enable, sends(202), sends(503), sends(400), sends(202))):
        live(number, do)
    place.status = 202
    place.a_day_of_cron()
    place.engine.start_process(3)
    assert place.a_day_of_cron(), "silent for a day"
    assert sum(place.counted) <= 7


def test_a_failure_that_was_said_in_the_future_is_said_again(place: Place) -> None:
    place.desk.enable()
    place.status = 503
    with place.wrong_clock():
        assert [one.repeated for one in place.desk.send().failed] == [False]
    place.pass_by(2 * HOUR)
    assert [one.repeated for one in place.desk.send(force=True).failed] == [False]
    assert [one.repeated for one in place.desk.send(force=True).failed] == [True]
