"""TERM, INT and HUP at any moment of a `send`: its status says so, it ends within a second, and nothing is lost."""

from __future__ import annotations

import random
import signal
from dataclasses import dataclass

from tests.batteries import tracing
from tests.batteries.kills import CALLS
from tests.batteries.tally import Tally, Verdict, battery, some
from tests.batteries.world import SCENES, Scene, World, recover

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
SOON = 1.0


@dataclass(frozen=True)
class Asked:
    """A try."""

    scene: Scene
    point: tracing.Point
    number: signal.Signals

    def __str__(self) -> str:
        return f"{self.scene.__name__}, {self.number.name} at {self.point}"


def run(count: int, seed: int) -> Tally:
    """So many signals; at the main thread, where the kernel delivers what is sent to a process."""
    chance = random.Random(seed)
    asked: list[Asked] = []
    for index, scene in enumerate(SCENES):
        with World.running() as world:
            scene(world)
            found = tracing.points(world.program, ["send"], CALLS, main=True)
        chosen = some(found, (count + index) // len(SCENES), chance)
        asked += [Asked(scene, point, chance.choice(SIGNALS)) for point in chosen]
    return battery("signals", seed, asked, _judge)


def _judge(asked: Asked) -> Verdict | None:
    with World.running() as world:
        asked.scene(world)
        harmed = tracing.harmed(world.program, ["send"], asked.point, f"signal={asked.number.name.removeprefix('SIG')}")
        if not harmed.happened:
            return None
        books, late = recover(world)
        # While the interpreter ends it lets signals have their own way: to a shell that is the same status.
        ended = harmed.run.status in (128 + asked.number, -asked.number)
        wrong = "" if ended and not harmed.run.stderr else f"{harmed.run}"
        if harmed.seconds > SOON:
            wrong += f" after {harmed.seconds:.1f} s"
        return Verdict(books.lost, books.doubled, late + (harmed.seconds > SOON), wrong)
