"""`TelemetryReporter`: the resident reporter as a class for programs in Python."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core import TelemetryReporter
from telemetry_core.errors import AlreadySending
from telemetry_core.model import Kind, Trigger
from tests.support.clock import RealClock
from tests.support.desk import Desk, counted
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.waiting import until


@pytest.fixture
def desk(tmp_path: Path, simulated: SimulatedEngine, receiver: Receiver) -> Iterator[Desk]:
    made = Desk(tmp_path, RealClock(), {"orders": simulated.rest}, receiver.url)
    made.enable()
    yield made


def triggers(desk: Desk) -> list[Trigger]:
    return [report.trigger for report in reversed(desk.reports()) if report.kind is Kind.PERIODIC]


def test_in_a_with_block_it_reports_and_ends_with_a_final_report(
    desk: Desk, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    desk.variables["TELEMETRY_REPORTER__INITIAL_DELAY"] = "1s"
    with TelemetryReporter(desk.session, desk.clock):
        until(lambda: len(receiver.received) == 2, "the first reports")
        simulated.start_process(3)
    assert counted(receiver) == [0, 3]
    assert triggers(desk) == [Trigger.DUE, Trigger.FINAL]


def test_report_now_reports_before_anything_is_due_and_says_what_came_of_it(
    desk: Desk, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    with TelemetryReporter(desk.session, desk.clock) as reporter:
        simulated.start_process(2)
        assert [one.report.kind for one in reporter.report_now().delivered] == [Kind.INITIAL, Kind.PERIODIC]
        simulated.start_process(5)
        reporter.report_now()
        assert counted(receiver) == [2, 5]


def test_its_thread_is_a_daemon_that_waits_for_nobody_and_ends_at_once(desk: Desk) -> None:
    reporter = TelemetryReporter(desk.session, desk.clock)
    before = set(threading.enumerate())
    reporter.start()
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon
    assert reporter.is_well()
    begun = time.monotonic()
    assert reporter.stop()
    assert time.monotonic() - begun < 60, "its first check would be in five minutes"
    assert not thread.is_alive()
    assert not reporter.is_well()
    assert reporter.stop(), "a second time there is nothing to do"


def test_one_that_was_never_started_has_nothing_to_end(desk: Desk, receiver: Receiver) -> None:
    assert TelemetryReporter(desk.session, desk.clock).stop()
    assert receiver.received == []


def test_it_looks_when_it_is_asked_to(desk: Desk, receiver: Receiver) -> None:
    desk.disable()
    desk.variables["TELEMETRY_REPORTER__INITIAL_DELAY"] = "1s"
    with TelemetryReporter(desk.session, desk.clock) as reporter:
        until(lambda: len(receiver.received) == 1, "the initial report")
        desk.enable()
        reporter.look_now()
        until(lambda: len(receiver.received) == 2, "the first periodic report, without waiting five minutes")


def test_what_fails_is_told_and_report_now_raises_it(desk: Desk) -> None:
    told: list[Exception] = []
    with (
        TelemetryReporter(desk.session, desk.clock, failed=told.append) as reporter,
        (desk.directory / "telemetry.db.lock").open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AlreadySending):
            reporter.report_now()
        desk.variables["TELEMETRY_REPORTER__PERIOD"] = "never"
        reporter.look_now()
        until(lambda: told, "the failure")
        assert "reporter.period" in str(told[0])


def test_importing_the_library_loads_nothing_of_it() -> None:
    code = "import sys, telemetry_core; print(len([m for m in sys.modules if m.startswith('telemetry_core.')]))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"0\n"
    with pytest.raises(AttributeError, match="no attribute 'Reporter'"):
        __import__("telemetry_core").Reporter  # noqa: B018
