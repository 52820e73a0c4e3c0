"""A disk of the collector that is full, broken or slow while reporters send: nothing is acknowledged that is not on it.

- full: something else takes all room but some pages, on a file system of its own where this user may mount one; after a
  while there is room again.
- limit: no file may become larger than it is about to be; after a while it may.
- broken: a write or a sync of the store's files fails, once or several times in a row, by strace.
- slow: syncs take up to longer than a request is waited for, by strace.
- watched: by strace, that no receipt leaves before a sync that began after its report had come has succeeded.
"""

from __future__ import annotations

import random
import re
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from telemetry_collector.writer import PATIENCE
from tests.batteries.fleet import Books, Fleet, place, settled
from tests.batteries.tally import Tally, Verdict, battery
from tests.support.collecting import Collector
from tests.support.program import Program
from tests.support.waiting import until

KINDS = ("full", "limit", "broken", "slow", "watched")
_ROOM = 48 * 1024 * 1024
_RECOVERED_WITHIN = 15.0
"""Seconds from when there is nothing in the way to when it stores again, by itself."""


@dataclass(frozen=True)
class Trouble:
    """A try; the seed is for what happens in it."""

    kind: str
    seed: float

    def __str__(self) -> str:
        return f"{self.kind}, {self.seed}"


def run(count: int, seed: int) -> Tally:
    """So many troubles, of each kind in turn."""
    chance = random.Random(seed)
    kinds = KINDS if _may_mount() else KINDS[1:]
    troubles = [Trouble(kinds[number % len(kinds)], chance.random()) for number in range(count)]
    tally = battery("collector_disk", seed, troubles, _judge)
    tally.more = "" if kinds == KINDS else ", none with a file system of its own"
    return tally


def _judge(trouble: Trouble) -> Verdict:
    chance = random.Random(trouble.seed)
    with _file_system() if trouble.kind == "full" else nullcontext() as parent, place(parent) as program:
        books = Books()
        with Collector(program) as collector:
            try:
                wrong = _WAYS[trouble.kind](collector, books, chance)
            except AssertionError as error:
                wrong = str(error)
            ended = collector.end()
        if ended != 0 or b"Traceback" in collector.errors:
            wrong += f" ended with {ended}: {collector.errors[-300:]!r}"
        settled(program, books, 0)
        (verdict,) = books.judged(program, 1)
        return Verdict(verdict.lost, verdict.doubled, 0, verdict.wrong + wrong)


def _full(collector: Collector, books: Books, chance: random.Random) -> str:
    ballast = collector.program.directory / "ballast"
    with Fleet(collector.port, books, 0, chance):
        time.sleep(chance.uniform(0.1, 0.5))
        with ballast.open("wb", buffering=0) as file:
            with suppress(OSError):
                while file.write(b"." * 65536):
                    pass
            file.truncate(max(0, file.tell() - chance.randrange(40) * 4096))
        until(lambda: books.refused > 0, "a full disk is noticed", seconds=30)
        time.sleep(chance.uniform(0, 1))
        ballast.unlink()
        _recovered(collector)
        time.sleep(0.2)
    return ""


def _limit(collector: Collector, books: Books, chance: random.Random) -> str:
    log = Path(f"{collector.program.store}-wal")
    limits = resource.prlimit(collector.pid, resource.RLIMIT_FSIZE)
    with Fleet(collector.port, books, 0, chance):
        time.sleep(chance.uniform(0.1, 0.5))
        some = log.stat().st_size + chance.randrange(200_000)
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (some, limits[1]))
        until(lambda: books.refused > 0, "the limit is met", seconds=30)
        time.sleep(chance.uniform(0, 1))
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, limits)
        _recovered(collector)
        time.sleep(0.2)
    return ""


