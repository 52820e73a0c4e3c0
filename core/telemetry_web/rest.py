"""The calls of the engine's REST API about telemetry, answered from the store and from the engine (facts §4.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from telemetry_core import administration, reporting, wire
from telemetry_core.administration import Author
from telemetry_core.api import entry_of
from telemetry_core.config import Engine
from telemetry_core.engines.identity import Right
from telemetry_core.errors import TelemetryError, UnknownEngine
from telemetry_web import answers
from telemetry_web.door import Knock, Visitor, admit
from telemetry_web.opening import Opener
from telemetry_web.passwords import Passwords
from telemetry_web.readings import Readings, TooMany

HOW = "REST"
"""What the record of a decision says of its way."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request that has been let in."""

    engine: Engine
    visitor: Visitor
    kind: str
    body: bytes


class _Configuration(msgspec.Struct, frozen=True):
    """The body of `POST /telemetry/configuration`; what else it holds is not looked at, as in the engine."""

    enable_telemetry: bool = msgspec.field(name="enableTelemetry")


class Rest:
    """The three calls; each opens configuration and store for itself, in a thread of its own."""

    def __init__(self, opener: Opener, passwords: Passwords, readings: Readings) -> None:
        self._opener = opener
        self._passwords = passwords
        self._readings = readings

    async def configuration(self, request: Request) -> Response:
        """`GET` and `POST /telemetry/configuration`."""
        if request.method == "POST":
            body = await request.body()
            return await run_in_threadpool(self._serve, request, Right.SET, self._switch, body)
        return await run_in_threadpool(self._serve, request, Right.READ, self._state)

    async def data(self, request: Request) -> Response:
        """`GET /telemetry/data`."""
        return await run_in_threadpool(self._serve, request, Right.READ, self._data)

    def _serve(self, request: Request, right: Right, do: Callable[[_Call], Response], body: bytes = b"") -> Response:
        try:
            admitted = self._admit(request, right)
            if isinstance(admitted, Response):
                return admitted
            engine, visitor = admitted
            return do(_Call(engine, visitor, request.headers.get("content-type", ""), body))
        except TooMany as problem:
            return answers.crowded(str(problem), problem.seconds)
        except TelemetryError as problem:
            return answers.failure(problem)
        except Exception:  # noqa: BLE001  # whatever it is, the server goes on
            self._opener.note_bug()
            return answers.bug()

    def _admit(self, request: Request, right: Right) -> tuple[Engine, Visitor] | Response:
        """The entry that is meant, and who may do it; to strangers nothing is said of what is wrong here."""
        name: str | None = request.path_params.get("engine")
        try:
            config = self._opener.config()
            engine = entry_of(config, name)
            address = "" if request.client is None else request.client.host
            knock = Knock(engine, right, request.headers.get("authorization", ""), address)
            visitor = admit(self._passwords, config.serve, knock)
        except UnknownEngine:
            return answers.unknown_engine(name or "default")
        except TelemetryError as problem:
            return answers.closed(problem)
        return visitor if isinstance(visitor, Response) else (engine, visitor)

    def _state(self, call: _Call) -> Response:
        with self._opener.reading() as session:
            return answers.found({"enableTelemetry": session.consent(call.engine.entry).state.flag})

    def _data(self, call: _Call) -> Response:
        with self._readings.place(), self._opener.reading() as session:
            return answers.found(wire.engine_tree(reporting.collected(session, call.engine)))

    def _switch(self, call: _Call) -> Response:
        if call.kind.partition(";")[0].strip().lower() != "application/json":
            return answers.of_framework(415)
        try:
            wanted = msgspec.json.decode(call.body, type=_Configuration)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return answers.invalid('The body must be {"enableTelemetry": true} or {"enableTelemetry": false}.')
        author = Author(call.visitor.name, HOW)
        if wanted.enable_telemetry:
            with self._readings.place():
                self._opener.deciding(lambda session: administration.enable(session, call.engine, author))
        else:  # reads no engine, and is never refused
            self._opener.deciding(lambda session: administration.disable(session, call.engine, author))
        return answers.done()
