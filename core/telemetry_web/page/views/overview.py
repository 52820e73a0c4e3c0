"""The first page: how all engines are that somebody is signed in at."""

from __future__ import annotations

from telemetry_core import reporting
from telemetry_core.config import Engine
from telemetry_core.reporting import Session
from telemetry_core.words.status import STATES, first_run, verdict
from telemetry_web.opening import Opener
from telemetry_web.page.asked import Drawn
from telemetry_web.page.sessions import Guest


def overview(opener: Opener, engines: list[tuple[Engine, Guest]]) -> Drawn:
    """A line for each engine; asks nobody but the store."""
    with opener.reading() as session:
        return Drawn("overview.html", {"lines": [_line(session, engine, guest) for engine, guest in engines]})


def _line(session: Session, engine: Engine, guest: Guest) -> dict[str, object]:
    planned = session.first_run_decision(engine.entry)
    return {
        "engine": engine.entry,
        "state": STATES[session.recorded_consent(engine.entry).state],
        "first_run": "" if planned is None else first_run(planned.state),
        "verdict": verdict(reporting.explain(session, engine)),
        "health": reporting.health(session, engine),
        "guest": guest,
    }
