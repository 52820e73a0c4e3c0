"""A year of crontab lines: one report a day, none skipped, none drifting, whatever the line and however late cron is.

The quick dose has fewer days of the lines that run often; `make battery` has the whole year of each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry_core import reporting
from telemetry_core.model import HOUR, MINUTE, SECOND, Kind, Millis
from tests.support.clock import ManualClock
from tests.support.desk import Desk, counted
from tests.support.dose import DOSE
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

DAY = 24 * HOUR
YEAR = 366
#: How late cron starts what it starts, at most.
LATE = 50 * SECOND


@dataclass
class Line:
    """A line of a crontab on a host with an engine and a receiver; who started what when is known."""

    every: Millis
    clock: ManualClock
    engine: SimulatedEngine
    receiver: Receiver
    desk: Desk
    reports: list[Millis] = field(default_factory=list)
    readings: list[Millis] = field(default_factory=list)

    def run(self, days: int) -> None:
        """So many days, each with one process instance; one process of many thousand `send`s, to save their starts."""
        chance = random.Random(days)
        first = self.clock.now()
        with self.desk.session() as session:
            for number in range(days * DAY // self.every):
                if number * self.every % DAY == 0:
                    self.engine.start_process()
                self.clock.set(first + number * self.every + chance.randrange(LATE))
                now, asked = self.clock.now(), len(self.engine.requests)
                done = reporting.send(session, session.engines(()), reporting.Request())
                assert not done.failed
                self.reports += [now for one in done.delivered if one.report.kind is Kind.PERIODIC]
                self.readings += [now] if len(self.engine.requests) > asked else []


@pytest.fixture
def line(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Line]:
    clock = ManualClock()
    with SimulatedEngine(now=clock.now) as engine, Receiver() as receiver:
        desk = Desk(tmp_path, clock, {"orders": engine.rest}, receiver.url)
        desk.enable()
        yield Line(request.param, clock, engine, receiver, desk)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("line", "days"),
    [
        pytest.param(DAY, YEAR, id="daily"),
        pytest.param(HOUR, YEAR if DOSE > 1 else 60, id="hourly"),
        pytest.param(5 * MINUTE, YEAR if DOSE > 1 else 14, id="every five minutes"),
    ],
    indirect=["line"],
)
def test_a_crontab_line_brings_one_report_a_day_that_neither_skips_nor_drifts(line: Line, days: int) -> None:
    line.run(days)

    slots = days + (line.every < DAY)  # a line that runs often meets the next slot 72 minutes before a day is over
    assert len(line.reports) == slots
    assert len(set(line.receiver.keys)) == len(line.receiver.received) == slots + 1, "and one initial report"
    assert sum(counted(line.receiver)) == days
    spread = line.every % DAY + LATE
    assert all(abs(later - earlier - DAY) < spread for earlier, later in pairwise(line.reports[1:])), "none is skipped"
    assert abs(line.reports[-1] - line.reports[1] - (slots - 2) * DAY) < spread, "none drifts"
    assert 0.95 * DAY - spread < line.reports[1] - line.reports[0] < DAY + spread


@pytest.mark.parametrize("line", [HOUR], indirect=True)
def test_in_between_the_engine_is_read_every_six_hours_and_not_more_often(line: Line) -> None:
    line.run(14)
    assert all(later - earlier < 7 * HOUR + LATE for earlier, later in pairwise(line.readings))
    assert len(line.readings) <= 14 * 4 + 1
