"""From request to page: who is signed in where, whether a form is theirs, and what is said when something fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from telemetry_core.config import Config, Engine
from telemetry_core.errors import EngineError, TelemetryError, UsageError
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
                return RedirectResponse("/sign-in", 303, drawing.HEADERS)
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
            return self._failed(turn, problem.message, _status(problem), hint=problem.hint)
        except Exception:  # noqa: BLE001  # whatever it is, the server goes on
            self._opener.note_bug()
            return self._failed(turn, BUG, 500)

    def _viewed(self, turn: _Turn, do: View, *, to_change: bool) -> Response:
        found = [engine for engine in turn.engines if engine.entry == turn.request.path_params["entry"]]
        if turn.visit is None or not found:
            return RedirectResponse("/sign-in", 303, drawing.HEADERS)
        if turn.posted and not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        guest = turn.visit.guests[found[0].entry]
        if to_change and not guest.may_switch:
            return self._failed(turn, NOT_ADMINISTRATOR, 403)
        path, query = turn.request.path_params, dict(turn.request.query_params)
        asked = Asked(self._opener, found[0], guest, turn.visit, turn.browser.texts, path, query, turn.form)
        answer = do(asked)
        if isinstance(answer, Moved):
            self._sessions.leave(turn.browser.key, answer.notice)
            return RedirectResponse(answer.path, 303, drawing.HEADERS)
        if isinstance(answer, Bytes):
            kept = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
            return Response(answer.body, 200, {**drawing.HEADERS, **kept}, media_type="application/json")
        return self._drawn(turn, answer, engine=found[0].entry, guest=guest)

    def _signed_in(self, turn: _Turn) -> Response:
        if not turn.posted:
            return self._drawn(turn, _form(turn))
        came = Came(turn.config, turn.form, turn.browser.address)
        try:
            engine, guest = sign_in(self._passwords, came)
        except Refused as refused:
            response = self._drawn(turn, _form(turn, refused))
            if refused.wait:
                response.headers["Retry-After"] = str(refused.wait)
            return response
        key = self._sessions.begin(engine.entry, guest, turn.browser.binding, before=turn.browser.key)
        return turn.browser.keep(RedirectResponse(f"/engine/{engine.entry}", 303, drawing.HEADERS), key)

    def _signed_out(self, turn: _Turn) -> Response:
        if turn.visit is None or not turn.visit.owns(turn.form.get("form-token", "")):
            return self._failed(turn, FOREIGN, 403)
        self._sessions.end(turn.browser.key)
        return turn.browser.forget(RedirectResponse("/sign-in", 303, drawing.HEADERS))

    def _drawn(self, turn: _Turn, drawn: Drawn, *, engine: str = "", guest: Guest | None = None) -> Response:
        values = {
            "visit": turn.visit,
            "engines": [one.entry for one in turn.engines],
            "others": [one.entry for one in turn.config.engines if one not in turn.engines],
            "engine": engine,
            "guest": guest,
            "notice": self._sessions.take(turn.browser.key) if turn.visit is not None else "",
        }
        return drawing.draw(drawn.template, turn.browser.texts, {**values, **drawn.values}, status=drawn.status)

    def _failed(self, turn: _Turn, message: str, status: int, *, hint: str = "") -> Response:
        return self._drawn(turn, Drawn("error.html", {"message": message, "hint": hint}, status))

    def _stranded(self, request: Request, message: str, status: int) -> Response:
        """An answer to somebody of whom nothing is known."""
        values: dict[str, object] = {"visit": None, "engines": [], "others": [], "engine": "", "guest": None}
        values |= {"notice": "", "message": message, "hint": ""}
        language = texts(language_of(request.headers.get("accept-language", "")))
        return drawing.draw("error.html", language, values, status=status)


def _form(turn: _Turn, refused: Refused | None = None) -> Drawn:
    values = {
        "choices": [engine.entry for engine in turn.config.engines],
        "chosen": turn.form.get("engine", turn.request.query_params.get("engine", "")),
        "user": turn.form.get("user", ""),
        "refused": refused,
    }
    return Drawn("sign-in.html", values, 200 if refused is None else refused.status)


def _status(problem: TelemetryError) -> int:
    if isinstance(problem, EngineError):
        return 503
    return 400 if isinstance(problem, UsageError) else 500
