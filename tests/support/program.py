"""The program as the shell calls it: its own process, an empty environment, a configuration and a store of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """What one call of the program came to."""

    status: int
    stdout: bytes
    stderr: bytes

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
        """Write the configuration file."""
        self.config.write_text(text, encoding="utf-8")

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
