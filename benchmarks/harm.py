"""Whether an engine under load is harmed: its slowest requests with a `send` every 10 s, and with the same calls alone.

A real 7.24.0 on a real PostgreSQL, whose meter table has a past, starts process instances at a steady rate; each counts
from when it was due, so that a stall shows in all that it holds up. A turn of 10 s begins with one of three:

- send: `telemetry send --force`, a process in a session of its own, as cron begins it;
- curl: the same calls alone: what a `send` was seen to ask of the engine is asked by curl, of its database by psql;
- busy: the same as curl, and then a process that takes as much time of a processor as a `send`, and asks nobody.

Turns go to and fro, and what is compared is the 99th percentile of a turn with that of its neighbour: a machine that is
slow for a while is so for all. Beside the calls a `send` costs what any process costs on the host of an engine; that is
in the first line and not in the second, and a reporter on another host does not cost it. The load, the receiver and the
database are on this host too, whatever the turn. Not measured is what the calls themselves cost the engine: how many
there are, and what they read, tests say.
"""

from __future__ import annotations

import math
import os
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import meter_rows
from benchmarks.load import Load
from tests.engines import Engine
from tests.support import postgresql
from tests.support.clock import RealClock
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver

ROUNDS = 18
TURN = 10.0
RATE = 30.0
WARM = 40.0
ROWS = 100_000
TARGET = 1.1
"""The whole interval above this is harm."""

RESAMPLED = 2000
_Way = Callable[[], object]


def main() -> int:
    """Print the ratios; 1 if it is sure that a `send` makes the slowest requests slower by more than the target."""
    reason = postgresql.missing() or next((f"there is no {name}" for name in ("curl", "psql") if not _has(name)), None)
    if reason is not None:
        print(f"harm: not measured, {reason}")
        return 0
    with tempfile.TemporaryDirectory() as name, postgresql.running() as server, Receiver() as receiver:
        directory, database = Path(name), server.database()
        properties = _access_log(directory)
        with Engine.start("camunda-7.24.0", database=server.url(database), properties=properties) as engine:
            meter_rows.fill(server, database, ROWS, RealClock().now())
            program = reporter(directory, engine, server.url(database), receiver.url)
            ask = control(directory, engine, server, database, program)
            cost = processor_time(lambda: send(program))
            before = calls(directory)
            turns, cpu = measure(engine.port, {"send": lambda: send(program), "curl": ask, "busy": busy(ask, cost)})
            asked = calls(directory)
    asked.subtract(before)
    assert asked["curl"] == 2 * asked["telemetry"] > 0, asked
    for other in ("curl", "busy"):
        print(f"harm: p99 with send / p99 with {other} {compare(turns['send'], turns[other])}")
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in cpu.items())
    print(f"harm: {ROUNDS} turns of {TURN:.0f} s each, {RATE:.0f} starts a second; processor time of {times}")
    return int(compare(turns["send"], turns["curl"]).low > TARGET)


def reporter(directory: Path, engine: Engine, database: str, endpoint: str) -> Program:
    """The program, enabled, with the initial report sent."""
    program = Program(directory)
    program.config.touch(mode=0o600)
    program.configure(
        f'endpoint = "{endpoint}"\n[engines.orders]\nrest = "{engine.rest}"\ndatabase = "{database}"\n'
        "[reporter]\nretries = 0\n"
    )
    assert program("enable", "--yes").status == 0
    send(program)
    return program


def send(program: Program) -> None:
    """Send what there is now."""
    command = [sys.executable, "-m", "telemetry_admin", "send", "--force"]
    _run(command, program.environment(), program.directory)


def busy(ask: _Way, seconds: float) -> _Way:
    """What asks the same, and takes so much time of a processor after it."""

    def be_busy() -> None:
        ask()
        _run([sys.executable, "-I", "-c", f"import time\nwhile time.process_time() < {seconds}: pass"], {})

    return be_busy


def control(directory: Path, engine: Engine, server: PostgreSQL, database: str, program: Program) -> _Way:
    """What makes the same calls as a `send` that is watched here."""
    asked, logged = len(_lines(directory)), len(server.log())
    send(program)
    time.sleep(1)  # both logs are written a little later
    requests = [line.split()[1] for line in _lines(directory)[asked:] if " telemetry/" in line]
    script = directory / "statements.sql"
    script.write_text(session(server.log()[logged:]), encoding="utf-8")
    headers = ("Accept: application/json", "Accept-Encoding: identity")
    curl = ["curl", "-sS", "--fail", *(part for header in headers for part in ("-H", header))]
    for path in requests:
        curl += ["-o", os.devnull, f"{engine.root}{path}"]
    psql = [str(postgresql.program("psql")), "-X", "-q", "-o", os.devnull, "-v", "ON_ERROR_STOP=1", "-f", str(script)]
    environment = {"PATH": os.environ["PATH"], "PGPASSWORD": PostgreSQL.password}
    where = f"host=127.0.0.1 port={server.port} user=postgres dbname={database}"

    def ask() -> None:
        _run(curl, environment)
        _run([*psql, where], environment)

    return ask


