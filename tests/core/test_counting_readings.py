"""Readings between reports: what is missing waits, what is the engine's own stays out, what is outdated is given up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core.model import Trigger
from telemetry_core.reporting import observing, preparing
from tests.support.clock import ManualClock
from tests.support.desk import Desk, counted
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

SUM = "/metrics/activity-instance-start/sum"


@pytest.fixture
def old() -> Iterator[SimulatedEngine]:
    with SimulatedEngine("camunda-7.17.0") as running:
        yield running


def enabled(directory: Path, engine: SimulatedEngine, receiver: Receiver) -> tuple[Desk, ManualClock]:
    clock = ManualClock()
    engine.now = clock.now
    engine.started_at = clock.now() - 1000
    desk = Desk(directory, clock, {"orders": engine.rest}, receiver.url)
    desk.enable()
    clock.advance(60)
    return desk, clock


def read(desk: Desk, clock: ManualClock) -> observing.Observation:
    with desk.session() as session:
        seen = observing.observe(session, session.config.engines, keep=True)
    clock.advance(60)
    return seen


def test_metrics_that_fail_now_are_missing_whole_and_what_earlier_readings_counted_waits(
    tmp_path: Path, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    desk, clock = enabled(tmp_path, simulated, receiver)
    simulated.start_process(3)
    read(desk, clock)
    simulated.override[SUM] = (500, "text/plain", b"")
    desk.send(force=True)
    assert counted(receiver) == []
    simulated.override.clear()
    clock.advance(60)
    desk.send(force=True)
    assert counted(receiver) == [3]


def test_what_is_counted_while_the_engine_reports_by_itself_is_not_ours(
    tmp_path: Path, old: SimulatedEngine, receiver: Receiver
) -> None:
    desk, clock = enabled(tmp_path, old, receiver)
    old.start_process(3)
    read(desk, clock)
    old.own_reporter = True
    old.start_process(20)
    read(desk, clock)
    old.own_reporter = False
    old.start_process(4)
    desk.send(force=True)
    assert counted(receiver) == [7]


def test_a_report_of_counts_that_another_process_has_sent_meanwhile_is_never_claimed(
    tmp_path: Path, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    desk, clock = enabled(tmp_path, simulated, receiver)
    simulated.start_process(3)
    seen = read(desk, clock)
    desk.send(force=True)
    with desk.session() as session:
        consent = session.consent_of(session.config.engines)
        built, endpoint = preparing.build_periodic(seen, consent), consent.endpoint
        assert endpoint is not None
        late = preparing.open_periodic(session, seen, built, endpoint, trigger=Trigger.FORCED, only_in_slot=False)
    assert late is None
    assert counted(receiver) == [3]
