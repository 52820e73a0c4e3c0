"""System calls of the program under strace: which there are, and the program with something happening at one of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.program import Program, Run

_LINE = re.compile(r"(\d+) +([\d.]+) (\w+)\((.*)")


def missing() -> str | None:
    """Why no program can be traced here."""
    return None if shutil.which("strace") else "there is no strace"


@dataclass(frozen=True)
class Point:
    """The moment before a thread makes the `number`-th call of a kind; no other thread of the run has one before."""

    call: str
    number: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.call} {self.number} {self.text}"


@dataclass(frozen=True)
class Harmed:
    """A run in which something happened, or did not; `seconds` is how long the program lasted after it."""

    run: Run
    happened: bool
    seconds: float


def points(program: Program, arguments: Iterable[str], calls: Iterable[str], paths: Iterable[Path] = ()) -> list[Point]:
    """Every point of a run from the first touch of the store on; counts of strace are per thread."""
    trace = _strace(program, arguments, ["-e", f"trace={','.join(calls)}", *_only(paths)])[1]
    seen: Counter[tuple[str, str]] = Counter()
    reached: set[tuple[str, int]] = set()
    found: list[Point] = []
    touched = False
    for thread, _, call, text in _LINE.findall(trace):
        touched = touched or program.store.name in text
        seen[thread, call] += 1
        ordinal = (call, seen[thread, call])
        if ordinal not in reached and touched:
            found.append(Point(*ordinal, text[:100]))
        reached.add(ordinal)
    return found


def harmed(
    program: Program, arguments: Iterable[str], point: Point, action: str, paths: Iterable[Path] = ()
) -> Harmed:
    """Run the program with `signal=...` or `error=...` at a point, which `+` at its end extends to all that follow."""
    when, kind = (f"{point.number}+", action[:-1]) if action.endswith("+") else (str(point.number), action)
    options = ["-e", f"trace={point.call}", "-e", f"inject={point.call}:{kind}:when={when}", *_only(paths)]
    run, trace = _strace(program, arguments, options)
    happened = re.search(r"INJECTED|--- SIG(TERM|INT|HUP)|killed by SIGKILL", trace)
    times = [float(moment) for moment in re.findall(r"^\d+ +([\d.]+) ", trace, re.MULTILINE)]
    begun = trace.rfind("\n", 0, happened.start()) + 1 if happened else 0
    moment = re.match(r"\d+ +([\d.]+) ", trace[begun:])
    return Harmed(run, happened is not None, max(times) - float(moment[1]) if happened and moment else 0.0)


def _only(paths: Iterable[Path]) -> list[str]:
    return [word for path in paths for word in ("-P", str(path))]


def _strace(program: Program, arguments: Iterable[str], options: list[str]) -> tuple[Run, str]:
    with tempfile.NamedTemporaryFile(prefix="telemetry-trace-") as file:
        command = ["strace", "-f", "-qq", "-ttt", "-o", file.name, *options]
        done = subprocess.run(
            [*command, sys.executable, "-m", "telemetry_admin", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=program.environment(),
            cwd=program.directory,
            timeout=120,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr), Path(file.name).read_text(errors="replace")
