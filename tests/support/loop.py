"""The whole loop around a simulated installation: an administrator, a reporter that may die, and books of it all.

The books hold what DESIGN promises: what has left, or waits to, is what the engine counted in times of consent. Where
DESIGN lets something be lost or moved, the very counts are booked, with the sentence that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from telemetry_core import delivery
from telemetry_core.errors import EngineError
from telemetry_core.model import Kind, Ledger, Millis
from telemetry_core.reporting import observing
from tests.support.books import Books, Reports
from tests.support.clock import ManualClock
from tests.support.crossroads import INSTALLATION, Crossroads
from tests.support.desk import Desk
from tests.support.meter_table import MeterTable
from tests.support.world import MINUTE, World, by_name


class Killed(BaseException):
    """The reporter's process ends at once."""


class MortalClock(ManualClock):
    """A clock at which the process dies when it looks for the last time."""

    looks: int | None = None

    def now(self) -> Millis:
        if self.looks is not None:
            self.looks -= 1
            if self.looks < 0:
                raise Killed
        return super().now()


@dataclass(frozen=True)
class Installation:
    """What a history happens to.

    Attributes:
        skews: What the nodes' clocks are ahead; one node each.
        start_dates: Whether the release says when a node's life began.
        balanced: Whether one address is listed, of a load balancer before all nodes.
        database: Whether metrics come from the database, where there is one.
    """

    skews: tuple[Millis, ...]
    start_dates: bool
    balanced: bool
    database: bool


