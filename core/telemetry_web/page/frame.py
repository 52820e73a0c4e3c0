"""From request to answer, as both pages do it: who asks, whether a form is theirs, what is said of failures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeAlias, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from telemetry_core.errors import StoreDamaged, TelemetryError, UsageError
from telemetry_web.page import drawing
from telemetry_web.page.asked import Drawn
from telemetry_web.page.browser import Browser, NotAForm, fields_of, is_from_here
from telemetry_web.page.sessions import Sessions, Visit
from telemetry_web.page.texts import language_of, texts

FOREIGN = "This form is not from this page, or somebody else is signed in now. Open the page again."
BUG = "Something unexpected happened; the server's own output says what."
CLOSED = "The server is not configured right; `telemetry config check` says more."
ENDED = "Your session has ended, and nothing was changed. Sign in again."
REFUSED = {
    404: "There is no such page.",
    405: "This page is not asked for in this way.",
    413: "What was sent is larger than any form of this page.",
}

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A request with what is known of who asks, and the fields of the form that was sent."""

    request: Request
    browser: Browser
    visit: Visit | None
    form: Mapping[str, str]

    @property
    def posted(self) -> bool:
        """Whether a form was sent."""
        return self.request.method == "POST"

    @property
    def is_own_form(self) -> bool:
        """Whether it is one of the session's own."""
        return self.visit is not None and self.visit.owns(self.form.get("form-token", ""))


T = TypeVar("T", bound=Turn)


class Frame(ABC, Generic[T]):
    """Pages with sessions; each request is answered in a thread of its own.

    Args:
        sessions: Who is signed in.
        note_bug: Told, while it is handled, of an exception that nobody expected.
    """

    package: ClassVar[str] = drawing.PACKAGE
    """Whose templates they have."""

    away: ClassVar[type[TelemetryError]]
    """The failures of what stands behind the page, after which it is worth to try again (503)."""

    def __init__(self, sessions: Sessions, note_bug: Callable[[], None]) -> None:
        self._sessions = sessions
        self._note_bug = note_bug

    def sign_in(self) -> Endpoint:
        """The endpoint of the sign-in."""
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
        response = self._stranded(request, REFUSED.get(status, f"HTTP {status}"), status)
        response.headers.update(headers or {})
        return response

    @abstractmethod
    def _turn(self, request: Request) -> T:
        """Who asks; the form is not read yet.

        Raises:
            TelemetryError: Nobody can be let in, and what is wrong is not for strangers.
        """

    @abstractmethod
    def _signed_in(self, turn: T) -> Response:
        """The sign-in."""

    @abstractmethod
    def _values(self, turn: T | None) -> Mapping[str, object]:
        """What the frame of every page is filled in with; without a turn where nothing is known of who asks."""

    async def _sent(self, request: Request) -> bytes | Response:
        """The body of a form, or what is answered instead."""
        return await request.body()

    def _endpoint(self, do: Callable[[T], Response]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            sent = await self._sent(request) if request.method == "POST" else b""
            return sent if isinstance(sent, Response) else await run_in_threadpool(self._safely, request, sent, do)

        return endpoint

    def _safely(self, request: Request, body: bytes, do: Callable[[T], Response]) -> Response:
        try:
            return self._answered(self._turn(request), body, do)
        except TelemetryError:
            return self._stranded(request, CLOSED, 500)
        except Exception:  # noqa: BLE001  # whatever it is, the server goes on
            self._note_bug()
            return self._stranded(request, BUG, 500)

    def _answered(self, turn: T, body: bytes, do: Callable[[T], Response]) -> Response:
        try:
            if turn.posted:
                turn = replace(turn, form=fields_of(turn.request.headers.get("content-type", ""), body))
                if not is_from_here(turn.request):
                    return self._failed(turn, FOREIGN, 403)
            return do(turn)
        except NotAForm as problem:
            return self._failed(turn, str(problem), 400)
        except TelemetryError as problem:
            return self._in_trouble(turn, problem)

    def _in_trouble(self, turn: T, problem: TelemetryError) -> Response:
        """What is said of a failure to somebody who is let in."""
        status = 503 if isinstance(problem, self.away) else 400 if isinstance(problem, UsageError) else 500
        return self._failed(turn, problem.message, status, problem)

    def _signed_out(self, turn: T) -> Response:
        if not turn.is_own_form:
            return self._failed(turn, FOREIGN, 403)
        self._sessions.end(turn.browser.key)
        return turn.browser.forget(moved("/sign-in"))

    def _moved(self, turn: T, path: str, notice: str) -> Response:
        """Go on elsewhere, where something is said once."""
        self._sessions.leave(turn.browser.key, notice)
        return moved(path)

    def _drawn(self, turn: T, drawn: Drawn) -> Response:
        notice = self._sessions.take(turn.browser.key) if turn.visit is not None else ""
        values = {**self._values(turn), "visit": turn.visit, "notice": notice, **drawn.values}
        return drawing.draw(drawn.template, turn.browser.texts, values, status=drawn.status, package=self.package)

    def _failed(self, turn: T, message: str, status: int, problem: TelemetryError | None = None) -> Response:
        values = {
            "message": message,
            "hint": "" if problem is None else problem.hint,
            "unchanged": turn.posted and message != BUG,
            "damaged": isinstance(problem, StoreDamaged),
        }
        return self._drawn(turn, Drawn("error.html", values, status))

    def _stranded(self, request: Request, message: str, status: int) -> Response:
        """An answer to somebody of whom nothing is known."""
        values = {**self._values(None), "visit": None, "notice": ""}
        values |= {"message": message, "hint": "", "unchanged": False, "damaged": False}
        language = texts(language_of(request.headers.get("accept-language", "")))
        return drawing.draw("error.html", language, values, status=status, package=self.package)


def moved(path: str) -> Response:
    """Go on elsewhere, by a request that only looks."""
    return RedirectResponse(path, 303, drawing.HEADERS)


def after(response: Response, seconds: int) -> Response:
    """An answer that says when to come again."""
    response.headers["Retry-After"] = str(seconds)
    return response
