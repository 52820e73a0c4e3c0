"""Minute and second come from the installation, and spread over hosts as evenly as chance would."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import replace

import pytest

from telemetry_core.model import HOUR, SECOND
from telemetry_core.schedule import Every, offset, often_enough
from tests.core.schedule.jobs import JOB

HOSTS = 100_000


def installations() -> list[str]:
    chance = random.Random(7)
    return [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(HOSTS)]


@pytest.mark.parametrize("every", [Every.HOURLY, Every.QUARTER, Every.FIVE_MINUTES])
def test_of_100_000_hosts_no_second_has_more_than_three_times_the_mean(every: Every) -> None:
    seconds: Counter[int] = Counter()
    for installation in installations():
        job = replace(JOB, every=every, offset=offset(installation))
        seconds[job.minute * 60 + job.second] += 1
    length = every.length // SECOND
    assert sum(seconds.values()) == HOSTS
    assert set(seconds) <= set(range(length))
    assert max(seconds.values()) <= 3 * HOSTS / length


def test_where_all_run_once_a_day_no_minute_has_more_than_twice_the_mean() -> None:
    minutes: Counter[tuple[int, int]] = Counter()
    for installation in installations():
        job = replace(JOB, every=Every.DAILY, offset=offset(installation))
        minutes[job.hour, job.minute] += 1
    assert len(minutes) == 24 * 60
    assert max(minutes.values()) <= 2 * HOSTS / len(minutes)


def test_ids_that_count_up_spread_as_well() -> None:
    seconds = Counter(offset(f"camunda-{number}") % (HOUR // SECOND) for number in range(HOSTS))
    assert max(seconds.values()) <= 3 * HOSTS / 3600


def test_one_installation_always_has_the_same_second() -> None:
    assert offset("8343cc7a-8ad1-42d4-97d2-43452c0bdfa3") == 26041


@pytest.mark.parametrize(
    ("minutes", "every"),
    [
        (365 * 24 * 60, Every.HOURLY), (24 * 60, Every.HOURLY), (60, Every.HOURLY), (59, Every.QUARTER),
        (15, Every.QUARTER), (14, Every.FIVE_MINUTES), (1, Every.FIVE_MINUTES),
    ],
)  # fmt: skip
def test_send_is_called_once_an_hour_and_more_often_where_reports_are_due_more_often(
    minutes: int, every: Every
) -> None:
    assert often_enough(minutes * 60_000) is every
