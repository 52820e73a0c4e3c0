"""A resident reporter that is ended at any moment, asked or killed, while the engine works: nothing is lost."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from tests.batteries.tally import Tally, Verdict, battery
from tests.batteries.world import SCENES, Scene, World, recover
from tests.support.waiting import until

ASKED = (signal.SIGTERM, signal.SIGINT)
#: Reports, readings and looks in close order, so that there is always something under way.
FAST = {
    "TELEMETRY_REPORTER__PERIOD": "1s",
    "TELEMETRY_REPORTER__SAMPLE_PERIOD": "1s",
    "TELEMETRY_REPORTER__INITIAL_DELAY": "1s",
}


@dataclass(frozen=True)
class Ended:
    """A try: after so many seconds from the first report on."""

    scene: Scene
    number: signal.Signals
    after: float

    def __str__(self) -> str:
        return f"{self.scene.__name__}, {self.number.name} after {self.after:.2f} s"


def run(count: int, seed: int) -> Tally:
    """So many ends."""
    chance = random.Random(seed)
    return battery(
        "ends",
        seed,
        [
            Ended(SCENES[number % len(SCENES)], chance.choice([*ASKED, signal.SIGKILL]), chance.uniform(0, 2))
            for number in range(count)
        ],
        _judge,
    )


def _judge(ended: Ended) -> Verdict:
    with World.running() as world:
        ended.scene(world)
        before = len(world.receiver.received)
        with _working(world), world.program.running("run", variables=FAST) as running:
            until(lambda: len(world.receiver.received) > before, "a report")
            time.sleep(ended.after)
            done = running.end(ended.number)
        books, late = recover(world)
        well = done.status == (0 if ended.number in ASKED else -ended.number) and not done.stderr
        return Verdict(books.lost, books.doubled, late, "" if well else f"{done}")


@contextmanager
def _working(world: World) -> Iterator[None]:
    """The engine works, in a thread of its own."""
    over = Event()

    def work() -> None:
        while not over.wait(0.02):
            world.work(1)

    worker = Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()
