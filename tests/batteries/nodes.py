"""Ten nodes with one store on PostgreSQL that send at one moment, a day after the other, and a third of them is killed.

Each node has a configuration of its own and is a process of its own, and reports for all three installations. The
kills come at moments of chance, or to the sender of a report that the receiver has: before an answer, or after a part
of it. Other answers are late or lost, and work is done meanwhile. Two hours later half of the nodes, of chance, are
started again and must bring to an end what was left.

Time is passed, not waited for: the nodes' clock is set ahead in their processes, and a lease, which ends by the clock
of the database, is put back in the store by its length. The seed repeats what is tried; no ten processes run twice in
the same order.
"""

from __future__ import annotations

import os
import random
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from telemetry_core.config import Url
from telemetry_core.model import HOUR, Millis, ReportState
from tests.batteries import rush
from tests.batteries.books import Arrived, arrived, changed, excess, missing
from tests.batteries.tally import Tally, Verdict
from tests.batteries.world import DAY
from tests.support import postgresql
from tests.support.clock import ShiftedClock
from tests.support.desk import Desk
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine
from tests.support.stores import connected, url_of

NODES = 10
KILLED = 3
LIFE = 5
"""Rounds of one store; the next begin with another one, and with the initial reports."""

ENGINES = {"billing": "operaton-1.0.3", "claims": "camunda-7.17.0", "orders": "camunda-7.24.0"}
LOST = 0.3
SLOW = 0.3
SPAN = 0.8
"""Seconds that ten processes take, before it is known."""

_MODULES = ("httpx", "psycopg", "telemetry_core.store.postgresql")
#: No machine is as busy as these limits are long; a lease lasts a minute longer than the deadline.
_SETTINGS = '[reporter]\nretries = 0\ntimeout = "10m"\ndeadline = "20m"\n'
_LEASE = 22 * 60 * 1000


def missing_here() -> str | None:
    """Why no nodes can share a store here; where nothing may be skipped, the tests themselves fail instead."""
    return None if os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING") else postgresql.missing()


def run(count: int, seed: int) -> Tally:
    """So many rounds; one in which fewer than a third were killed, and nothing else was wrong, is only one more."""
    chance = random.Random(seed)
    tally = Tally("nodes", seed)
    with postgresql.running() as server:
        while len(tally.verdicts) < count:
            with Nodes.running(url_of(server, server.database()), chance) as nodes:
                for number in range(min(LIFE, count - len(tally.verdicts))):
                    tally.add(f"round {len(tally.verdicts)}", nodes.round(number))
    return tally


