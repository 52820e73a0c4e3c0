"""What a start costs beside a bare interpreter's, ours and that of other tools of administrators, in one run.

All are measured in turns, by the processor's time of their processes and by medians, so that a noisy machine is noisy
for all of them; what waits for a disk or for the other side does not count. Each has a virtual environment of its own:
in ours is what a plain installation brings, in a second one also a server, which brings click.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "startup"
ROUNDS = 15
#: What is installed where: ours is this tree.
INSTALLED = {
    "telemetry": (str(ROOT),),
    "serve": (str(ROOT), "uvicorn"),  # brings click, with which `import httpx` loads twice as much
    "pipx": ("pipx",),
    "certbot": ("certbot",),
    "borgmatic": ("borgmatic",),
}
#: At most so many times a bare interpreter's start (DESIGN §9).
TARGETS = {
    "nothing due": 2.0,
    "status --json": 8.0,
    "status": 12.0,
    "--help": 15.0,
    "full send": 14.0,
    "full send, with serve": 18.0,
}


@dataclass(frozen=True)
class Start:
    """A command in one of the environments."""

    environment: str
    arguments: tuple[str, ...]
    program: str = "telemetry"

    @property
    def command(self) -> list[str]:
        """It and its arguments."""
        return [str(BUILD / self.environment / "bin" / self.program), *self.arguments]


STARTS = {
    "bare": Start("telemetry", ("-I", "-c", "pass"), "python"),
    "nothing due": Start("telemetry", ("send",)),
    "status --json": Start("telemetry", ("status", "--json")),
    "status": Start("telemetry", ("status",)),
    "--help": Start("telemetry", ("--help",)),
    "full send": Start("telemetry", ("send", "--force")),
    "full send, with serve": Start("serve", ("send", "--force")),
    "pipx --version": Start("pipx", ("--version",), "pipx"),
    "certbot --version": Start("certbot", ("--version",), "certbot"),
    "borgmatic --version": Start("borgmatic", ("--version",), "borgmatic"),
}


def main() -> int:
    """Print one line for each start; 1 if one is slower than its target."""
    for name in INSTALLED:
        install(name)
    with place() as program:
        seconds = measure(program)
    missed = 0
    for name, took in seconds.items():
        ratio, target = took / seconds["bare"], TARGETS.get(name)
        is_missed = target is not None and ratio > target
        missed += is_missed
        limit = "" if target is None else f" (target {target:g}{', missed' if is_missed else ''})"
        print(f"startup {name}: {ratio:.2f}{limit} ({took * 1000:.0f} ms)")
    return int(missed > 0)


def install(name: str) -> None:
    """Make an environment, and bring ours to what this tree has."""
    directory = BUILD / name
    is_new = not directory.exists()
    if is_new:
        venv.create(directory, with_pip=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if is_new:
        subprocess.run([*pip, *INSTALLED[name]], check=True)
    elif str(ROOT) in INSTALLED[name]:
        subprocess.run([*pip, "--force-reinstall", "--no-deps", str(ROOT)], check=True)


@contextmanager
def place() -> Iterator[Program]:
    """The program with an engine whose reports were accepted just now, so that nothing is due."""
    with tempfile.TemporaryDirectory() as directory, SimulatedEngine() as engine, Receiver() as receiver:
        program = Program(Path(directory))
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{engine.rest}"\n')
        for arguments in (("enable", "--yes"), ("send",)):
            run(Start("telemetry", arguments), program)
        assert program.store.with_name("telemetry.db.stamp").exists()
        yield program


def measure(program: Program) -> dict[str, float]:
    """Medians of seconds by start; the first round fills the caches and does not count."""
    took: dict[str, list[float]] = {name: [] for name in STARTS}
    for turn in range(ROUNDS + 1):
        for name, start in STARTS.items():
            if name == "nothing due":
                run(start, program)  # a full send of before has changed the store
            seconds = run(start, program)
            if turn:
                took[name].append(seconds)
    return {name: statistics.median(times) for name, times in took.items()}


def run(start: Start, program: Program) -> float:
    """Run to the end, which must be a good one; seconds of processor time."""
    with subprocess.Popen(
        start.command,
        env=program.environment(),
        cwd=program.directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, start
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
