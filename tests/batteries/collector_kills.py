"""kill -9 of the collector at any moment, from its start on, while reporters send: what was acknowledged counts once.

The store stays over all kills, so that a later one cannot take what an earlier one has left. Every fifth kill is of a
collector on PostgreSQL, where there is one.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from contextlib import ExitStack, suppress

from tests.batteries.fleet import Books, Fleet, place, settled
from tests.batteries.tally import Tally
from tests.support import postgresql
from tests.support.collecting import Collector
from tests.support.program import Program

_EVERY = 5
_LONGEST = 0.6
"""Seconds from the first answer to the kill."""

_STARTING = 0.1
"""Of all kills those that come while it starts, at any moment of so many seconds."""

_START_SECONDS = 0.8


def run(count: int, seed: int) -> Tally:
    """So many kills."""
    chance = random.Random(seed)
    tally = Tally("collector_kills", seed)
    with ExitStack() as stack:
        programs = [stack.enter_context(place())]
        if postgresql.missing() is None:
            server = stack.enter_context(postgresql.running())
            programs.append(stack.enter_context(place()))
            programs[1].variables["TELEMETRY_STORE"] = server.url(server.database())
        books = [Books() for _ in programs]
        kills: list[list[str]] = [[] for _ in programs]
        for number in range(count):
            which = int(len(programs) > 1 and number % _EVERY == _EVERY - 1)
            kills[which].append(_kill(programs[which], books[which], len(kills[which]), chance))
        for program, book, names in zip(programs, books, kills, strict=True):
            if names:
                settled(program, book, len(names) - 1)
                for name, verdict in zip(names, book.judged(program, len(names)), strict=True):
                    tally.add(name, verdict)
    tally.more = f", {sum(len(book.acknowledged) for book in books)} reports acknowledged"
    return tally


def _kill(program: Program, books: Books, number: int, chance: random.Random) -> str:
    """Start it, let reporters send, and kill it; what that was."""
    if chance.random() < _STARTING:
        after = chance.uniform(0, _START_SECONDS)
        collector = Collector(program)
        with Fleet(collector.port, books, number, chance):
            time.sleep(after)
            collector.end(signal.SIGKILL)
        return f"kill {number}, {after:.3f} s after the start"
    after = chance.uniform(0, _LONGEST)
    with Collector(program) as collector, Fleet(collector.port, books, number, chance):
        time.sleep(after)
        with suppress(subprocess.TimeoutExpired):
            collector.end(signal.SIGKILL)
    return f"kill {number}, {after:.3f} s after it was ready"
