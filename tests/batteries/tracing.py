"""System calls of the program under strace: which there are, and a run with something happening at one of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.support.program import Program, Run

_LINE = re.compile(r"(\d+) +([\d.]+) (\w+)\((.*)")


def missing() -> str | None:
    """Why no program can be traced here; where nothing may be skipped, the tests themselves fail instead."""
    if shutil.which("strace") or os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        return None
    return "there is no strace"


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


def points(
    program: Program, arguments: Iterable[str], calls: Iterable[str], paths: Iterable[Path] = (), *, main: bool = False
) -> list[Point]:
    """Every point of a run from the first touch of the store on, with `main` of the main thread alone.

    Counts of strace are per thread.
    """
    trace = _strace(program, arguments, ["-e", f"trace={','.join(calls)}", *_only(paths)])[1]
    seen: Counter[tuple[str, str]] = Counter()
    reached: set[tuple[str, int]] = set()
    found: list[Point] = []
    touched = False
    lines = _LINE.findall(trace)
    for thread, _, call, text in lines:
        touched = touched or program.store.name in text
        seen[thread, call] += 1
        ordinal = (call, seen[thread, call])
        if ordinal not in reached and touched and (thread == lines[0][0] or not main):
            found.append(Point(*ordinal, text[:200]))
        reached.add(ordinal)
    return found


def harmed(program: Program, arguments: Iterable[str], point: Point, action: str, paths: Iterable[Path] = ()) -> Harmed:
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
    trace = program.directory / "trace"
    warm = _warm()
    child = warm.start(program, arguments)
    command = ["strace", "-f", "-qq", "-ttt", "-o", str(trace), *options, "-p", str(child)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as tracer:
        while not _is_traced(child):
            assert tracer.poll() is None, tracer.stderr.read() if tracer.stderr else ""
            time.sleep(0.001)
        os.kill(child, signal.SIGCONT)
        status = warm.wait()
    output, errors = ((program.directory / name).read_bytes() for name in ("stdout", "stderr"))
    return Run(status, output, errors), trace.read_text(errors="replace")


def _is_traced(process: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{process}/status").read_text()


class _Warm:
    """The process that becomes the program; each thread of a battery has its own."""

    def __init__(self) -> None:
        variables = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.batteries.warm"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables,
        )

    def start(self, program: Program, arguments: Iterable[str]) -> int:
        """A child that has stopped itself just before it becomes the program."""
        run = {
            "arguments": list(arguments),
            "environment": program.environment(),
            "directory": str(program.directory),
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(run) + "\n")
        self._process.stdin.flush()
        child = self._line()
        while "\nState:\tT" not in Path(f"/proc/{child}/status").read_text():
            time.sleep(0.001)
        return child

    def wait(self) -> int:
        """How it ended."""
        return self._line()

    def _line(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End it."""
        with self._process as process:
            process.terminate()


def _warm() -> _Warm:
    if not hasattr(_OF_THREAD, "warm"):
        _OF_THREAD.warm = _Warm()
        _ALL.append(_OF_THREAD.warm)
    warm: _Warm = _OF_THREAD.warm
    return warm


def end() -> None:
    """End the processes that were kept warm."""
    while _ALL:
        _ALL.pop().close()
    _OF_THREAD.__dict__.clear()


_OF_THREAD = threading.local()
_ALL: list[_Warm] = []
