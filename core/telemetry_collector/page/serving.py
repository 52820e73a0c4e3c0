"""The collector's own part of the frame: who has a token, and the store, where it is decided between two commits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeAlias

from anyio import from_thread
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from telemetry_collector.desk import Desk
from telemetry_collector.page.asking import Answer, Question
from telemetry_collector.page.signing_in import ENTRY, Tokens
from telemetry_collector.store import Decision, Stored
from telemetry_core.errors import ConfigurationError, StoreError, TelemetryError, UsageError
from telemetry_web.page.asked import Drawn, Moved
from telemetry_web.page.browser import Settings, browser
from telemetry_web.page.frame import CLOSED, ENDED, FOREIGN, Endpoint, Frame, Turn, after, moved
from telemetry_web.page.sessions import Sessions, Visit

COOKIE = "telemetry-collector"

WRONG = "This token is wrong."
WAIT = "Too many wrong tokens. Try again in {seconds} seconds."
BUSY = "Too many pages are being made at once. Try again in a second."
SLOW = "What was sent came too slowly."
NOTHING = "There is no store yet."

_FORM_LIMIT = 64 * 1024
_FORM_SECONDS = 10
_AT_ONCE = 8
"""Pages that are made at once, each with the store open."""

_DECIDING_SECONDS = 15.0

View: TypeAlias = Callable[[Question], Answer]
Decide: TypeAlias = Callable[[Decision], Awaitable[tuple[Stored, bool] | UsageError]]


@dataclass(frozen=True, slots=True)
class Before:
    """What stands before the page.

    Attributes:
        settings: Of the server.
        token_file: Who may come in.
        address: Where a request comes from, as the door knows it.
        decide: Decides about a report where the store is written.
    """

    settings: Settings
    token_file: Path
    address: Callable[[Request], str]
    decide: Decide


class Page(Frame[Turn]):
    """All pages; the store is opened anew for each request."""

    package = "telemetry_collector.page"
    away = StoreError

    def __init__(self, desk: Desk, before: Before) -> None:
        super().__init__(Sessions(desk.clock, desk.token), desk.note_bug)
        self._desk = desk
        self._before = before
        self._tokens = Tokens(before.token_file, desk.clock)
        self._places = BoundedSemaphore(_AT_ONCE)

    def view(self, do: View) -> Endpoint:
        """The endpoint of a page that shows or does something."""
        return self._endpoint(lambda turn: self._viewed(turn, do))

    def _turn(self, request: Request) -> Turn:
        who = browser(request, self._before.settings, name=COOKIE, address=self._before.address(request))
        visit = self._sessions.find(who.key, who.binding) if who.key else None
        if visit is not None and not self._tokens.are_good(visit):
            self._sessions.end(who.key)
            visit = None
        return Turn(request, who, visit, {})

    async def _sent(self, request: Request) -> bytes | Response:
        """The service has no limit of its own for all requests, since reports have another one."""
        body = b""
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > _FORM_LIMIT:
                        return self.refused(request, 413, {"Connection": "close"})
        except TimeoutError:
            return self._stranded(request, SLOW, 408)
        except ClientDisconnect:
            return b""
        return body

    def _in_trouble(self, turn: Turn, problem: TelemetryError) -> Response:
        if isinstance(problem, ConfigurationError):
            return self._failed(turn, CLOSED, 500)
        return super()._in_trouble(turn, problem)

    def _viewed(self, turn: Turn, do: View) -> Response:
        if turn.visit is None:
            return self._drawn(turn, _asking(ENDED, 403)) if turn.posted else moved("/sign-in")
        if turn.posted and not turn.is_own_form:
            return self._failed(turn, FOREIGN, 403)
        if not self._places.acquire(blocking=False):
            return after(self._failed(turn, BUSY, 503), 1)
        try:
            answer = self._asked(turn, turn.visit, do)
        finally:
            self._places.release()
        if isinstance(answer, Moved):
            return self._moved(turn, answer.path, answer.notice)
        return self._drawn(turn, answer)

    def _asked(self, turn: Turn, visit: Visit, do: View) -> Answer:
        store = self._desk.reading()
        if store is None:
            raise UsageError(NOTHING)
        with store:
            who, now = f"token {visit.guests[ENTRY].user}", self._desk.clock.now()
            return do(Question(store, self._decide, who, now, dict(turn.request.query_params), turn.form))

    def _decide(self, decision: Decision) -> tuple[Stored, bool]:
        """Decide in the thread of the event loop, where the writer is."""

        async def in_time() -> tuple[Stored, bool] | UsageError:
            async with asyncio.timeout(_DECIDING_SECONDS):
                return await self._before.decide(decision)

        outcome = from_thread.run(in_time)
        if isinstance(outcome, UsageError):
            raise outcome
        return outcome

    def _signed_in(self, turn: Turn) -> Response:
        if not turn.posted:
            return self._drawn(turn, _asking())
        found = self._tokens.guest(turn.form.get("token", ""), turn.browser.address)
        if found is None:
            return self._drawn(turn, _asking(WRONG, 403))
        if isinstance(found, int):
            return after(self._drawn(turn, _asking(WAIT.format(seconds=found), 429)), found)
        key = self._sessions.begin(ENTRY, found, turn.browser.binding, before=turn.browser.key)
        return turn.browser.keep(moved("/"), key)

    def _values(self, turn: Turn | None) -> Mapping[str, object]:
        user = "" if turn is None or turn.visit is None else turn.visit.guests[ENTRY].user
        return {"user": user, "engine": ""}


def _asking(message: str = "", status: int = 200) -> Drawn:
    return Drawn("sign-in.html", {"message": message}, status)
