"""The administration page's own part of the frame: who is signed in at which engine, and what they may do there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from telemetry_core.config import Config, Engine
from telemetry_core.errors import EngineError
from telemetry_web.opening import Opener
from telemetry_web.page import drawing
from telemetry_web.page.asked import Asked, Bytes, Drawn, Moved
from telemetry_web.page.browser import browser
from telemetry_web.page.frame import BUG, ENDED, FOREIGN, REFUSED, Endpoint, Frame, Turn, after, moved
from telemetry_web.page.sessions import Guest, Sessions
from telemetry_web.page.signing_in import Came, Refused, addresses_of, sign_in
from telemetry_web.passwords import Passwords
from telemetry_web.readings import Readings, TooMany

Answer: TypeAlias = Drawn | Moved | Bytes
View: TypeAlias = Callable[[Asked], Answer]

NOT_ADMINISTRATOR = "Only an administrator of the engine may do this: a member of its administrators' group."
SECTIONS = ("preview", "history", "usage", "license", "consent", "sources", "enable", "disable")


@dataclass(frozen=True, slots=True)
class _Turn(Turn):
    """A request, with the configuration of now."""

    config: Config

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


class Page(Frame[_Turn]):
    """All pages; configuration and store are opened anew for each request."""

    away = EngineError

    def __init__(self, opener: Opener, passwords: Passwords, readings: Readings) -> None:
        super().__init__(Sessions(opener.clock, opener.token), opener.note_bug)
        self._opener = opener
        self._passwords = passwords
        self._readings = readings

    def start(self, overview: Callable[[Opener, list[tuple[Engine, Guest]]], Drawn]) -> Endpoint:
        """The endpoint of the first page, which is about all engines that somebody is signed in at."""

        def draw(turn: _Turn) -> Response:
            if turn.visit is None or not turn.engines:
                return moved("/sign-in")
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

    def _turn(self, request: Request) -> _Turn:
        config = self._opener.config()
        who = browser(request, config.serve)
        visit = self._sessions.find(who.key, who.binding) if who.key else None
        return _Turn(request, who, visit, {}, config)

    def _answered(self, turn: _Turn, body: bytes, do: Callable[[_Turn], Response]) -> Response:
        try:
            return super()._answered(turn, body, do)
        except TooMany as problem:
            return after(self._failed(turn, str(problem), 429), problem.seconds)
        except Exception:  # noqa: BLE001  # whoever asks is known, and stays where they are
            self._note_bug()
            return self._failed(turn, BUG, 500)

    def _viewed(self, turn: _Turn, do: View, *, to_change: bool) -> Response:
        found = turn.engine
        if turn.visit is None or found is None:
            return self._to_sign_in(turn)
        if turn.posted and not turn.is_own_form:
            return self._failed(turn, FOREIGN, 403)
        guest = turn.visit.guests[found.entry]
        if to_change and not guest.may_switch:
            return self._failed(turn, NOT_ADMINISTRATOR, 403)
        path, query = turn.request.path_params, dict(turn.request.query_params)
        answer = do(Asked(self._opener, found, guest, turn.visit, turn.browser.texts, path, query, turn.form))
        if isinstance(answer, Moved):
            return self._moved(turn, answer.path, answer.notice)
        if isinstance(answer, Bytes):
            kept = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
            return Response(answer.body, 200, {**drawing.HEADERS, **kept}, media_type="application/json")
        return self._drawn(turn, answer)

    def _to_sign_in(self, turn: _Turn) -> Response:
        """Where somebody is not signed in at an engine, or no more; a form that was sent then has changed nothing."""
        entry = turn.request.path_params["entry"]
        if all(engine.entry != entry for engine in turn.config.engines):
            return self._failed(turn, REFUSED[404], 404) if turn.visit else moved("/sign-in")
        if turn.posted:
            return self._drawn(turn, _form(turn, message=ENDED, status=403))
        section = turn.section
        return moved(f"/sign-in?engine={entry}" + (f"&section={section}" if section else ""))

    def _signed_in(self, turn: _Turn) -> Response:
        if not turn.posted:
            return self._drawn(turn, _form(turn))
        came = Came(turn.config, turn.form, turn.browser.address)
        try:
            engine, guest = sign_in(self._passwords, came)
        except Refused as refused:
            response = self._drawn(turn, _form(turn, message=str(refused), status=refused.status))
            return after(response, refused.wait) if refused.wait else response
        key = self._sessions.begin(engine.entry, guest, turn.browser.binding, before=turn.browser.key)
        section = turn.section
        return turn.browser.keep(moved(f"/engine/{engine.entry}" + (f"/{section}" if section else "")), key)

    def _values(self, turn: _Turn | None) -> Mapping[str, object]:
        if turn is None:
            return {"others": [], "engine": "", "guest": None, "switched": []}
        here = {one.entry for one in turn.engines}
        guests = {} if turn.visit is None else turn.visit.guests
        engine = "" if turn.engine is None else turn.engine.entry
        return {
            "others": [one.entry for one in turn.config.engines if one.entry not in here],
            "engine": engine,
            "guest": guests[engine] if engine else None,
            "switched": [one.entry for one in turn.engines if guests[one.entry].may_switch],
        }


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
