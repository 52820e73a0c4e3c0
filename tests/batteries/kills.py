"""kill -9 at any moment of a `send`, from the first touch of the store to the end."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from dataclasses import dataclass

from tests.batteries import tracing
from tests.batteries.tally import Tally, Verdict, battery, some
from tests.batteries.world import SCENES, Scene, World, first, recover
from tests.support.receiver import Received, Reply

CALLS = (
    "openat", "close", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "rename", "fcntl", "flock",
    "socket", "connect", "sendto", "recvfrom", "futex", "clone3", "exit_group",
)  # fmt: skip
#: Where something is changed; the others are mostly imports and locks.
WEIGHTY = frozenset(
    {"pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "connect", "sendto", "recvfrom", "clone3"}
)


@dataclass(frozen=True)
class Kill:
    """A try: at a system call, or as the receiver sees it: at the head of a request, or after bytes of its answer."""

    scene: Scene
    at: tracing.Point | int | None

    def __str__(self) -> str:
        return f"{self.scene.__name__} at {self.at}"


def run(count: int, seed: int) -> Tally:
    """So many kills, evenly over the scenes; only those that happened count."""
    chance = random.Random(seed)
    kills: list[Kill] = []
    for index, scene in enumerate(SCENES):
        share = (count + index) // len(SCENES)
        found = _points(scene)
        weighty = [point for point in found if point.call in WEIGHTY]
        others = [point for point in found if point.call not in WEIGHTY]
        seen_there: list[tracing.Point | int | None] = [None, *(chance.randrange(160) for _ in range(share // 8))]
        rest = share - len(seen_there)
        chosen = [*seen_there, *some(weighty, rest - rest // 3, chance), *some(others, rest // 3, chance)]
        kills += [Kill(scene, at) for at in chosen[:share]]
    return battery("kills", seed, kills, _judge)


def _points(scene: Scene) -> list[tracing.Point]:
    with World.running() as world:
        scene(world)
        return tracing.points(world.program, ["send"], CALLS)


def _judge(kill: Kill) -> Verdict | None:
    with World.running() as world:
        kill.scene(world)
        if isinstance(kill.at, tracing.Point):
            harmed = tracing.harmed(world.program, ["send"], kill.at, "signal=KILL")
            if not harmed.happened:
                return None
        elif not _killed_from_the_receiver(world, kill.scene, kill.at):
            return None
        books, late = recover(world)
        return Verdict(books.lost, books.doubled, late)


def _killed_from_the_receiver(world: World, scene: Scene, cut: int | None) -> bool:
    """Kill at the head of a request (None), or after it was committed and so many bytes of the answer were sent."""
    process = subprocess.Popen(
        [sys.executable, "-m", "telemetry_admin", "send"], env=world.program.environment(), cwd=world.program.directory
    )
    before = len(world.receiver.received)

    def answer(_: Received) -> Reply:
        spared = scene is first and cut is not None and cut % 2 and len(world.receiver.received) == before + 1
        return Reply() if spared else Reply(cut=cut, then=process.kill)

    if cut is None:
        world.receiver.on_head = process.kill
    world.receiver.answer = answer
    status = process.wait(60)
    world.receiver.answer, world.receiver.on_head = lambda _: Reply(), lambda: None
    return status == -signal.SIGKILL
