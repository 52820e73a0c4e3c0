"""A disk that is full, broken or read-only, at any call on the files of the store: once, or from then on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from tests.batteries import tracing
from tests.batteries.tally import Tally, Verdict, battery, some
from tests.batteries.world import SCENES, Scene, World, recover
from tests.support.program import Program, Run

#: What can fail in which ways; `+` is from then on.
ERRORS = {
    "openat": ("EROFS", "ENOSPC", "EIO", "EROFS+", "ENOSPC+"),
    "pwrite64": ("ENOSPC", "EIO", "ENOSPC+", "EIO+"),
    "pread64": ("EIO", "EIO+"),
    "fsync": ("EIO", "ENOSPC", "EIO+"),
    "fdatasync": ("EIO", "ENOSPC", "EIO+"),
    "ftruncate": ("EIO", "EROFS"),
    "unlink": ("EIO", "EROFS", "EROFS+"),
    "fcntl": ("EIO", "EIO+"),
    "flock": ("EIO",),
}
#: Most calls are locks; they are tried less often.
RARELY = frozenset({"fcntl", "pread64"})


@dataclass(frozen=True)
class Fault:
    """A try."""

    scene: Scene
    point: tracing.Point
    error: str

    def __str__(self) -> str:
        return f"{self.scene.__name__}, {self.error} at {self.point}"


def run(count: int, seed: int) -> Tally:
    """So many faults, evenly over the scenes; only those that happened count."""
    chance = random.Random(seed)
    faults: list[Fault] = []
    for index, scene in enumerate(SCENES):
        share = (count + index) // len(SCENES)
        found = _points(scene)
        often = [point for point in found if point.call not in RARELY]
        rarely = [point for point in found if point.call in RARELY]
        chosen = [*some(often, share - share // 4, chance), *some(rarely, share // 4, chance)]
        faults += [Fault(scene, point, chance.choice(ERRORS[point.call])) for point in chosen]
    return battery("disk", seed, faults, _judge)


def _files(program: Program) -> list[Path]:
    store = program.store
    return [store, *(store.with_name(store.name + end) for end in ("-journal", ".lock")), store.parent]


def _points(scene: Scene) -> list[tracing.Point]:
    with World.running() as world:
        scene(world)
        return tracing.points(world.program, ["send"], ERRORS, _files(world.program))


def _judge(fault: Fault) -> Verdict | None:
    with World.running() as world:
        fault.scene(world)
        action = f"error={fault.error}"
        harmed = tracing.harmed(world.program, ["send"], fault.point, action, _files(world.program))
        if not harmed.happened:
            return None
        books, late = recover(world)
        return Verdict(books.lost, books.doubled, late, _wrong(harmed.run))


def _wrong(run: Run) -> str:
    """A store that cannot be used is 8 with one line; a fault that did not matter is silent."""
    if run.status == 0 and not run.stderr and not run.stdout:
        return ""
    named = "The store " in run.errors or "The lock " in run.errors
    if run.status == 8 and run.errors.count("\n") == 1 and named:
        return ""
    return f"status {run.status}: {run.errors}"