class Nodes:
    """Ten of them, the engines of three installations, a receiver, and a store that is not there yet."""

    def __init__(self, directory: Path, place: Url, chance: random.Random) -> None:
        self._chance = chance
        self._place = place
        self._clock = ShiftedClock()
        self._clock.behind = LIFE * DAY + HOUR
        self._receiver = Receiver()
        self._engines = {name: SimulatedEngine(capture, now=self._clock.now) for name, capture in ENGINES.items()}
        for engine in self._engines.values():
            engine.installation = str(uuid.UUID(int=chance.getrandbits(128)))
            engine.own_reporter = False
        self._programs = [self._program(directory / str(number)) for number in range(NODES)]
        self._span = SPAN
        self._before: dict[str, Counter[str]] = {}

    @classmethod
    @contextmanager
    def running(cls, place: Url, chance: random.Random) -> Iterator[Nodes]:
        """With telemetry enabled; what the engines count from here on must arrive."""
        with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
            nodes = cls(Path(directory), place, chance)
            for server in (nodes._receiver, *nodes._engines.values()):
                stack.enter_context(server)
            nodes._before = {name: engine.totals() for name, engine in nodes._engines.items()}
            nodes._desk(Path(directory)).enable()
            yield nodes

    def _program(self, directory: Path) -> Program:
        directory.mkdir()
        program = Program(
            directory, {"TELEMETRY_STORE": self._place.text.replace("://", f"://{self._place.username}@")}
        )
        secret = directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(PostgreSQL.password, encoding="utf-8")
        engines = "".join(
            f'[engines.{name}]\nrest = "{engine.rest}"\ntimeout = "10m"\n' for name, engine in self._engines.items()
        )
        endpoint = f"{self._receiver.url}/{directory.name}"  # so that the receiver knows who sends
        program.configure(f'endpoint = "{endpoint}"\nstore-password-file = "password"\n{_SETTINGS}{engines}')
        return program

    def _desk(self, directory: Path) -> Desk:
        engines = {name: engine.rest for name, engine in self._engines.items()}
        desk = Desk(directory, self._clock, engines, self._receiver.url)
        desk.place = self._place
        return desk

    def round(self, number: int) -> Verdict | None:
        """A day: work, ten processes of which three are killed, and two hours later five that are not."""
        self._clock.behind = (LIFE - number) * DAY
        for engine in self._engines.values():
            engine.start_process(self._chance.randrange(1, 9))
            if self._chance.random() < 0.5:
                engine.flush()
        due, earlier = self._counted(), {name: have.periodic for name, have in self._arrived().items()}
        killed, wrong, twice = self._send(self._programs, troubled=True)
        self._pass(2 * HOUR)
        _, worse, again = self._send(self._chance.sample(self._programs, NODES // 2), troubled=False)
        doubled = self._excess(earlier) + changed(self._receiver) + twice + again
        late = lost = self._missing(due, earlier)
        if any(late):
            self._pass(2 * HOUR)
            self._desk(self._programs[0].directory).send(force=True)
            lost = self._missing(due, earlier)
        verdict = Verdict(sum(lost), doubled, sum(map(bool, late)), wrong + worse + self._unfinished())
        return verdict if killed == KILLED or not verdict.survived else None

    def _send(self, programs: list[Program], *, troubled: bool) -> tuple[int, str, int]:
        """Let nodes send: how many were killed, what was not as promised, and how many reports more than one sent."""
        for program in programs:
            (program.directory / "said").unlink(missing_ok=True)
        before = len(self._receiver.received)
        runs = [rush.run(program, "send", behind=self._clock.behind) for program in programs]
        with rush.Rush(runs, _MODULES) as crowd:
            trouble = Trouble(self._chance, crowd, list(self._engines.values()))
            self._receiver.answer = trouble.answer if troubled else lambda _: Reply()
            begun = time.monotonic()
            crowd.begin()
            if troubled:
                trouble.kill(self._span * 0.8)
            statuses = crowd.statuses()
        if troubled:
            self._span = time.monotonic() - begun
        said = rush.said(programs)
        allowed = {0, 6, -9} if troubled else {0}  # 6: an answer was lost, and one line says so
        as_promised = set(statuses) <= allowed and ("Traceback" not in said if troubled else not said)
        wrong = "" if as_promised else f"{statuses} {said[:300]}"
        return statuses.count(-9), wrong, _of_two(self._receiver.received[before:])

    def _pass(self, length: Millis) -> None:
        """Let time pass, for nodes, engines, and leases."""
        self._clock.behind -= length
        with connected(self._place) as server:
            server.execute("UPDATE telemetry.report SET lease_until = lease_until - %s", (_LEASE,))

    def _counted(self) -> dict[str, Counter[str]]:
        counted = {name: engine.totals() for name, engine in self._engines.items()}
        for name, totals in counted.items():
            totals.subtract(self._before[name])
        return counted

    def _arrived(self) -> dict[str, Arrived]:
        bodies = list(self._receiver.committed.values())
        return {
            name: arrived(body for body in bodies if engine.installation.encode() in body)
            for name, engine in self._engines.items()
        }

    def _missing(self, due: dict[str, Counter[str]], earlier: dict[str, int]) -> list[int]:
        """What of a day's counts and reports has not arrived, for each installation."""
        return [
            missing(due[name], have.counts) + max(1 - have.initial, 0) + max(earlier[name] + 1 - have.periodic, 0)
            for name, have in self._arrived().items()
        ]

    def _excess(self, earlier: dict[str, int]) -> int:
        """What arrived beside or beyond what was counted, and reports beyond the one of a slot."""
        counted = self._counted()
        return sum(
            excess(counted[name], have.counts) + max(have.initial - 1, 0) + max(have.periodic - earlier[name] - 1, 0)
            for name, have in self._arrived().items()
        )

    def _unfinished(self) -> str:
        """What the store says of reports that are not accepted, which at the end of a day all are."""
        desk = self._desk(self._programs[0].directory)
        with desk.session() as session:
            session.store.verify()
        states = Counter(str(report.state) for report in desk.reports())
        return "" if set(states) == {str(ReportState.ACCEPTED)} else f" {dict(states)}"


class Trouble:
    """What comes over nodes and answers while ten send: three kills, answers that are late or lost, and work."""

    def __init__(self, chance: random.Random, crowd: rush.Rush, engines: list[SimulatedEngine]) -> None:
        self._chance = chance
        self._crowd = crowd
        self._engines = engines
        self._lock = threading.Lock()
        self._killed: set[int] = set()
        self._number = 0
        #: Which requests are the last of their senders; the other kills go by time.
        self._last = set(chance.sample(range(len(engines)), chance.randrange(KILLED + 1)))

    def answer(self, request: Received) -> Reply:
        """An answer of chance; work is done before it."""
        with self._lock:
            number, self._number = self._number, self._number + 1
            self._chance.choice(self._engines).start_process()
            delay, cut = self._chance.random() * SLOW, self._chance.randrange(160)
            if number in self._last:
                self._killed.add(_node(request))
                return Reply(delay=delay, cut=cut, then=lambda: self._crowd.kill(_node(request)))
            return Reply(None if self._chance.random() < LOST else 202, delay=delay)

    def kill(self, span: float) -> None:
        """Kill those that die at moments of a while, in seconds from now; blocks as long."""
        begun = time.monotonic()
        for moment in sorted(self._chance.random() * span for _ in range(KILLED - len(self._last))):
            time.sleep(max(begun + moment - time.monotonic(), 0))
            with self._lock:
                victims = sorted(set(self._crowd.alive()) - self._killed)
                if victims:
                    victim = self._chance.choice(victims)
                    self._killed.add(victim)
                    self._crowd.kill(victim)


def _node(request: Received) -> int:
    return int(request.head[0].split()[1].rpartition("/")[2])


def _of_two(requests: list[Received]) -> int:
    """Reports that were sent by more than one node while no lease can have ended."""
    senders = Counter(key for key, _ in {(request.key, _node(request)) for request in requests})
    return sum(count - 1 for count in senders.values())
