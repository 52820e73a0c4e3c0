"""What nobody expected: who asked is told that it was so, and what it was is said where the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NoReturn, TypeVar

import httpx
import pytest

from telemetry_admin.commands.serve import _Opener
from telemetry_admin.host import Host
from telemetry_admin.invocation import Invocation
from telemetry_core import secret
from telemetry_core.config import Config, Layers, load
from telemetry_core.model import Clock
from telemetry_core.reporting import Session
from telemetry_web.routes import application
from tests.support.clock import RealClock
from tests.support.guarded_engine import GuardedEngine
from tests.support.web_server import CONFIGURATION, DATA, basic

T = TypeVar("T")


class Broken:
    """A program with a mistake wherever the store is needed; what it notes is what the program says of bugs."""

    def __init__(self, guarded: GuardedEngine) -> None:
        self.clock: Clock = RealClock()
        self._rest = guarded.rest
        self._says = _Opener(Invocation(Host(self.clock, {}, is_root=False, is_terminal=False, can_ask=False)))

    def config(self) -> Config:
        return load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__REST": self._rest}))

    def reading(self) -> AbstractContextManager[Session]:
        return self._fail()

    def writing(self) -> AbstractContextManager[Session]:
        return self._fail()

    def token(self) -> str:
        return self._says.token()

    def deciding(self, do: Callable[[Session], T]) -> T:  # noqa: ARG002  # the signature is the protocol's
        return self._fail()

    def note_bug(self) -> None:
        self._says.note_bug()

    def _fail(self) -> NoReturn:
        raise ZeroDivisionError("a mistake")


def test_a_bug_is_answered_with_500_and_said_where_the_server_runs(
    guarded: GuardedEngine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret, "_REVEALED", set())  # passwords of one letter, as other tests have them, are redacted

    async def ask() -> list[httpx.Response]:
        ada = {"Authorization": basic("ada", "ada-pw")}
        transport = httpx.ASGITransport(application(Broken(guarded)))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=ada) as client:
            switched = await client.post(CONFIGURATION, json={"enableTelemetry": True})
            return [switched, await client.get(CONFIGURATION), await client.get(DATA)]

    answers = asyncio.run(ask())
    for answer in answers:
        assert answer.status_code == 500
        assert answer.json() == {
            "type": "TelemetryError",
            "message": "Something unexpected happened; the server's own output says what.",
            "code": None,
        }
    said = capfd.readouterr().err
    assert said.count("ZeroDivisionError: a mistake") == len(answers)
    assert "ada-pw" not in said


def test_a_bug_of_the_page_is_said_where_the_server_runs_and_to_who_asks_only_that_there_was_one(
    guarded: GuardedEngine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret, "_REVEALED", set())

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(application(Broken(guarded)))
        same = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=same) as client:
            await client.post("/sign-in", data={"user": "ada", "password": "ada-pw"})
            return [await client.get(path) for path in ("/", "/engine/orders", "/engine/orders/preview")]

    answers = asyncio.run(ask())
    for answer in answers:
        assert answer.status_code == 500
        assert "Something unexpected happened" in answer.text
        assert "ZeroDivisionError" not in answer.text
        assert "a mistake" not in answer.text
    assert capfd.readouterr().err.count("ZeroDivisionError: a mistake") == len(answers)
