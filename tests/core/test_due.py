"""When something is due: slots that a daily cron neither skips nor drifts from, the initial report's delay, waits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as some

from telemetry_core import due
from telemetry_core.model import State
from tests.support.dose import dose

T = 1_795_000_000_000
MINUTE = 60_000
HOUR = 3_600_000
DAY = 86_400_000


def test_slots_are_counted_from_five_percent_of_a_period_before_the_first_report() -> None:
    assert due.phase(T, DAY) == 1_794_995_680_000
    assert due.phase(T, HOUR) == 1_794_999_820_000


@pytest.mark.parametrize(
    ("now", "starts"),
    [
        (T, 1_794_995_680_000),
        (1_794_995_680_000, 1_794_995_680_000),
        (1_795_082_079_999, 1_794_995_680_000),
        (1_795_082_080_000, 1_795_082_080_000),
        (T + 10 * DAY, 1_795_859_680_000),
        (T - DAY, 1_794_909_280_000),
    ],
)
def test_a_slot_is_named_by_the_instant_it_starts_at(now: int, starts: int) -> None:
    assert due.slot(now, 1_794_995_680_000, DAY) == starts


@dose(60)
@given(some.integers(0, 2 * T), some.lists(some.integers(-71 * MINUTE, 22 * HOUR), min_size=2, max_size=40))
def test_a_daily_cron_line_gets_one_slot_a_day_however_early_or_late_each_run_is(first: int, shifts: list[int]) -> None:
    """Up to 5 % of the period (72 minutes) earlier than the first report, and up to 95 % later."""
    phase = due.phase(first, DAY)
    slots = [due.slot(first, phase, DAY)]
    slots += [due.slot(first + day * DAY + shift, phase, DAY) for day, shift in enumerate(shifts, 1)]
    assert [later - earlier for earlier, later in pairwise(slots)] == [DAY] * len(shifts)


@dose(60)
@given(some.integers(0, 2 * T), some.integers(0, 2 * T), some.integers(1000, 366 * DAY))
def test_every_instant_lies_in_the_slot_that_it_is_given_also_before_the_first_report(
    now: int, phase: int, period: int
) -> None:
    start = due.slot(now, phase, period)
    assert start <= now < start + period
    assert (start - phase) % period == 0


@pytest.mark.parametrize("state", [State.ENABLED, State.DISABLED])
def test_once_decided_the_initial_report_is_due_at_the_next_send(state: State) -> None:
    assert due.initial_due_at(state, T, T + MINUTE) == T


def test_while_nothing_was_decided_the_initial_report_is_due_three_hours_after_the_first_contact() -> None:
    assert due.initial_due_at(State.NOT_CONFIGURED, T, T + MINUTE) == 1_795_010_800_000


def test_a_first_contact_in_the_future_counts_as_now() -> None:
    assert due.initial_due_at(State.NOT_CONFIGURED, T + DAY, T) == 1_795_010_800_000
    assert due.initial_due_at(State.ENABLED, T + DAY, T) == T


@pytest.mark.parametrize(
    ("failed_runs", "minutes"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (100, 60), (10**6, 60)],
)
def test_a_pending_report_is_tried_again_after_ever_longer_waits_of_at_most_an_hour(
    failed_runs: int, minutes: int
) -> None:
    assert due.next_attempt(T, failed_runs, None, DAY) == T + minutes * MINUTE


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        pytest.param(7200.0, 7_200_000, id="longer than our own wait"),
        pytest.param(1.5, 60_000, id="never sooner than our own wait"),
        pytest.param(0.0, 60_000, id="nothing"),
        pytest.param(1e9, 86_400_000, id="never more than a period"),
    ],
)
def test_retry_after_is_obeyed(retry_after: float, wait: int) -> None:
    assert due.next_attempt(T, 1, retry_after, DAY) == T + wait


def test_no_wait_is_longer_than_a_short_period() -> None:
    assert due.next_attempt(T, 9, None, 10 * MINUTE) == T + 10 * MINUTE


def test_on_time_is_whole_periods_after_the_first_report() -> None:
    slot = due.slot(T + 3 * DAY, due.phase(T, DAY), DAY)
    assert due.on_time(slot, DAY) == T + 3 * DAY


@pytest.mark.parametrize(
    ("age", "is_due"),
    [(0, False), (6 * HOUR - 1, False), (6 * HOUR, True), (400 * DAY, True), (-1, True), (-400 * DAY, True)],
)
def test_a_reading_is_due_when_the_last_one_is_old_or_in_the_future(age: int, is_due: bool) -> None:
    assert due.reading_is_due(T - age, T, 6 * HOUR) == is_due


def test_a_refused_report_is_tried_again_a_period_later_less_what_a_cron_may_be_early() -> None:
    assert due.next_period(T, DAY) == 1_795_082_080_000
