"""Answers that get lost after each byte, once or several times in a row, when the receiver has committed already."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.batteries.tally import Tally, Verdict, battery, some
from tests.batteries.world import SCENES, Scene, World, recover
from tests.support.receiver import Reply

BODY = b'{"receipt":"6b1f0c3e"}'
#: Longer than the answer, so that some are whole.
LONGEST = 180


@dataclass(frozen=True)
class Lost:
    """A try: how many answers in a row end after how many bytes."""

    scene: Scene
    after: int
    times: int

    def __str__(self) -> str:
        return f"{self.scene.__name__}, {self.times} answers lost after {self.after} bytes"


def run(count: int, seed: int) -> Tally:
    """So many tries, over all scenes and bytes."""
    chance = random.Random(seed)
    ways = [(scene, after) for after in range(LONGEST) for scene in SCENES]
    tries = [Lost(scene, after, chance.choice((1, 1, 2, 5))) for scene, after in some(ways, count, chance)]
    return battery("answers", seed, tries, _judge)


def _judge(lost: Lost) -> Verdict:
    with World.running() as world:
        lost.scene(world)
        world.receiver.answer = lambda _: Reply(cut=lost.after, body=BODY)
        world.desk.send()
        for _ in range(lost.times - 1):
            world.work(1)
            world.desk.send(force=True)
        world.receiver.answer = lambda _: Reply(body=BODY)
        books, late = recover(world)
        return Verdict(books.lost, books.doubled, late)
