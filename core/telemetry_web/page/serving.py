"""From request to page: who is signed in where, whether a form is theirs, and what is said when something fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from telemetry_core.config import Config, Engine
from telemetry_core.errors import EngineError, StoreDamaged, TelemetryError, UsageError
from telemetry_web.opening import Opener
from telemetry_web.page import drawing
from telemetry_web.page.asked import Asked, Bytes, Drawn, Moved
from telemetry_web.page.browser import Browser, NotAForm, browser, fields_of, is_from_here
from telemetry_web.page.readings import Readings, TooMany
from telemetry_web.page.sessions import Guest, Sessions, Visit
from telemetry_web.page.signing_in import Came, Refused, addresses_of, sign_in
from telemetry_web.page.texts import language_of, texts
from telemetry_web.passwords import Passwords

Answer: TypeAlias = Drawn | Moved | Bytes
View: TypeAlias = Callable[[Asked], Answer]
Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

FOREIGN = "This form is not from this page, or somebody else is signed in now. Open the page again."
NOT_ADMINISTRATOR = "Only an administrator of the engine may do this: a member of its administrators' group."
BUG = "Something unexpected happened; the server's own output says what."
CLOSED = "The server is not configured right; `telemetry config check` says more."
ENDED = "Your session has ended, and nothing was changed. Sign in again."
SECTIONS = ("preview", "history", "usage", "license", "consent", "sources", "enable", "disable")
REFUSED = {
    404: "There is no such page.",
    405: "This page is not asked for in this way.",
    413: "What was sent is larger than any form of this page.",
}


@dataclass(frozen=True, slots=True)
class _Turn:
    """A request with what is known of who asks, and the fields of the form that was sent."""

    request: Request
    config: Config
    browser: Browser
    visit: Visit | None
    form: Mapping[str, str]

    @property
    def posted(self) -> bool:
        return self.request.method == "POST"

    @property
    def engines(self) -> list[Engine]:
        """Those that somebody is signed in at and that are still configured."""
        guests = {} if self.visit is None else self.visit.guests
        return [
            engine
            for engine in self.config.engines
            if engine.entry in guests and guests[engine.entry].addresses == addresses_of(engine)
        ]

    @property
    def engine(self) -> Engine | None:
        """The one of them that the address names."""
        entry = self.request.path_params.get("entry")
        return next((engine for engine in self.engines if engine.entry == entry), None)

    @property
    def section(self) -> str:
        """The page of an engine that was asked for, also before the sign-in; empty for the first one."""
        named = self.form.get("section") or self.request.query_params.get("section", "")
        asked = self.request.url.path.split("/")[3:4] if "entry" in self.request.path_params else [named]
        return next((section for section in SECTIONS if section in asked), "")


class Page:
    """All pages; configuration and store are opened anew for each request, in a thread of its own."""

    def __init__(self, opener: Opener, passwords: Passwords) -> None:
        self._opener = opener
        self._passwords = passwords
        self._sessions = Sessions(opener.clock, opener.token)
        self._readings = Readings(opener.clock)

    def start(self, overview: Callable[[Opener, list[tuple[Engine, Guest]]], Drawn]) -> Endpoint:
        """The endpoint of the first page, which is about all engines that somebody is signed in at."""

        def draw(turn: _Turn) -> Response:
            if turn.visit is None or not turn.engines:
                return _moved("/sign-in")
            guests = turn.visit.guests
            drawn = overview(self._opener, [(engine, guests[engine.entry]) for engine in turn.engines])
            return self._drawn(turn, drawn)

        return self._endpoint(draw)

    def view(self, do: View, *, to_change: bool = False, reads: bool = False) -> Endpoint:
        """The endpoint of a page about one engine.

        Args:
            do: What it shows or does.
            to_change: Whether it is for the engine's administrators alone.
            reads: Whether the engine is read for it, which nobody may have done at will.
        """

        def limited(asked: Asked) -> Answer:
            with self._readings.reading(asked.engine.entry, asked.guest.user):
                return do(asked)

        return self._endpoint(lambda turn: self._viewed(turn, limited if reads else do, to_change=to_change))

    def sign_in(self) -> Endpoint:
        """The endpoint where a user's password is asked for."""
        return self._endpoint(self._signed_in)

    def sign_out(self) -> Endpoint:
        """The endpoint that ends a session, for all engines."""
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

    def _endpoint(self, do: Callable[[_Turn], Response]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            body = await request.body() if request.method == "POST" else b""
            return await run_in_threadpool(self._safely, request, body, do)

        return endpoint

    def _safely(self, request: Request, body: bytes, do: Callable[[_Turn], Response]) -> Response:
        try:
            config = self._opener.config()
            who = browser(request, config.serve)
            visit = self._sessions.find(who.key, who.binding) if who.key else None
            return self._answered(_Turn(request, config, who, visit, {}), body, do)
        except TelemetryError:  # what is wrong is not for strangers
            return self._stranded(request, CLOSED, 500)
        except Exception:  # noqa: BLE001  # whatever it is, the server goes on
            self._opener.note_bug()
            return self._stranded(request, BUG, 500)

    def _answered(self, turn: _Turn, body: bytes, do: Callable[[_Turn], Response]) -> Response:
        try:
            if turn.posted:
                turn = replace(turn, form=fields_of(turn.request.headers.get("content-type", ""), body))
                if not is_from_here(turn.request):
                    return self._failed(turn, FOREIGN, 403)
            return do(turn)
        except NotAForm as problem:
            return self._failed(turn, str(problem), 400)
        except TooMany as problem:
            response = self._failed(turn, str(problem), 429)
            response.headers["Retry-After"] = str(problem.seconds)
            return response
        except TelemetryError as problem:
            return self._failed(turn, problem.message, _status(problem), problem)
        except Exception:  # noqa: BLE001  # whatever it is, the server goes on
            self._opener.note_bug()
            return self._failed(turn, BUG, 500)

    def _viewed(self, turn: _Turn, do: View, *, to_change: bool) -> Response:
        found = turn.engine
        if turn.visit is None or found is None:
            return self._to_sign_in(turn)
        if turn.posted and not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        guest = turn.visit.guests[found.entry]
        if to_change and not guest.may_switch:
            return self._failed(turn, NOT_ADMINISTRATOR, 403)
        path, query = turn.request.path_params, dict(turn.request.query_params)
        asked = Asked(self._opener, found, guest, turn.visit, turn.browser.texts, path, query, turn.form)
        answer = do(asked)
        if isinstance(answer, Moved):
            self._sessions.leave(turn.browser.key, answer.notice)
            return _moved(answer.path)
        if isinstance(answer, Bytes):
            kept = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
            return Response(answer.body, 200, {**drawing.HEADERS, **kept}, media_type="application/json")
        return self._drawn(turn, answer)

    def _to_sign_in(self, turn: _Turn) -> Response:
        """Where somebody is not signed in at an engine, or no more; a form that was sent then has changed nothing."""
        entry = turn.request.path_params["entry"]
        if all(engine.entry != entry for engine in turn.config.engines):
            return self._failed(turn, REFUSED[404], 404) if turn.visit else _moved("/sign-in")
        if turn.posted:
            return self._drawn(turn, _form(turn, message=ENDED, status=403))
        section = turn.section
        return _moved(f"/sign-in?engine={entry}" + (f"&section={section}" if section else ""))

    def _signed_in(self, turn: _Turn) -> Response:
        if not turn.posted:
            return self._drawn(turn, _form(turn))
        came = Came(turn.config, turn.form, turn.browser.address)
        try:
            engine, guest = sign_in(self._passwords, came)
        except Refused as refused:
            response = self._drawn(turn, _form(turn, message=str(refused), status=refused.status))
            if refused.wait:
                response.headers["Retry-After"] = str(refused.wait)
            return response
        key = self._sessions.begin(engine.entry, guest, turn.browser.binding, before=turn.browser.key)
        section = turn.section
        return turn.browser.keep(_moved(f"/engine/{engine.entry}" + (f"/{section}" if section else "")), key)

    def _signed_out(self, turn: _Turn) -> Response:
        if turn.visit is None or not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        self._sessions.end(turn.browser.key)
        return turn.browser.forget(_moved("/sign-in"))

    def _drawn(self, turn: _Turn, drawn: Drawn) -> Response:
        here = {one.entry for one in turn.engines}
        engine = "" if turn.engine is None else turn.engine.entry
        values = {
            "visit": turn.visit,
            "others": [one.entry for one in turn.config.engines if one.entry not in here],
            "engine": engine,
            "guest": turn.visit.guests[engine] if turn.visit is not None and engine else None,
            "notice": self._sessions.take(turn.browser.key) if turn.visit is not None else "",
        }
        return drawing.draw(drawn.template, turn.browser.texts, {**values, **drawn.values}, status=drawn.status)

    def _failed(self, turn: _Turn, message: str, status: int, problem: TelemetryError | None = None) -> Response:
        values = {
            "message": message,
            "hint": "" if problem is None else problem.hint,
            "unchanged": turn.posted and message != BUG,
            "damaged": isinstance(problem, StoreDamaged),
        }
        return self._drawn(turn, Drawn("error.html", values, status))

    def _stranded(self, request: Request, message: str, status: int) -> Response:
        """An answer to somebody of whom nothing is known."""
        values: dict[str, object] = {"visit": None, "others": [], "engine": "", "guest": None, "notice": ""}
        values |= {"message": message, "hint": "", "unchanged": False, "damaged": False}
        language = texts(language_of(request.headers.get("accept-language", "")))
        return drawing.draw("error.html", language, values, status=status)


def _form(turn: _Turn, *, message: str = "", status: int = 200) -> Drawn:
    given = turn.form if "engine" in turn.form else turn.request.query_params
    values = {
        "choices": [engine.entry for engine in turn.config.engines],
        "chosen": turn.request.path_params.get("entry") or given.get("engine", ""),
        "section": turn.section,
        "user": turn.form.get("user", ""),
        "message": message,
    }
    return Drawn("sign-in.html", values, status)


def _moved(path: str) -> Response:
    return RedirectResponse(path, 303, drawing.HEADERS)


def _status(problem: TelemetryError) -> int:
    if isinstance(problem, EngineError):
        return 503
    return 400 if isinstance(problem, UsageError) else 500