def _broken(collector: Collector, books: Books, chance: random.Random) -> str:
    call, error = chance.choice(["pwrite64", "fdatasync", "pwrite64,fdatasync"]), chance.choice(["EIO", "ENOSPC"])
    first = chance.randrange(1, 30)
    last = first + chance.choice([0, 5, 200])
    options = ["-e", f"inject={call}:error={error}:when={first}..{last}", *_only(collector.program)]
    with Fleet(collector.port, books, 0, chance):
        with _strace(collector, call, options):
            time.sleep(chance.uniform(1, 2))
        _recovered(collector)
        time.sleep(0.2)
    return ""


def _slow(collector: Collector, books: Books, chance: random.Random) -> str:
    seconds, times = chance.choice([(0.05, 20), (0.4, 5), (3.0, 1), (12.0, 1)])
    first = chance.randrange(1, 30)
    action = f"inject=fdatasync:delay_enter={int(seconds * 1e6)}:when={first}..{first + times - 1}"
    with Fleet(collector.port, books, 0, chance):
        with _strace(collector, "fdatasync", ["-e", action, *_only(collector.program)]):
            time.sleep(seconds * times + 1)
        _recovered(collector)
    return "" if (books.refused > 0) == (seconds > PATIENCE) else f"{books.refused} refused after {seconds:.1f} s"


def _watched(collector: Collector, books: Books, chance: random.Random) -> str:
    """Of each receipt, whether what came before it over the same connection came before a sync of the log."""
    calls = "recvfrom,sendto,fdatasync,fsync"
    with _strace(collector, calls, ["-y", "-s", "16"]) as trace, Fleet(collector.port, books, 0, chance):
        time.sleep(chance.uniform(0.5, 1))
    receipts, early = _early(trace.read_text(encoding="utf-8", errors="replace").splitlines())
    return "" if receipts and not early else f"{early} of {receipts} receipts left before a sync"


def _early(lines: list[str]) -> tuple[int, int]:
    """How many receipts there are in a trace, and before how many no sync has succeeded that began after the report."""
    heard: dict[str, int] = {}  # by descriptor
    begun: dict[str, tuple[str, int]] = {}  # by thread: what it does, and since when
    last_sync, receipts, early = -1, 0, 0
    for place_, line in enumerate(lines):
        thread = line.split(" ", 1)[0]
        if found := re.search(r" (recvfrom|sendto|fdatasync|fsync)\((\d+)", line):
            begun[thread] = f"{found[1]} {found[2]}{' of the log' * ('-wal>' in line)}", place_
            if found[1] == "sendto" and '"HTTP/1.1 202' in line:
                receipts += 1
                early += heard[found[2]] > last_sync
        if thread in begun and (ended := re.search(r" = (\d+)$", line)):
            what, since = begun.pop(thread)
            if what.startswith("recvfrom ") and ended[1] != "0":
                heard[what.split(" ")[1]] = place_
            elif what.endswith(" of the log"):
                last_sync = max(last_sync, since)
    return receipts, early


_WAYS = {"full": _full, "limit": _limit, "broken": _broken, "slow": _slow, "watched": _watched}


def _recovered(collector: Collector) -> None:
    until(
        lambda: collector.ask("GET", "/health/ready").status == 200, "it recovers by itself", seconds=_RECOVERED_WITHIN
    )


def _only(program: Program) -> list[str]:
    """The files of the reports; nothing hangs on those of hashes."""
    return [word for end in ("", "-wal") for word in ("-P", f"{program.store}{end}")]


@contextmanager
def _strace(collector: Collector, calls: str, options: list[str]) -> Iterator[Path]:
    """Watch a running collector; what was seen is in the file at the end."""
    trace = collector.program.directory / "trace"
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={calls}", *options, "-p", str(collector.pid)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        status = Path(f"/proc/{collector.pid}/status")
        until(lambda: "TracerPid:\t0\n" not in status.read_text(), "strace watches")
        try:
            yield trace
        finally:
            tracer.terminate()


def _may_mount() -> bool:
    try:
        with _file_system():
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def _file_system() -> Iterator[Path]:
    """A small one in memory."""
    with TemporaryDirectory() as name:
        options = f"size={_ROOM},mode=0700"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "telemetry", name], check=True, capture_output=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)
