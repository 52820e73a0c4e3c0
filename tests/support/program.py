"""The program as the shell calls it: its own process, an empty environment, a configuration and a store of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Variables with which the interpreter says on standard error what it loads.
LOADED = {"PYTHONPROFILEIMPORTTIME": "1"}


@dataclass(frozen=True)
class Run:
    """What one call of the program came to."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def loaded(self) -> set[str]:
        """The modules that were loaded, where `LOADED` was among the variables."""
        lines = (line.rpartition("|") for line in self.errors.splitlines() if line.startswith("import time:"))
        return {name.strip() for _, _, name in lines}

    @property
    def text(self) -> str:
        return self.stdout.decode()

    @property
    def errors(self) -> str:
        return self.stderr.decode()

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.stdout)
        return value

    @property
    def data(self) -> dict[str, Any]:
        value: dict[str, Any] = self.json["data"]
        return value


class Running:
    """A command that stays until it is told to end."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None

    def end(self, number: signal.Signals | None = None, *, timeout: float = 60) -> Run:
        """What it came to, after a signal or by itself."""
        if number is not None:
            self._process.send_signal(number)
        stdout, stderr = self._process.communicate(timeout=timeout)
        return Run(self._process.returncode, stdout, stderr)


@dataclass
class Program:
    """The program with a configuration file and a store in a directory."""

    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.directory / "telemetry.toml"

    @property
    def store(self) -> Path:
        return self.directory / "state" / "telemetry.db"

    def configure(self, text: str) -> None:
        """Write the configuration file, as if that had been a while ago: a stamp is not made from what is new."""
        self.config.write_text(text, encoding="utf-8")
        before = time.time() - 60
        os.utime(self.config, (before, before))

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of the program: nothing of this process but where programs are."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.directory),
            "LC_ALL": "C.UTF-8",
            "TELEMETRY_CONFIG": str(self.config),
            "TELEMETRY_STORE": str(self.store),
            "TELEMETRY_STATE_DIRECTORY": str(self.store.parent),
            **self.variables,
            **(more or {}),
        }

    @contextmanager
    def running(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Iterator[Running]:
        """Start a command that stays; at the end of the block it is killed, if it is there still."""
        process = subprocess.Popen(
            [sys.executable, "-m", "telemetry_admin", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(variables),
            cwd=self.directory,
        )
        with process:
            try:
                yield Running(process)
            finally:
                process.kill()

    def __call__(
        self,
        *arguments: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> Run:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "telemetry_admin", *arguments],
            input=stdin,
            capture_output=True,
            env=self.environment(variables),
            cwd=self.directory,
            timeout=timeout,
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr)
