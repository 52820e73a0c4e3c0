"""CIB seven as a standalone engine on a real PostgreSQL: it has no REST API, so that steps go by standard input."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from .maven import BUILD, HERE, EngineError, java_tool, tail

_PROJECT = HERE / "standalone"
_START_SECONDS = 120.0


class Standalone:
    """A running engine; its schema is made by itself. Use it as a context manager."""

    def __init__(self, database: str) -> None:
        """Nothing is started yet; `database` is a URL `postgresql://user:password@host:port/name`."""
        self._database = database
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Build it if need be, start it, and wait until it is up."""
        parts = urlsplit(self._database)
        url = f"jdbc:postgresql://{parts.hostname}:{parts.port}{parts.path}"
        secrets = {"DATABASE_USER": unquote(parts.username or ""), "DATABASE_PASSWORD": unquote(parts.password or "")}
        output = _built()
        path = f"{output / 'standalone-1.jar'}:{output / 'lib'}/*"
        self._process = subprocess.Popen(
            [
                str(java_tool("java")),
                "-XX:TieredStopAtLevel=1",
                "-Xmx400m",
                "-cp",
                path,
                "tests.engines.Standalone",
                url,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PATH": "/usr/bin:/bin", **secrets},
        )
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it: the end of its input closes the engine, which flushes its metrics."""
        if self._process is not None:
            self._process.communicate(timeout=60)

    def step(self, words: str) -> str:
        """Take one step: `start N`, `flush`, `license TEXT`, `sum NAME` or `data`; what it answers."""
        if self._process is None or self._process.stdin is None:
            raise EngineError("it does not run")
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        return self._answer()

    def telemetry_data(self) -> dict[str, Any]:
        """What the engine says of itself."""
        found: dict[str, Any] = json.loads(self.step("data"))
        return found

    def _answer(self) -> str:
        if self._process is None or self._process.stdout is None:
            raise EngineError("it does not run")
        limit = time.monotonic() + _START_SECONDS
        line = self._process.stdout.readline()
        if not line or time.monotonic() > limit:
            raise EngineError("the standalone engine gives no answer")
        return line.strip()


def _built() -> Path:
    output = BUILD / "standalone"
    if not (output / "standalone-1.jar").is_file():
        command = ["mvn", "-q", "-B", f"--file={_PROJECT / 'pom.xml'}", f"-Doutput={output}", "package"]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, check=False
        )
        if done.returncode != 0:
            raise EngineError(f"Maven could not build the standalone engine:\n{tail(done.stdout)}")
    return output