class Loop:
    """One history; each method with a name of its own is one event in it.

    Args:
        crossroads: The server that shows the installation.
        table: The engine's database, None where there is none.
        directory: Where the store is.
        installation: What it happens to.
    """

    def __init__(
        self, crossroads: Crossroads, table: MeterTable | None, directory: Path, installation: Installation
    ) -> None:
        self.world = World(list(installation.skews))
        self.crossroads = crossroads
        crossroads.begin(self.world, start_dates=installation.start_dates)
        self._table = table
        self.balanced = installation.balanced
        self.database = installation.database and table is not None
        self.listed = list(range(len(installation.skews)))
        self.clock = MortalClock(self.world.now)
        self.desk = Desk(directory, self.clock, {}, f"{crossroads.root}/pings")
        self.offset: Millis = 0
        self.books = Books(self.world, crossroads, start_dates=installation.start_dates, balanced=self.balanced)

    def work(self, place: int, times: int) -> None:
        self.world.work(place % len(self.world.nodes), times)

    def toil(self, place: int, times: int, length: Millis) -> None:
        """Work on one node, and some time for it to be flushed."""
        self.work(place, times)
        self.wait(length)

    def wait(self, length: Millis) -> None:
        self.world.wait(length)

    def restart(self, place: int) -> None:
        self.world.restart(place % len(self.world.nodes))

    def kill(self, place: int) -> None:
        """What it had not flushed is gone for everyone (DESIGN §4: "a later one is a kill or a purge: count 0")."""
        before = by_name(self.world.killed)
        self.world.kill(place % len(self.world.nodes))
        self.books.lose(by_name(self.world.killed) - before)

    def late(self, place: int, delay: Millis) -> None:
        """Over REST a transaction is over within half a minute; rows may come late ("late flushes do no harm")."""
        delay = delay if self.database else delay % 30_000
        self.world.flush(place % len(self.world.nodes), delay)

    def purge(self, older_than: Millis) -> None:
        self.books.lose(self.world.purge(older_than))

    def backup(self) -> None:
        self.world.backup()

    def restore(self) -> None:
        """Over REST rows that vanish and come back are a purge, and new counts: no sum tells them from such."""
        vanished, returned = self.world.restore()
        self.books.lose(vanished)
        self.books.gain(returned)

    def set_clock(self, offset: Millis) -> None:
        self.offset = offset

    def fall_silent(self, place: int) -> None:
        """A node is out of reach, or is back."""
        node = self.world.nodes[place % len(self.world.nodes)]
        node.answers = not node.answers

    def list_nodes(self, order: tuple[int, ...]) -> None:
        """Other nodes are configured, or in another order."""
        size = len(self.world.nodes)
        self.listed = list(dict.fromkeys(place % size for place in order))

    def change_source(self) -> None:
        """DESIGN §4: "changing the source takes a new base"."""
        if self._table is not None:
            self.database = not self.database
            self.books.may_begin_anew = True

    def withhold(self, *fields: str) -> None:
        """DESIGN §4: "a withheld one is dropped as if sent"."""
        self.desk.variables["TELEMETRY_WITHHOLD"] = ",".join(fields)

    def send(self, replies: Iterable[str] = (), *, force: bool = True, looks: int | None = None) -> None:
        """A send; with `looks` its process is killed when it has looked at the clock so often."""
        self.crossroads.replies.extend(replies)
        self._look(lambda: self.desk.send(force=force), looks=looks)
        self.crossroads.replies.clear()

    def send_plainly(self) -> None:
        self.send(force=False)

    def die(self, looks: int, replies: Iterable[str] = ()) -> None:
        self.send(replies, looks=looks)

    def read(self) -> None:
        """A reading in between, as of a resident reporter; nothing is sent."""
        self._look(lambda: self._observe(keep=True))

    def preview(self) -> None:
        """A reading that is not kept."""
        self._look(lambda: self._observe(keep=False))

    def keep(self) -> None:
        if self.world.consent:
            self._look(self.desk.keep)

    def resolve(self) -> None:
        """An administrator asks at the receiver what became of a report whose answer was lost."""
        with self.desk.session() as session:
            pending = session.store.reports.pending(INSTALLATION, Kind.PERIODIC)
            unknown = pending is not None and pending.maybe_arrived
            if pending is not None and unknown:
                accepted = pending.id in self.crossroads.kept
                delivery.resolve(pending, session.store, self.clock.now(), accepted=accepted)

    def switch(self) -> None:
        """Consent is given, or taken back."""
        if self.world.consent:
            self.check()
            self.world.consent = 0
            self._look(self.desk.disable, book=False)
            self.books.close()
            return
        self._all_answer()
        self.listed = list(range(len(self.world.nodes)))
        if self.balanced:  # DESIGN §3, "REST with one node: at once": nothing tells of the nodes behind the address
            for place in range(len(self.world.nodes)):
                self.world.flush(place)
        self._look(self.desk.enable, book=False)
        self.books.open(self.offset, {report.id for report in self.desk.reports()})
        self._book(None)

    def settle(self) -> None:
        """Everything flushed, read and delivered."""
        self.set_clock(0)
        for _ in range(3):
            self._all_answer()
            self.world.wait(13 * 60 * MINUTE)
            self.send()
        self.send()

    def check(self, *, settled: bool = False) -> None:
        """What is promised at any time; and, once all is settled, that nothing is left out."""
        assert self.crossroads.changed == [], "the same key never comes with other bytes"
        ledger, reports = self._kept()
        self.books.check(ledger, reports, settled=settled)

    def _all_answer(self) -> None:
        for node in self.world.nodes:
            node.answers = True

    def _observe(self, *, keep: bool) -> None:
        with self.desk.session() as session, suppress(EngineError):
            observing.observe(session, session.group(session.config.engines[0]), keep=keep)

    def _kept(self) -> tuple[Ledger | None, Reports]:
        with self.desk.session() as session:
            reports = session.store.reports
            every = [(report, reports.attempts(report.id)) for report in reports.newest_first()]
            return session.store.ledgers.get(INSTALLATION), every

    def _book(self, before: Ledger | None) -> None:
        withheld = self.desk.variables.get("TELEMETRY_WITHHOLD", "")
        self.books.book(before, *self._kept(), offset=self.offset, withheld=withheld)

    def _look(self, act: Callable[[], object], *, book: bool = True, looks: int | None = None) -> None:
        """Do something in a new process, a moment later, and book what its reading has seen."""
        self.world.wait(1)
        self.clock.set(self.world.now + self.offset)
        self._configure()
        before, _ = self._kept()
        self.crossroads.said.clear()
        self.clock.looks = looks
        with suppress(Killed, EngineError):
            act()
        self.clock.looks = None
        if book:
            self._book(before)

    def _configure(self) -> None:
        root, variables = self.crossroads.root, self.desk.variables
        places = ["balanced"] if self.balanced else [f"node{place}" for place in self.listed]
        variables["TELEMETRY_ENGINES__ORDERS__NODES"] = ",".join(f"{root}/{place}/engine-rest" for place in places)
        variables.pop("TELEMETRY_ENGINES__ORDERS__DATABASE", None)
        if self.database and self._table is not None:
            self._table.show(self.world.rows)
            variables["TELEMETRY_ENGINES__ORDERS__DATABASE"] = self._table.url
