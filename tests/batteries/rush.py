"""Programs that begin at one moment, from the side of whoever looks on and kills."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from tests.support.program import Program


class Rush:
    """Programs that wait until `begin`. Use it as a context manager.

    Args:
        runs: What they are, see `run`.
        modules: What they have imported already, beside the least.
    """

    def __init__(self, runs: list[dict[str, Any]], modules: Iterable[str] = ()) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.batteries.crowd", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        )
        self._tell(json.dumps(runs))
        #: A descriptor each, which means this process and never one that has got its number later.
        self._members = [os.pidfd_open(number) for number in self._answer()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self._members:
            os.close(member)
        with self._process:
            pass

    def begin(self) -> None:
        """Let them all go."""
        self._tell("")

    def alive(self) -> list[int]:
        """The numbers of those that have not ended."""
        ended, _, _ = select.select(self._members, [], [], 0)
        return [number for number, member in enumerate(self._members) if member not in ended]

    def kill(self, number: int) -> None:
        """Kill it, if there is still something to kill."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._members[number], signal.SIGKILL)

    def statuses(self) -> list[int]:
        """How each of them ended, once all have; what was killed has -9."""
        return self._answer()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _answer(self) -> list[int]:
        assert self._process.stdout is not None
        numbers: list[int] = json.loads(self._process.stdout.readline())
        return numbers


def run(program: Program, *arguments: str, **more: int) -> dict[str, Any]:
    """A run as a crowd takes it; `behind` is what its clock is late, in milliseconds."""
    return {
        "environment": program.environment(),
        "directory": str(program.directory),
        "arguments": arguments,
        **more,
    }


def said(programs: Iterable[Program]) -> str:
    """What programs have said so far."""
    files = (program.directory / "said" for program in programs)
    return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())
