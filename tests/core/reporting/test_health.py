"""Whether reports arrive: what fails for a day is a warning, for two critical, and what is not permitted is well."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core import administration
from telemetry_core.model import License
from telemetry_core.reporting import Health, Level, health
from tests.support.clock import ManualClock
from tests.support.desk import AUTHOR, Desk
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

HOUR = 3600
DAY = 24 * HOUR


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock, simulated: SimulatedEngine, receiver: Receiver) -> Desk:
    return Desk(tmp_path, clock, {"orders": simulated.rest}, receiver.url)


def seen(desk: Desk, name: str = "orders", **variables: str) -> Health:
    with desk.session(**variables) as session:
        return health(session, session.engines((name,))[0])


def hourly(desk: Desk, clock: ManualClock, hours: int) -> None:
    """What cron does."""
    for _ in range(hours):
        clock.advance(HOUR)
        desk.send()


def test_nothing_is_expected_before_anybody_decided_nor_after_disabling(desk: Desk, clock: ManualClock) -> None:
    before = seen(desk)
    assert (before.level, before.expected, before.age) == (Level.OK, False, None)
    assert before.reason == "no report is expected: Telemetry is not configured for orders"
    desk.enable()
    desk.disable()
    clock.advance(10 * DAY)
    assert (seen(desk).level, seen(desk).expected) == (Level.OK, False)


def test_a_daily_reporter_is_well_at_every_hour_of_a_week(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    assert seen(desk).reason == "no report yet"
    for _ in range(7 * 24):
        hourly(desk, clock, 1)
        assert seen(desk).level is Level.OK
    assert seen(desk).reason.startswith("last report ")


def test_a_receiver_that_fails_is_a_warning_after_a_day_and_critical_after_two(
    desk: Desk, clock: ManualClock, receiver: Receiver
) -> None:
    desk.enable()
    desk.send()
    clock.advance(23 * HOUR)
    receiver.answer = lambda _: Reply(503)
    desk.send()  # the first failure
    assert seen(desk).reason.startswith("last report 23 h ago, failing for 0 min")
    hourly(desk, clock, 23)
    assert seen(desk).level is Level.OK
    hourly(desk, clock, 1)
    late = seen(desk)
    assert (late.level, late.failing, late.failures, late.pending) == (Level.WARNING, 24 * HOUR * 1000, 25, 1)
    assert late.reason.startswith(
        "failing (25 runs in a row) for 24 h: The periodic report is not delivered after 25 attempts: answered 503"
    )
    hourly(desk, clock, 23)
    assert seen(desk).level is Level.WARNING
    hourly(desk, clock, 1)
    assert seen(desk).level is Level.CRITICAL
    receiver.answer = lambda _: Reply()
    hourly(desk, clock, 1)
    well = seen(desk)
    assert (well.level, well.failing, well.failures, well.pending) == (Level.OK, 0, 0, 0)


def test_an_engine_that_is_down_is_critical_after_two_days(
    desk: Desk, clock: ManualClock, simulated: SimulatedEngine
) -> None:
    desk.enable()
    desk.send()
    simulated.override["/telemetry/data"] = (500, "text/plain", b"")
    hourly(desk, clock, 6 + 47)  # the first reading that fails is that after six hours
    assert (seen(desk).level, seen(desk).pending) == (Level.WARNING, 0)
    hourly(desk, clock, 1)
    down = seen(desk)
    assert (down.level, down.failures) == (Level.CRITICAL, 49)
    assert "answers 500" in down.reason


def test_reports_that_are_refused_day_by_day_are_failures_in_a_row(
    desk: Desk, clock: ManualClock, receiver: Receiver
) -> None:
    desk.enable()
    desk.send()
    receiver.answer = lambda _: Reply(400)
    for _ in range(3):
        clock.advance(DAY)
        desk.send()
    assert (seen(desk).failures, seen(desk).failing, seen(desk).level) == (3, 2 * DAY * 1000, Level.CRITICAL)


def test_an_initial_report_that_alone_is_refused_is_no_failure_of_the_reporter(
    desk: Desk, clock: ManualClock, receiver: Receiver
) -> None:
    desk.enable()
    receiver.answer = lambda request: Reply(400 if b"metrics" not in request.body else 202)
    for _ in range(5):
        desk.send()
        clock.advance(DAY)
    assert (seen(desk).failures, seen(desk).level) == (0, Level.OK)


def test_where_nothing_runs_at_all_it_is_late_by_a_period_and_then_by_two(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    desk.send()
    levels = []
    for _ in range(80):
        levels.append(seen(desk).level)
        clock.advance(HOUR)
    assert levels == [Level.OK] * 48 + [Level.WARNING] * 24 + [Level.CRITICAL] * 8
    assert seen(desk).reason == "no report accepted for 80 h"


def test_a_report_that_nobody_sends_waits_for_too_long(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    desk.send()
    desk.keep()
    clock.advance(25 * HOUR)
    assert (seen(desk).level, seen(desk).pending) == (Level.WARNING, 1)
    assert seen(desk).reason == "a report waits for 25 h"


@pytest.mark.parametrize(("period", "warning", "critical"), [("1h", 2, 49), ("24h", 48, 72), ("7d", 336, 504)])
def test_limits_follow_the_period_and_are_never_below_two_days_of_failing(
    period: str, warning: int, critical: int, desk: Desk
) -> None:
    limits = seen(desk, TELEMETRY_REPORTER__PERIOD=period).limits
    assert (limits.warning // 1000, limits.critical // 1000) == (warning * HOUR, critical * HOUR)


def test_an_endpoint_that_was_changed_without_new_consent_is_late_in_time(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    desk.send()
    clock.advance(50 * HOUR)
    moved = seen(desk, TELEMETRY_ENDPOINT="https://other.example/pings")
    assert (moved.level, moved.expected) == (Level.WARNING, True)
    assert moved.reason.startswith("no report accepted for 50 h: Consent was given for http://127.0.0.1:")


@pytest.mark.parametrize("veto", ["TELEMETRY_REPORTER_ACTIVATE", "DO_NOT_TRACK"])
def test_of_a_reporter_that_is_switched_off_nothing_is_expected(veto: str, desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    clock.advance(10 * DAY)
    off = seen(desk, **{veto: "false" if veto.endswith("ACTIVATE") else "1"})
    assert (off.level, off.expected) == (Level.OK, False)
    assert off.reason.startswith("no report is expected: ")


def test_of_an_engine_that_reports_by_itself_nothing_is_expected(
    tmp_path: Path, clock: ManualClock, receiver: Receiver
) -> None:
    with SimulatedEngine("camunda-7.17.0") as engine:
        engine.own_reporter = True
        desk = Desk(tmp_path, clock, {"orders": engine.rest}, receiver.url)
        desk.enable()
        desk.send()
    clock.advance(10 * DAY)
    assert seen(desk).reason == "no report is expected: Engine orders reports by itself"
    assert seen(desk).level is Level.OK


def test_enabling_again_begins_anew(desk: Desk, clock: ManualClock, receiver: Receiver) -> None:
    desk.enable()
    receiver.answer = lambda _: Reply(503)
    hourly(desk, clock, 30)
    desk.disable()
    assert (seen(desk).failures, seen(desk).level) == (0, Level.OK)
    clock.advance(30 * DAY)
    desk.enable()
    assert (seen(desk).failures, seen(desk).age, seen(desk).level) == (0, 0, Level.OK)
    clock.advance(25 * HOUR)
    assert (
        seen(desk).reason
        == "a report waits for 25 h: The initial report is not delivered after 30 attempts: answered 503"
    )
    receiver.answer = lambda _: Reply()
    desk.send()
    assert (seen(desk).reason, seen(desk).level) == ("last report 0 min ago", Level.OK)


def test_a_store_that_was_lost_is_a_warning_until_somebody_decides(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    assert isinstance(desk.place, Path)
    desk.place.unlink()
    lost = seen(desk)
    assert (lost.level, lost.reason) == (Level.WARNING, "the store was lost, and nothing was decided since")
    desk.disable()
    assert seen(desk).level is Level.OK


def test_entries_of_one_installation_fail_together(
    tmp_path: Path, clock: ManualClock, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    desk = Desk(tmp_path, clock, {"a": simulated.rest, "b": simulated.rest}, receiver.url)
    desk.enable()
    desk.send()
    receiver.answer = lambda _: Reply(503)
    hourly(desk, clock, 72)
    assert [seen(desk, name).level for name in ("a", "b")] == [Level.CRITICAL] * 2
    assert seen(desk, "a").failures == seen(desk, "b").failures > 40
    for _ in range(60):
        clock.advance(HOUR)
        desk.send("b")
    assert seen(desk, "a").failures == seen(desk, "b").failures > 50


def test_a_licence_that_ends_soon_is_a_warning_where_reports_are_expected(desk: Desk, clock: ManualClock) -> None:
    desk.enable()
    desk.send()
    with desk.session() as session:
        own = License(customer="ACME", valid_until="2027-01-20")
        administration.set_license(session, session.config.engines[0], own, AUTHOR.user)
    assert (seen(desk).level, seen(desk).license_days) == (Level.OK, 63)
    clock.advance(3 * DAY)
    desk.send()
    assert seen(desk).level is Level.WARNING
    assert seen(desk).reason == "The licence ends on 2027-01-20, in 60 days"
    desk.disable()
    assert (seen(desk).level, seen(desk).license_days) == (Level.OK, 60)


def test_a_clock_that_was_ahead_makes_nothing_negative(desk: Desk, clock: ManualClock, receiver: Receiver) -> None:
    desk.enable()
    receiver.answer = lambda _: Reply(503)
    desk.send()
    clock.set(clock.now() - 5 * DAY * 1000)
    assert (seen(desk).failing, seen(desk).age) == (0, 0)
    desk.send(force=True)
    clock.advance(49 * HOUR)
    assert seen(desk).level is Level.CRITICAL


def test_an_engine_that_answers_again_before_a_report_was_due_ends_the_row(
    desk: Desk, clock: ManualClock, simulated: SimulatedEngine
) -> None:
    desk.enable()
    desk.send()
    simulated.override["/telemetry/data"] = (500, "text/plain", b"")
    hourly(desk, clock, 8)
    assert seen(desk).failures == 3
    del simulated.override["/telemetry/data"]
    hourly(desk, clock, 1)
    assert (seen(desk).level, seen(desk).failures) == (Level.OK, 0)
