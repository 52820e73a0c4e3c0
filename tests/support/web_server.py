"""The program's `serve` as a child process, and a client that asks it as programs of the engine's time did."""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.child_server import ChildServer
from tests.support.program import Program

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


class WebServer(ChildServer):
    """A running `serve`.

    Args:
        program: With its configuration.
        arguments: More of the command line.
        tls: How to trust it, where it speaks TLS.
    """

    def __init__(self, program: Program, *arguments: str, tls: ssl.SSLContext | None = None) -> None:
        self.tls = tls
        super().__init__(program, (("serve",), arguments))

    def is_ready(self) -> bool:
        self.as_nobody().get("/openapi.json")
        return True

    def as_nobody(self, source: str = "127.0.0.1") -> Caller:
        return Caller(self.port, source=source, tls=self.tls)

    def as_user(self, user: str, password: str, *, source: str = "127.0.0.1") -> Caller:
        return Caller(self.port, basic(user, password), source, self.tls)

    def as_machine(self, token: str) -> Caller:
        return Caller(self.port, f"Bearer {token}", tls=self.tls)