def session(log: str) -> str:
    """What the session that read the meter table asked, from the server's log, as a script."""
    sessions: defaultdict[str, list[str]] = defaultdict(list)
    entries = re.split(r"^\d{4}-\S+ \S+ \S+ \[(\d+)\] ", log, flags=re.MULTILINE)[1:]
    for number, entry in zip(entries[::2], entries[1::2], strict=True):
        said = sessions[number]
        if found := re.match(r"LOG:  (?:statement|execute <unnamed>): (.+)", entry, re.DOTALL):
            said.append(found[1])
        elif entry.startswith("DETAIL:  parameters: "):
            for place, value in reversed(re.findall(r"(\$\d+) = ('(?:[^']|'')*'|NULL)", entry)):
                said[-1] = said[-1].replace(place, value)  # backwards, because $1 is in $10 too
    (ours,) = [said for said in sessions.values() if any("METER_LOG.MILLISECONDS_ >=" in one for one in said)]
    return "".join(f"{statement};\n" for statement in ours)


def measure(port: int, ways: Mapping[str, _Way]) -> tuple[dict[str, list[list[float]]], dict[str, float]]:
    """Seconds of starts in each turn, and the processor time that one call takes, by way."""
    turns = [name for number in range(ROUNDS) for name in list(ways)[:: 1 if number % 2 == 0 else -1]]
    cpu = dict.fromkeys(ways, 0.0)
    with Load(port, RATE) as load:
        time.sleep(WARM)
        for way in ways.values():
            way()
        begun = time.monotonic() + 1
        for number, name in enumerate(turns):
            time.sleep(max(begun + number * TURN - time.monotonic(), 0))
            cpu[name] += processor_time(ways[name]) / ROUNDS
        time.sleep(max(begun + len(turns) * TURN - time.monotonic(), 0))
    found: dict[str, list[list[float]]] = {name: [] for name in ways}
    for number, name in enumerate(turns):
        first, last = begun + number * TURN, begun + (number + 1) * TURN
        found[name].append([start.seconds for start in load.starts if first <= start.due < last])
    return found, cpu


def processor_time(work: _Way) -> float:
    """Seconds that the child processes of some work take."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@dataclass(frozen=True)
class Comparison:
    """The slowest requests of one kind of turn beside those of another; times in seconds, and a 95 % interval."""

    ratio: float
    low: float
    high: float
    times: tuple[float, float]

    def __str__(self) -> str:
        one, other = (1000 * seconds for seconds in self.times)
        return f"{self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}] (medians {one:.1f} ms / {other:.1f} ms)"


def compare(one: list[list[float]], other: list[list[float]]) -> Comparison:
    """Turns of one kind beside those of the same rounds: the geometric mean; for the interval rounds are drawn anew."""
    slowest = [[p99(turn) for turn in turns] for turns in (one, other)]
    ratios = [math.log(of_one / of_other) for of_one, of_other in zip(*slowest, strict=True)]
    chance = random.Random(1)
    means = sorted(statistics.fmean(chance.choices(ratios, k=len(ratios))) for _ in range(RESAMPLED))
    tail = RESAMPLED // 40
    mean, low, high = (math.exp(value) for value in (statistics.fmean(ratios), means[tail], means[-tail - 1]))
    return Comparison(mean, low, high, (statistics.median(slowest[0]), statistics.median(slowest[1])))


def p99(turn: list[float]) -> float:
    """What 99 of 100 requests of a turn are at least as fast as."""
    return sorted(turn)[math.ceil(len(turn) * 0.99) - 1]


def calls(directory: Path) -> Counter[str]:
    """How many requests the engine had, by the program that made them."""
    return Counter(line.rsplit(" ", 1)[-1].partition("/")[0] for line in _lines(directory))


def _lines(directory: Path) -> list[str]:
    return (directory / "access_log.log").read_text(encoding="utf-8").splitlines()


def _access_log(directory: Path) -> dict[str, object]:
    log = {"enabled": True, "directory": str(directory), "rotate": False, "buffered": False}
    pattern = "%m %U%q %{User-Agent}i"
    return {f"server.tomcat.accesslog.{name}": value for name, value in {**log, "pattern": pattern}.items()}


def _has(name: str) -> bool:
    return postgresql.program(name) is not None


def _run(command: list[str], environment: dict[str, str], directory: Path | None = None) -> None:
    """Run to the end what must say nothing, in a session of its own."""
    done = subprocess.run(
        command, env=environment, cwd=directory, start_new_session=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done


if __name__ == "__main__":
    sys.exit(main())
