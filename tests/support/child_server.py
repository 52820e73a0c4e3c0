"""The program as a server in a process of its own, from `with` to its end."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tests.support.program import Program

_WAIT = 60.0


class ChildServer(ABC):
    """A running server. Use it as a context manager; it is told to end at the block's end.

    Args:
        program: With its directory and its configuration.
        words: Of the command line, before `--port` and behind it.
        module: What is run.
        variables: More of its environment.
    """

    def __init__(
        self,
        program: Program,
        words: tuple[tuple[str, ...], tuple[str, ...]],
        *,
        module: str = "telemetry_admin",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.output = b""
        self.errors = b""
        command, arguments = words
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *command, "--port", str(self.port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=program.environment(variables),
            cwd=program.directory,
        )

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether it serves by now; it may not even answer."""

    def __enter__(self) -> Self:
        try:
            self.wait_until_ready()
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self.end()

    @property
    def pid(self) -> int:
        return self._process.pid

    def memory(self, what: str = "VmRSS") -> int:
        """Bytes of memory that it has now, with `VmHWM` the most that it has had."""
        found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found[1]) * 1024

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; its exit status."""
        self._process.send_signal(how)
        try:
            self.output, self.errors = self._process.communicate(timeout=_WAIT)
        finally:
            self._process.kill()
        return self._process.returncode

    def wait_until_ready(self) -> None:
        limit = time.monotonic() + _WAIT
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                if self.is_ready():
                    return
            except (OSError, http.client.HTTPException):  # a connection can meet itself where nobody listens yet
                pass
            time.sleep(0.05)
        self._process.kill()
        output, errors = self._process.communicate()
        raise AssertionError(f"the server is not ready: {output!r} {errors!r}")
