"""One try of a battery: an engine that counts, a receiver that commits, a store in between, and books at the end."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from telemetry_core import reporting, stamp
from tests.support.clock import ShiftedClock
from tests.support.desk import Desk
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import PUBLIC, SimulatedEngine

_MEMORY = Path("/dev/shm")
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
#: Limits that a busy machine does not reach: then a reading would be late, as it should be, and no report complete.
PATIENT = {
    "TELEMETRY_ENGINES__ORDERS__TIMEOUT": "10m",
    "TELEMETRY_REPORTER__TIMEOUT": "10m",
    "TELEMETRY_REPORTER__DEADLINE": "20m",
}
#: What must arrive exactly; of other commands, which observing itself causes, never more than the engine counted.
EXACT = (*PUBLIC.values(), "StartProcessInstanceCmd")


@dataclass(frozen=True)
class Books:
    """What is missing at the receiver and what it has too often: counts, and initial reports."""

    lost: int
    doubled: int

    @property
    def balanced(self) -> bool:
        return self.lost == self.doubled == 0


class World:
    """An installation with everything around it; the program runs in it as a process or, to save time, in this one."""

    def __init__(self, directory: Path) -> None:
        self.clock = ShiftedClock()
        self.engine = SimulatedEngine(now=self.clock.now)
        self.receiver = Receiver()
        self.program = Program(directory)
        self.program.configure("")
        self.desk = Desk(
            self.program.store.parent, self.clock, {"orders": self.engine.rest}, self.receiver.url, **PATIENT
        )
        self.program.variables = dict(self.desk.variables)
        if "PYTHONPATH" in os.environ:
            self.program.variables["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self._before: Counter[str] = Counter()

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[World]:
        """A new one in a directory of its own, in memory where there is such a place: only processes die here."""
        with tempfile.TemporaryDirectory(dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None) as directory:
            world = cls(Path(directory))
            with world.engine, world.receiver:
                yield world

    def enable(self) -> None:
        """Consent; what the engine counts from here on must arrive."""
        before = self.engine.totals()
        self.desk.enable()
        self._before = before

    def work(self, times: int) -> None:
        self.engine.start_process(times)

    def send(self) -> None:
        """A `send` as the program does it, with the stamp that it leaves."""
        self.desk.send()
        self._leave_stamp()

    def is_misled(self) -> bool:
        """Whether a stamp would keep a `send` of now from what is due."""
        with self.desk.session() as session:
            is_due = reporting.idle_until(session) <= session.clock.now()
        return is_due and stamp.holds(*self._stamp, self.clock.now())

    @property
    def _stamp(self) -> tuple[str, str]:
        """Where the program's stamp is, and what it is written in."""
        environment = self.program.environment()
        place = stamp.place(environment, is_root=os.geteuid() == 0)
        assert place is not None
        return place, stamp.surroundings(environment, os.geteuid(), str(self.program.directory))

    def _leave_stamp(self) -> None:
        now, store, config = self.clock.now(), str(self.program.store), str(self.program.config)
        watched = [
            ("file", stamp.identity(config), config),
            ("store", stamp.identity(store, is_store=True), store),
        ]
        with self.desk.session() as session:
            until = reporting.idle_until(session)
        if until > now:
            stamp.leave(*self._stamp, written_at=now, not_before=until, watched=watched)

    def books(self) -> Books:
        """Judged by what the engine counted and what the receiver committed, not by our own store."""
        counted = self.engine.totals()
        counted.subtract(self._before)
        arrived, initial = self._arrived()
        missing = Counter({name: counted[name] - arrived[name] for name in {*EXACT, *arrived}})
        lost = sum(max(missing[name], 0) for name in EXACT) + max(1 - initial, 0)
        doubled = sum(max(-value, 0) for value in missing.values()) + max(initial - 1, 0)
        return Books(lost, doubled + self._changed())

    def _arrived(self) -> tuple[Counter[str], int]:
        arrived: Counter[str] = Counter()
        initial = 0
        for body in self.receiver.committed.values():
            internals = json.loads(body)["product"]["internals"]
            initial += set(internals) == {"telemetry-enabled"}
            for name, one in internals.get("metrics", {}).items():
                if name not in PUBLIC or name in PUBLIC.values():  # public names stand beside the legacy ones
                    arrived[name] += one["count"]
            for name, one in internals.get("commands", {}).items():
                arrived[name] += one["count"]
        return arrived, initial

    def _changed(self) -> int:
        """Requests that came with other bytes under the id of an earlier one."""
        return sum(request.body != self.receiver.committed[request.key] for request in self.receiver.received)


def first(world: World) -> None:
    """The first report, and the initial one, are due."""
    world.enable()
    world.work(3)


def periodic(world: World) -> None:
    """The second periodic report is due."""
    world.clock.behind = DAY + 60 * MINUTE
    world.enable()
    world.work(2)
    world.send()
    world.clock.behind = 0
    world.work(3)


def resend(world: World) -> None:
    """A report whose answer was lost is due again, and more was counted since."""
    world.clock.behind = DAY + 60 * MINUTE
    world.enable()
    world.send()
    world.clock.behind = 10 * MINUTE
    world.work(4)
    world.receiver.answer = lambda _: Reply(status=None)
    world.send()
    world.receiver.answer = lambda _: Reply()
    world.clock.behind = 0
    world.work(2)


Scene = Callable[[World], None]
SCENES: tuple[Scene, ...] = (first, periodic, resend)


def recover(world: World) -> tuple[Books, int]:
    """The books after one more `send`, which must do, and whether it took another or a stamp would have delayed it."""
    late = int(world.is_misled())
    world.desk.send(force=True)
    books = world.books()
    if not books.balanced:
        world.desk.send(force=True)
        books, late = world.books(), 1
    with world.desk.session() as session:
        session.store.verify()
    return books, late
