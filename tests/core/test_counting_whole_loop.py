"""Counts are conserved from the engine to the receiver's books, whatever happens in between: one property of all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as some

from tests.support import postgresql as servers
from tests.support.crossroads import INSTALLATION, REPLIES, Crossroads
from tests.support.dose import DOSE, dose
from tests.support.loop import Installation, Loop
from tests.support.meter_table import MeterTable

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
SIZE = 3

Event = tuple[str, tuple[object, ...]]

place = some.integers(0, SIZE - 1)
length = some.one_of(
    some.integers(1, 90 * SECOND), some.integers(MINUTE, 40 * MINUTE), some.integers(MINUTE, 40 * MINUTE),
    some.integers(HOUR, 30 * HOUR), some.integers(25 * HOUR, 60 * HOUR),
)  # fmt: skip
reply = some.sampled_from(sorted(REPLIES))
replies = some.lists(reply, max_size=2)
skew = some.sampled_from([0, 0, 0, 7 * SECOND, -90 * MINUTE, 5 * HOUR, -5 * HOUR])


def event(name: str, *arguments: some.SearchStrategy[object]) -> some.SearchStrategy[Event]:
    return some.tuples(some.just(name), some.tuples(*arguments))


EVENTS = {
    "engine": some.one_of(
        event("toil", place, some.integers(1, 40), some.integers(MINUTE, 20 * MINUTE)),
        event("toil", place, some.integers(1, 40), some.integers(MINUTE, 20 * MINUTE)),
        event("work", place, some.integers(1, 40)),
        event("wait", length),
        event("restart", place),
        event("kill", place),
        event("late", place, some.integers(1, 12 * HOUR)),
    ),
    "database": some.one_of(event("purge", some.integers(0, 60 * HOUR)), event("backup"), event("restore")),
    "configuration": some.one_of(
        event("list_nodes", some.lists(place, min_size=1, max_size=SIZE).map(tuple)),
        event("change_source"),
        event("fall_silent", place),
        event("set_clock", some.integers(-150 * MINUTE, 150 * MINUTE)),
        event("withhold", some.sampled_from(["", "metrics", "commands.StartProcessInstanceCmd"])),
        event("switch"),
    ),
    "reporter": some.one_of(
        event("send", replies),
        event("send", replies),
        event("send_plainly"),
        event("read"),
        event("preview"),
        event("keep"),
        event("die", some.integers(0, 40), replies),
        event("resolve"),
    ),
}
history = some.lists(
    some.one_of(EVENTS["engine"], EVENTS["engine"], EVENTS["reporter"], EVENTS["reporter"],
                EVENTS["database"], EVENTS["configuration"]),
    min_size=25, max_size=50,
)  # fmt: skip

installations = some.builds(
    Installation,
    skews=some.lists(skew, min_size=1, max_size=SIZE).map(tuple),
    start_dates=some.booleans(),
    balanced=some.sampled_from([False, False, True]),
    database=some.booleans(),
)


@pytest.fixture(scope="module")
def crossroads() -> Iterator[Crossroads]:
    with Crossroads() as running:
        yield running


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[MeterTable | None]:
    """Where there is no PostgreSQL, the same histories are told over REST alone."""
    if servers.missing() and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        yield None
        return
    made = MeterTable(request.getfixturevalue("postgresql"), INSTALLATION)
    yield made
    made.close()


@pytest.mark.timeout(300 * DOSE)
@settings(dose(25), phases=[Phase.generate])  # making a failing history smaller takes longer than reading it
@given(installations, history)
def test_what_has_left_is_what_the_engine_counted_in_times_of_consent(
    crossroads: Crossroads, table: MeterTable | None, installation: Installation, happening: list[Event]
) -> None:
    """Never more, at any time, and nothing less once all is settled.

    Excluded is what `tests/support/books.py` and `loop.py` book, each with the sentence of DESIGN that names it.
    """
    with tempfile.TemporaryDirectory() as directory:
        loop = Loop(crossroads, table, Path(directory), installation)
        for number in range(len(installation.skews)):
            loop.work(number, 5)
        loop.wait(20 * MINUTE)
        for number in range(len(installation.skews)):
            loop.work(number, 11)
        loop.switch()
        for number, (name, arguments) in enumerate(happening):
            getattr(loop, name)(*arguments)
            try:
                loop.check()
            except AssertionError as failure:
                failure.add_note(f"after event {number}, {name}{arguments}")
                raise
        loop.settle()
        loop.check(settled=True)
