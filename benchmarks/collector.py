"""What durable reports cost beside the same application that stores nothing, on SQLite and on PostgreSQL.

Both are the program's own `collector serve`, each in a process of its own; the other one has a writer that answers at
once (`null_collector`). Reports are judged valid by both; each is new, with a key and an installation of its own, so
that indexes are met at random places. They come by wrk over 64 connections, and over 256. Turns are short and go to and
fro, and what is compared is a turn with its neighbour: a machine that is slow for a while is so for both. Between them
the disk says, in the same directory, how often a second it takes 4 KiB at the end of a file durably (fdatasync).

Then reports come at half of the rate that was reached, steadily, and each counts from when it was due.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from benchmarks import steady
from tests.support import postgresql
from tests.support.collected import execute
from tests.support.collecting import CAPTURES, ROOT, Collector
from tests.support.program import Program
from tests.support.stores import url_of

ROUNDS = {64: 15, 256: 7}
"""By the number of connections; the first are those that count."""

COUNTED = 64
TURN = 2.0
STEADY = 10.0
STEADY_ROUNDS = 3
SHARE = 0.45
TIMES_SYNCS = 2.0
SOON = 0.050
"""Seconds: the 99th percentile at half the load."""

PLACE = Path("/var/tmp")
"""By the file hierarchy's standard on a disk, and open to the user that PostgreSQL runs as."""

REPORT = CAPTURES / "7.17.0" / "002.body"
INSTALLATION = json.loads(REPORT.read_bytes())["installation"]
_SCRIPT = Path(__file__).with_name("reports.lua")


@dataclass
class Found:
    """What was measured of one store."""

    ours: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in ROUNDS})
    null: dict[int, list[float]] = field(default_factory=lambda: {count: [] for count in ROUNDS})
    syncs: list[float] = field(default_factory=list)
    slowest: list[float] = field(default_factory=list)
    acknowledged: int = 0

    def share(self, count: int) -> float:
        """The median of what a turn reaches of its neighbour."""
        return statistics.median(one / other for one, other in zip(self.ours[count], self.null[count], strict=True))


def main() -> int:
    """Print the ratios; 1 if one of them is missed."""
    if shutil.which("wrk") is None:
        print("collector: not measured, there is no wrk")
        return 0
    missed = measured_and_missed("sqlite", None)
    reason = postgresql.missing()
    if reason is not None:
        print(f"collector postgresql: not measured, {reason}")
        return int(missed)
    with postgresql.running(PLACE, durable=True) as server:
        return int(measured_and_missed("postgresql", server) or missed)


def measured_and_missed(name: str, server: postgresql.PostgreSQL | None) -> bool:
    """Measure with one kind of store, say what was found, and whether it is worse than promised."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=PLACE)))
        program, other = (Program(directory / one) for one in ("ours", "null"))
        for one in (program, other):
            one.directory.mkdir()
            one.config.touch()
        database = "" if server is None else server.database()
        place = program.store if server is None else url_of(server, database)
        if server is not None:
            program.variables["TELEMETRY_STORE"] = server.url(database)
        ours = stack.enter_context(Collector(program))
        null = stack.enter_context(without_store(other))
        found = measure(ours, null, directory)
        kept = int(str(execute(place, "SELECT count(*) FROM receipt")[0][0]))
    assert kept >= found.acknowledged, f"{kept} of {found.acknowledged} are there"
    return said(name, found)


def said(name: str, found: Found) -> bool:
    """Print it; whether something is missed."""
    rate, syncs = statistics.median(found.ours[COUNTED]), statistics.median(found.syncs)
    slowest = statistics.median(found.slowest)
    missed = found.share(COUNTED) < SHARE, rate / syncs < TIMES_SYNCS, slowest > SOON
    notes = [", missed" if one else "" for one in missed]
    for count, target in ((count, f" (target {SHARE}{notes[0]})" if count == COUNTED else "") for count in ROUNDS):
        one, other = statistics.median(found.ours[count]), statistics.median(found.null[count])
        rates = f"medians {one:.0f}/s / {other:.0f}/s"
        print(f"collector {name}, {count} connections: stored/null {found.share(count):.2f}{target}, {rates}")
    print(f"collector {name}: reports/fdatasync {rate / syncs:.2f} (target {TIMES_SYNCS:g}{notes[1]}), {syncs:.0f}/s")
    limit = f"(target {SOON * 1000:.0f} ms{notes[2]})"
    print(f"collector {name}: p99 {slowest * 1000:.1f} ms {limit} at half of it, {rate / 2:.0f}/s")
    return any(missed)


def measure(ours: Collector, null: Collector, directory: Path) -> Found:
    """Turns of both, and of the disk; the first of each is to get warm."""
    found = Found()
    for count, rounds in ROUNDS.items():
        for number in range(rounds + 1):
            rates = {}
            for one in (ours, null) if number % 2 == 0 else (null, ours):
                answers, rates[one] = load(one.port, count)
                found.acknowledged += answers if one is ours else 0
            if number:
                found.ours[count].append(rates[ours])
                found.null[count].append(rates[null])
                found.syncs.append(syncs(directory))
    rate = statistics.median(found.ours[COUNTED]) / 2
    for _ in range(STEADY_ROUNDS):
        seconds, failed = steady.times(ours.port, rate, [request() for _ in range(int(rate * STEADY))])
        assert failed == 0, f"{failed} reports were not accepted"
        found.acknowledged += len(seconds)
        found.slowest.append(sorted(seconds)[math.ceil(len(seconds) * 0.99) - 1])
    return found


def load(port: int, connections: int) -> tuple[int, float]:
    """How many reports were accepted in a turn, and how many that is in a second."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{TURN:.0f}s", "-s", str(_SCRIPT), f"http://127.0.0.1:{port}/pings"]
    done = subprocess.run([*command, "--", str(REPORT), INSTALLATION], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["failed"] == 0, result
    return result["answers"], result["answers"] / result["seconds"]


def request() -> bytes:
    """A report that is new, as it goes over the wire."""
    body = REPORT.read_bytes().replace(INSTALLATION.encode(), str(uuid4()).encode())
    head = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nIdempotency-Key: {uuid4()}"
    return f"POST /pings HTTP/1.1\r\n{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def syncs(directory: Path) -> float:
    """How often a second the disk takes 4 KiB more durably."""
    file = os.open(directory / "sync", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        begun, count = time.perf_counter(), 0
        while time.perf_counter() - begun < TURN / 4:
            os.write(file, b"." * 4096)
            os.fdatasync(file)
            count += 1
        return count / (time.perf_counter() - begun)
    finally:
        os.close(file)


@contextmanager
def without_store(program: Program) -> Iterator[Collector]:
    """The application that keeps nothing."""
    program.variables["PYTHONPATH"] = str(ROOT)
    with Collector(program, module="benchmarks.null_collector") as running:
        yield running


if __name__ == "__main__":
    sys.exit(main())
