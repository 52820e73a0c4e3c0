"""A hundred simultaneous starts of `send` on one host: one report, and the others are silent."""

from __future__ import annotations

import random
from collections import Counter

from tests.batteries import rush
from tests.batteries.tally import Tally, Verdict
from tests.batteries.world import SCENES, World
from tests.support.receiver import Reply

CROWD = 100
SLOW = 0.5
"""Seconds that the receiver takes, so that whoever starts late meets a report that is on its way."""

_ALLOWED = {0, 7}


def run(count: int, seed: int) -> Tally:
    """So many rounds."""
    chance = random.Random(seed)
    tally = Tally("starts", seed)
    for number in range(count):
        scene = SCENES[number % len(SCENES)] if number < len(SCENES) else chance.choice(SCENES)
        with World.running() as world:
            scene(world)
            before = len(world.receiver.received)
            world.receiver.answer = lambda _: Reply(delay=SLOW)
            statuses, said = _rush(world)
            sent = [request.key for request in world.receiver.received[before:]]
            twice = len(sent) - len(set(sent))
            balanced = world.books() if scene.__name__ != "resend" else None
            wrong = "" if set(statuses) <= _ALLOWED and not said else f"{dict(statuses)} {said[:300]}"
            lost, doubled = (balanced.lost, balanced.doubled) if balanced else (int(not sent), len(set(sent[1:])))
            tally.add(f"{number} {scene.__name__}", Verdict(lost, doubled + twice, 0, wrong))
    return tally


def _rush(world: World) -> tuple[Counter[int], str]:
    """How all of them ended, and what they said."""
    with rush.Rush([rush.run(world.program, "send")] * CROWD) as crowd:
        crowd.begin()
        return Counter(crowd.statuses()), rush.said([world.program])
