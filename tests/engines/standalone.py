"""Runs CIB seven without REST on a database, and gives it work through its standard input."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .launch import JAVA_OPTIONS, STOP_TIMEOUT, clean_environment
from .maven import EngineError, build, java_tool, missing_tools, tail
from .releases import CIBSEVEN
from .settings import datasource


class StandaloneEngine:
    """A running engine of CIB seven; use it as ``with StandaloneEngine("postgresql://...") as engine``.

    Raises EngineError with the end of its log when it does not come up, or when a command fails.
    """

    release = CIBSEVEN

    def __init__(self, database: str) -> None:
        """Builds it if need be, starts it and waits until it has made its tables."""
        jar = build(CIBSEVEN)
        java = java_tool("java")
        if java is None:
            raise EngineError(str(missing_tools()))
        self._folder = Path(tempfile.mkdtemp(prefix=f"engine-{CIBSEVEN.name}-"))
        self._log = self._folder / "engine.log"
        command = [java, *JAVA_OPTIONS, f"-Djava.io.tmpdir={self._folder}", "-jar", str(jar)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=clean_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, encoding="utf-8", start_new_session=True,
            )  # fmt: skip
        source = datasource(database)
        names = ("url", "username", "password")
        try:
            self._call("\n".join(str(source.get(f"spring.datasource.{name}", "")) for name in names))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the engine."""
        self.close()

    def start_process(self, times: int = 1) -> None:
        """Starts the process ``order``."""
        for _ in range(times):
            self._call("start")

    def evaluate_decision(self, times: int = 1) -> None:
        """Evaluates the decision ``discount``."""
        for _ in range(times):
            self._call("decide")

    def flush(self) -> None:
        """Writes the engine's counters to its database now."""
        self._call("flush")

    def set_license(self, text: str) -> None:
        """Sets the licence key."""
        self._call(f"license {text}")

    def telemetry_data(self) -> dict[str, Any]:
        """What the engine says of itself."""
        answer: dict[str, Any] = self._call("telemetry")
        return answer

    def metric(self, name: str) -> int:
        """The sum of a metric over all time, counters not flushed included."""
        return int(self._call(f"metric {name}"))

    def close(self) -> None:
        """Stops the engine, which ends with its input, and removes its folder with the log."""
        try:
            self._process.communicate(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _call(self, line: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            answer = ""
        else:
            answer = self._process.stdout.readline()
        if not answer:
            log = tail(self._log.read_text(encoding="utf-8", errors="replace"))
            raise EngineError(f"{CIBSEVEN.name} ended; the end of its log:\n{log}")
        return json.loads(answer)
