"""When something is to be sent: slots, the first contact's delay, and the waits between attempts; pure functions."""

from __future__ import annotations

from telemetry_core.model import HOUR, MINUTE, Millis, State

UNDECIDED_DELAY: Millis = 3 * HOUR
"""How long the initial report waits after the first contact while nothing was decided: the engine's own delay."""

_EARLY = 0.05
_LONGEST_WAIT = 60 * MINUTE


def phase(first_report_at: Millis, period: Millis) -> Millis:
    """From when slots are counted: 5 % of a period before the first report, so that a daily cron is never early."""
    return first_report_at - round(period * _EARLY)


def slot(now: Millis, phase_at: Millis, period: Millis) -> Millis:
    """The slot that an instant lies in, named by the instant it starts at."""
    return phase_at + (now - phase_at) // period * period


def on_time(slot_at: Millis, period: Millis) -> Millis:
    """The instant in a slot that is a whole number of periods after the first report."""
    return slot_at + round(period * _EARLY)


def initial_due_at(state: State, first_contact_at: Millis, now: Millis) -> Millis:
    """When the initial report is due: at the next `send` once decided, else three hours after the first contact.

    A first contact in the future was noted by a clock that went wrong; it counts as now.
    """
    if state is not State.NOT_CONFIGURED:
        return min(first_contact_at, now)
    return min(first_contact_at, now) + UNDECIDED_DELAY


def reading_is_due(read_at: Millis, now: Millis, sample_period: Millis) -> bool:
    """Whether the last reading is older than a sample period; in the future, a clock had gone wrong."""
    return not read_at <= now < read_at + sample_period


def next_attempt(now: Millis, failed_runs: int, retry_after: float | None, period: Millis) -> Millis:
    """When a pending report is tried again: after 1, 2, 4 ... 60 minutes, or what the receiver asks for.

    Args:
        now: The end of the run that failed.
        failed_runs: How many runs have failed, this one included.
        retry_after: Seconds from `Retry-After`, None without; never more than a period is obeyed.
        period: The reporter's period.
    """
    wait = min(MINUTE << min(failed_runs - 1, 10), _LONGEST_WAIT)
    if retry_after is not None:
        wait = max(wait, round(retry_after * 1000))
    return now + min(wait, period)


def next_period(now: Millis, period: Millis) -> Millis:
    """When a refused report is tried again."""
    return now + period - round(period * _EARLY)
