"""Two entries that show one installation: what each of them counted before its own consent does not leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clock import ManualClock
from tests.support.crossroads import Crossroads
from tests.support.desk import Desk
from tests.support.world import MINUTE, World


@pytest.fixture
def crossroads() -> Iterator[Crossroads]:
    with Crossroads() as running:
        yield running


class Pair:
    """Two nodes of one installation, each an entry of its own, both with work in their memory."""

    def __init__(self, crossroads: Crossroads, directory: Path) -> None:
        self.world = World([0, 0])
        crossroads.begin(self.world, start_dates=True)
        self.crossroads = crossroads
        self.clock = ManualClock(self.world.now)
        root = crossroads.root
        engines = {name: f"{root}/node{place}/engine-rest" for place, name in enumerate(("one", "two"))}
        self.desk = Desk(directory, self.clock, engines, f"{root}/pings")

    def wait(self, minutes: int) -> None:
        self.world.wait(minutes * MINUTE)
        self.clock.set(self.world.now)

    def counted(self, point: str, name: str) -> int:
        bodies = (json.loads(body)["product"]["internals"] for body in self.crossroads.kept.values())
        return sum(body.get(point, {}).get(name, {"count": 0})["count"] for body in bodies)


@pytest.mark.parametrize("between", [1, 300])
def test_what_the_node_of_a_second_entry_counted_before_its_consent_does_not_leave(
    crossroads: Crossroads, tmp_path: Path, between: int
) -> None:
    pair = Pair(crossroads, tmp_path)
    pair.world.work(1, 11)
    pair.wait(1)
    pair.desk.enable("one")
    pair.wait(between)
    pair.world.restart(1)
    pair.world.work(1, 7)
    pair.wait(1)
    pair.desk.enable("two")
    pair.wait(20)
    pair.desk.send(force=True)
    pair.world.work(0, 3)
    pair.world.work(1, 5)
    pair.wait(20)
    pair.desk.send(force=True)
    assert pair.counted("commands", "StartProcessInstanceCmd") == 8
    if between < 16:  # later they are the installation's, in times of the first entry's consent
        assert pair.counted("metrics", "root-process-instance-start") == 8


def test_what_the_first_entry_counted_until_a_second_one_joins_it_is_not_lost(
    crossroads: Crossroads, tmp_path: Path
) -> None:
    pair = Pair(crossroads, tmp_path)
    pair.desk.enable("one")
    pair.world.work(0, 4)
    pair.wait(60)
    pair.desk.enable("two")
    pair.wait(20)
    pair.desk.send(force=True)
    pair.wait(1)
    pair.desk.send(force=True)
    assert pair.counted("commands", "StartProcessInstanceCmd") == 4
    assert pair.counted("metrics", "root-process-instance-start") == 4
