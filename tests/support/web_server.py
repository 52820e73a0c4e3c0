"""The program's `serve` as a child process, and a client that asks it as programs of the engine's time did."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.program import Program
from tests.support.receiver import free_port

JSON = "application/json"
CONFIGURATION, DATA = "/engine-rest/telemetry/configuration", "/engine-rest/telemetry/data"
_WAIT = 60.0


@dataclass(frozen=True)
class Answered:
    """One answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]


@dataclass(frozen=True)
class Caller:
    """Who asks, from where, and over which TLS."""

    port: int
    authorization: str = ""
    source: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None

    def ask(self, method: str, path: str, *, body: bytes | None = None, kind: str = JSON, **headers: str) -> Answered:
        """One request over a connection of its own."""
        where = ("127.0.0.1", self.port)
        connection: http.client.HTTPConnection
        if self.tls is None:
            connection = http.client.HTTPConnection(*where, timeout=_WAIT, source_address=(self.source, 0))
        else:
            connection = http.client.HTTPSConnection(*where, timeout=_WAIT, context=self.tls)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization:
            sent["Authorization"] = self.authorization
        if body is not None and kind:
            sent["Content-Type"] = kind
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answered:
        return self.ask("GET", path)

    def switch(self, enabled: object, path: str = CONFIGURATION) -> Answered:
        return self.ask("POST", path, body=json.dumps({"enableTelemetry": enabled}).encode())


def basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


class WebServer:
    """A running server. Use it as a context manager; it is told to end at the block's end.

    Args:
        program: With its configuration.
        arguments: More of the command line.
        tls: How to trust it, where it speaks TLS.
    """

    def __init__(self, program: Program, *arguments: str, tls: ssl.SSLContext | None = None) -> None:
        self.port = free_port()
        self.tls = tls
        self.output = b""
        self.errors = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "telemetry_admin", "serve", "--port", str(self.port), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=program.environment(),
            cwd=program.directory,
        )

    def __enter__(self) -> Self:
        try:
            self._wait_until_it_answers()
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

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; its exit status."""
        self._process.send_signal(how)
        try:
            self.output, self.errors = self._process.communicate(timeout=_WAIT)
        finally:
            self._process.kill()
        return self._process.returncode

    def as_nobody(self, source: str = "127.0.0.1") -> Caller:
        return Caller(self.port, source=source, tls=self.tls)

    def as_user(self, user: str, password: str, *, source: str = "127.0.0.1") -> Caller:
        return Caller(self.port, basic(user, password), source, self.tls)

    def as_machine(self, token: str) -> Caller:
        return Caller(self.port, f"Bearer {token}", tls=self.tls)

    def _wait_until_it_answers(self) -> None:
        limit = time.monotonic() + _WAIT
        while time.monotonic() < limit and self._process.poll() is None:
            try:
                self.as_nobody().get("/openapi.json")
            except (OSError, http.client.HTTPException):  # a connection can meet itself where nobody listens yet
                time.sleep(0.05)
            else:
                return
        self._process.kill()
        output, errors = self._process.communicate()
        raise AssertionError(f"the server does not answer: {output!r} {errors!r}")
