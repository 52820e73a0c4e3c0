"""Starts an engine on loopback, gives it work and ends it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from tests.support.ports import free_port

from .maven import EngineError, build, find, java_tool, missing_tools, tail
from .releases import RELEASES, Release
from .settings import Database, settings

__all__ = ["RELEASES", "Engine", "EngineError", "Release", "build", "missing_tools"]

USER = "demo"
PASSWORD = "demo"
START_TIMEOUT = 180.0
STOP_TIMEOUT = 30.0
REQUEST_TIMEOUT = 60.0

JAVA_OPTIONS = (
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Xmx400m",
)
# The environment of a test must not configure the engine: Spring takes a variable over a file.
_ENVIRONMENT = ("PATH", "HOME", "JAVA_HOME", "LANG", "LC_ALL", "TZ")
_NOTHING: Mapping[str, object] = MappingProxyType({})
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Engine:
    """A running engine; use it as ``with Engine.start("camunda-7.24.0") as engine``.

    Its process ends with the ``with`` block, and by itself when this process goes away in any other way.
    """

    def __init__(self, release: Release, configuration: Mapping[str, object]) -> None:
        """Prepares an engine without starting it; ``start`` is the usual way in."""
        self.release = release
        self.folder = Path(tempfile.mkdtemp(prefix=f"engine-{release.name}-"))
        self.log = self.folder / "engine.log"
        port = configuration.get("server.port")
        self.port = free_port() if port is None else int(str(port))
        self.root = f"http://127.0.0.1:{self.port}"
        self.rest = f"{self.root}/engine-rest"
        self._configuration = {**configuration, "server.port": self.port}
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        release: str,
        *,
        database: Database = "memory",
        authorization: bool = False,
        properties: Mapping[str, object] = _NOTHING,
    ) -> Self:
        """Builds the release if need be, starts it on a free port and waits until its REST API answers.

        ``authorization`` switches on the engine's permission checks and HTTP Basic on the REST API (demo, demo).
        ``properties``: see ``settings.settings``; also ``server.port``, and ``engine.first-report-seconds`` for engines
        that report by themselves. Raises EngineError with the end of the log when the engine does not come up.
        """
        chosen = find(release)
        configuration = settings(chosen, database=database, authorization=authorization, properties=properties)
        engine = cls(chosen, configuration)
        try:
            engine._launch()
        except BaseException:
            engine.close()
            raise
        return engine

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the engine; an error that leaves the block gets the end of the engine's log as a note."""
        if error is not None and self.log.is_file():
            error.add_note(f"The end of the log of {self.release.name}:\n{self._log_end(20)}")
        self.close()

    @property
    def pid(self) -> int | None:
        """The id of the engine's process while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def stop(self) -> bool:
        """Asks the engine to end, as its host would (SIGTERM), and kills it after 30 s; True if it ended by itself."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends the engine at once (SIGKILL), without the report of its shutdown."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stops the engine if it runs and starts it again: same port, same database (one in memory is empty again)."""
        self.stop()
        self._launch()

    def close(self) -> None:
        """Stops the engine and removes its folder with the log."""
        try:
            self.stop()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method: str, path: str, *, body: object = None) -> Any:
        """Sends a request; ``path`` begins at the root of the server, text is sent as text, all else as JSON.

        Returns the decoded JSON, or the text of an answer in any other type. Raises EngineError for a status from 400.
        """
        request = urllib.request.Request(self.root + path, method=method)
        if body is not None:
            text = isinstance(body, str)
            request.data = str(body).encode() if text else json.dumps(body).encode()
            request.add_header("Content-Type", "text/plain;charset=UTF-8" if text else "application/json")
        if "engine.rest-authentication" in self._configuration:
            credentials = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            request.add_header("Authorization", f"Basic {credentials}")
        try:
            with _HTTP.open(request, timeout=REQUEST_TIMEOUT) as response:
                content, kind = response.read().decode(), response.headers.get_content_type()
        except urllib.error.HTTPError as refused:
            with refused:
                detail = refused.read().decode(errors="replace")
            raise EngineError(f"{method} {path}: status {refused.code}: {detail}") from refused
        except OSError as failed:
            raise EngineError(f"{method} {path}: {failed}") from failed
        return json.loads(content) if kind == "application/json" and content else content

    def get(self, path: str) -> Any:
        """The answer of the REST API to a GET, such as ``/version``."""
        return self.call("GET", f"/engine-rest{path}")

    def start_process(self, times: int = 1) -> list[str]:
        """Starts the process ``order`` (start event, user task of demo, end event); the ids of the new instances."""
        path = "/engine-rest/process-definition/key/order/start"
        return [str(self.call("POST", path, body={})["id"]) for _ in range(times)]

    def complete_tasks(self) -> int:
        """Completes every open task; how many there were."""
        tasks = self.get("/task")
        for task in tasks:
            self.call("POST", f"/engine-rest/task/{task['id']}/complete", body={})
        return len(tasks)

    def evaluate_decision(self, times: int = 1) -> None:
        """Evaluates the decision ``discount`` (one input, one rule, one output)."""
        for _ in range(times):
            self.call("POST", "/test/decision")

    def flush(self) -> None:
        """Writes the engine's counters to its database now, which it does by itself every 15 minutes."""
        self.call("POST", "/test/flush")

    def purge(self) -> None:
        """Deletes all metrics from the engine's database."""
        self.call("POST", "/test/purge")

    def set_license(self, text: str | None) -> None:
        """Sets the licence key, or removes it with None. Operaton has none: EngineError."""
        if not self.release.license_key:
            raise EngineError(f"{self.release.name} has no licence key")
        if text is None:
            self.call("DELETE", "/test/license")
        else:
            self.call("POST", "/test/license", body=text)

    def open_cockpit(self) -> None:
        """Visits the page of Cockpit, after which the engine lists it among its webapps."""
        self.call("GET", f"/{self.release.product}/app/cockpit/default/")

    def telemetry_data(self) -> dict[str, Any]:
        """What the engine says of itself; EngineError on engines before 7.17, which have no such resource."""
        answer: dict[str, Any] = self.get("/telemetry/data")
        return answer

    def metric(self, name: str) -> int:
        """The sum of a metric over all time, such as ``root-process-instance-start``, counters not flushed included."""
        return int(self.get(f"/metrics/{name}/sum")["result"])

    def _launch(self) -> None:
        jar = build(self.release.name)
        java = java_tool("java")
        if java is None:
            raise EngineError(str(missing_tools()))
        configuration = self.folder / "application.yml"
        configuration.touch(mode=0o600)
        configuration.write_text(json.dumps(self._configuration), encoding="ascii")  # JSON is YAML
        command = [java, *JAVA_OPTIONS, f"-Djava.io.tmpdir={self.folder}", "-jar", str(jar)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=clean_environment(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait_until_ready(self._process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        limit = time.monotonic() + START_TIMEOUT
        while time.monotonic() < limit:
            if process.poll() is not None:
                raise EngineError(f"{self.release.name} ended at its start; the end of its log:\n{self._log_end(60)}")
            try:
                self.get("/engine")
            except EngineError:
                time.sleep(0.2)
            else:
                return
        self.kill()
        raise EngineError(
            f"{self.release.name} did not answer within {START_TIMEOUT:.0f} s; the end of its log:\n{self._log_end(60)}"
        )

    def _end(self, how: signal.Signals) -> bool:
        process = self._process
        if process is None:
            return True
        self._process = None
        graceful = True
        process.send_signal(how)
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            graceful = False
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
        return graceful

    def _log_end(self, lines: int) -> str:
        return tail(self.log.read_text(encoding="utf-8", errors="replace"), lines=lines)


def clean_environment() -> dict[str, str]:
    """What an engine gets of the environment."""
    return {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
