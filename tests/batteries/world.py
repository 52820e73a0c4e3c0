"""One try of a battery: an engine that counts, a receiver that commits, a store in between, and books at the end."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from telemetry_core import reporting, stamp
from tests.batteries.books import Books, arrived, changed, excess, missing
from tests.support.clock import ShiftedClock
from tests.support.desk import Desk
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

_MEMORY = Path("/dev/shm")
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
#: Limits that a busy machine does not reach: then a reading would be late, as it should be, and no report complete.
PATIENT = {
    "TELEMETRY_ENGINES__ORDERS__TIMEOUT": "10m",
    "TELEMETRY_REPORTER__TIMEOUT": "10m",
    "TELEMETRY_REPORTER__DEADLINE": "20m",
}


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
        if not isinstance(self.desk.place, Path):
            return  # a store on a server is not one of these scenes' own
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
        have = arrived(self.receiver.committed.values())
        return Books(
            lost=missing(counted, have.counts) + max(1 - have.initial, 0),
            doubled=excess(counted, have.counts) + max(have.initial - 1, 0) + changed(self.receiver),
        )


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
