"""From request to page: who has signed in, whether a form is theirs, and what is said when something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from telemetry_collector.desk import Desk
from telemetry_collector.page.asking import Answer, Question
from telemetry_collector.page.signing_in import ENTRY, Tokens
from telemetry_collector.store import Decision, Stored
from telemetry_core.errors import ConfigurationError, StoreError, TelemetryError, UsageError
from telemetry_web.page import drawing
from telemetry_web.page.asked import Drawn, Moved
from telemetry_web.page.browser import Browser, NotAForm, Settings, browser, fields_of, is_from_here
from telemetry_web.page.sessions import Sessions, Visit
from telemetry_web.page.texts import language_of, texts

PACKAGE = "telemetry_collector.page"
COOKIE = "telemetry-collector"

FOREIGN = "This form is not from this page, or somebody else is signed in now. Open the page again."
BUG = "Something unexpected happened; the server's own output says what."
CLOSED = "The server is not configured right; `telemetry config check` says more."
ENDED = "Your session has ended, and nothing was changed. Sign in again."
WRONG = "This token is wrong."
WAIT = "Too many wrong tokens. Try again in {seconds} seconds."
BUSY = "Too many pages are being made at once. Try again in a second."
SLOW = "What was sent came too slowly."
NOTHING = "There is no store yet."
REFUSED = {
    404: "There is no such page.",
    405: "This page is not asked for in this way.",
    413: "What was sent is larger than any form of this page.",
}

_FORM_LIMIT = 64 * 1024
_FORM_SECONDS = 10
_AT_ONCE = 8
"""Pages that are made at once, each with the store open."""

_DECIDING_SECONDS = 15.0

View: TypeAlias = Callable[[Question], Answer]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
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


@dataclass(frozen=True, slots=True)
class _Turn:
    """A request with what is known of who asks, and the fields of the form that was sent."""

    request: Request
    browser: Browser
    visit: Visit | None
    loop: asyncio.AbstractEventLoop
    form: Mapping[str, str]

    @property
    def posted(self) -> bool:
        return self.request.method == "POST"


class Page:
    """All pages; the store is opened anew for each request, in a thread of its own."""

    def __init__(self, desk: Desk, before: Before) -> None:
        self._desk = desk
        self._before = before
        self._tokens = Tokens(before.token_file, desk.clock)
        self._sessions = Sessions(desk.clock, desk.token)
        self._places = BoundedSemaphore(_AT_ONCE)

    def view(self, do: View) -> Endpoint:
        """The endpoint of a page that shows or does something."""
        return self._endpoint(lambda turn: self._viewed(turn, do))

    def sign_in(self) -> Endpoint:
        """The endpoint where a token is asked for."""
        return self._endpoint(self._signed_in)

    def sign_out(self) -> Endpoint:
        """The endpoint that ends a session."""
        return self._endpoint(self._signed_out)

    async def file(self, request: Request) -> Response:
        """One of the page's own files."""
        path = request.path_params
        return drawing.file(path["digest"], path["name"]) or self.refused(request, 404)

    def refused(self, request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """What comes to none of the pages; whoever asks."""
        response = _stranded(request, REFUSED.get(status, f"HTTP {status}"), status)
        response.headers.update(headers or {})
        return response

    def _endpoint(self, do: Callable[[_Turn], Response]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                body = await _form(request) if request.method == "POST" else b""
            except TimeoutError:
                return _stranded(request, SLOW, 408)
            if body is None:
                return self.refused(request, 413, {"Connection": "close"})
            return await run_in_threadpool(self._safely, request, (body, asyncio.get_running_loop()), do)

        return endpoint

    def _safely(
        self, request: Request, sent: tuple[bytes, asyncio.AbstractEventLoop], do: Callable[[_Turn], Response]
    ) -> Response:
        try:
            body, loop = sent
            who = browser(request, self._before.settings, name=COOKIE, address=self._before.address(request))
            visit = self._sessions.find(who.key, who.binding) if who.key else None
            if visit is not None and not self._tokens.are_good(visit):
                self._sessions.end(who.key)
                visit = None
            return self._answered(_Turn(request, who, visit, loop, {}), body, do)
        except ConfigurationError:  # what is wrong is not for strangers
            return _stranded(request, CLOSED, 500)
        except Exception:  # noqa: BLE001  # whatever it is, the service goes on
            self._desk.note_bug()
            return _stranded(request, BUG, 500)

    def _answered(self, turn: _Turn, body: bytes, do: Callable[[_Turn], Response]) -> Response:
        try:
            if turn.posted:
                turn = replace(turn, form=fields_of(turn.request.headers.get("content-type", ""), body))
                if not is_from_here(turn.request):
                    return self._failed(turn, FOREIGN, 403)
            return do(turn)
        except NotAForm as problem:
            return self._failed(turn, str(problem), 400)
        except ConfigurationError:
            return self._failed(turn, CLOSED, 500)
        except TelemetryError as problem:
            return self._failed(turn, problem.message, _status(problem), problem.hint)

    def _viewed(self, turn: _Turn, do: View) -> Response:
        if turn.visit is None:
            return self._drawn(turn, _asking(ENDED, 403)) if turn.posted else _moved("/sign-in")
        if turn.posted and not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        if not self._places.acquire(blocking=False):
            response = self._failed(turn, BUSY, 503)
            response.headers["Retry-After"] = "1"
            return response
        try:
            answer = self._asked(turn, turn.visit, do)
        finally:
            self._places.release()
        if isinstance(answer, Moved):
            self._sessions.leave(turn.browser.key, answer.notice)
            return _moved(answer.path)
        return self._drawn(turn, answer)

    def _asked(self, turn: _Turn, visit: Visit, do: View) -> Answer:
        store = self._desk.reading()
        if store is None:
            raise UsageError(NOTHING)

        def decide(decision: Decision) -> tuple[Stored, bool]:
            waiting = asyncio.run_coroutine_threadsafe(_whole(self._before.decide(decision)), turn.loop)
            outcome = waiting.result(_DECIDING_SECONDS)
            if isinstance(outcome, UsageError):
                raise outcome
            return outcome

        with store:
            who, now = f"token {visit.guests[ENTRY].user}", self._desk.clock.now()
            return do(Question(store, decide, who, now, dict(turn.request.query_params), turn.form))

    def _signed_in(self, turn: _Turn) -> Response:
        if not turn.posted:
            return self._drawn(turn, _asking())
        found = self._tokens.guest(turn.form.get("token", ""), turn.browser.address)
        if found is None:
            return self._drawn(turn, _asking(WRONG, 403))
        if isinstance(found, int):
            response = self._drawn(turn, _asking(WAIT.format(seconds=found), 429))
            response.headers["Retry-After"] = str(found)
            return response
        key = self._sessions.begin(ENTRY, found, turn.browser.binding, before=turn.browser.key)
        return turn.browser.keep(_moved("/"), key)

    def _signed_out(self, turn: _Turn) -> Response:
        if turn.visit is None or not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        self._sessions.end(turn.browser.key)
        return turn.browser.forget(_moved("/sign-in"))

    def _drawn(self, turn: _Turn, drawn: Drawn) -> Response:
        notice = self._sessions.take(turn.browser.key) if turn.visit is not None else ""
        user = "" if turn.visit is None else turn.visit.guests[ENTRY].user
        values = {"visit": turn.visit, "user": user, "engine": "", "notice": notice, **drawn.values}
        return drawing.draw(drawn.template, turn.browser.texts, values, status=drawn.status, package=PACKAGE)

    def _failed(self, turn: _Turn, message: str, status: int, hint: str = "") -> Response:
        values = {"message": message, "hint": hint, "unchanged": turn.posted and message != BUG}
        return self._drawn(turn, Drawn("error.html", values, status))


async def _whole(waiting: Awaitable[tuple[Stored, bool] | UsageError]) -> tuple[Stored, bool] | UsageError:
    return await waiting


async def _form(request: Request) -> bytes | None:
    """The body of a request, None where it is larger than any form.

    Raises:
        TimeoutError: It does not come to its end.
    """
    body = b""
    try:
        async with asyncio.timeout(_FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _FORM_LIMIT:
                    return None
    except ClientDisconnect:
        return b""
    return body


def _stranded(request: Request, message: str, status: int) -> Response:
    """An answer to somebody of whom nothing is known."""
    values = {"visit": None, "user": "", "engine": "", "notice": "", "message": message, "hint": "", "unchanged": False}
    language = texts(language_of(request.headers.get("accept-language", "")))
    return drawing.draw("error.html", language, values, status=status, package=PACKAGE)


def _asking(message: str = "", status: int = 200) -> Drawn:
    return Drawn("sign-in.html", {"message": message}, status)


def _moved(path: str) -> Response:
    return RedirectResponse(path, 303, drawing.HEADERS)


def _status(problem: TelemetryError) -> int:
    if isinstance(problem, StoreError):
        return 503
    return 400 if isinstance(problem, UsageError) else 500
