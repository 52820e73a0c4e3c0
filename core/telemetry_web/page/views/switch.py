"""Enabling and disabling, with everything that it is about shown before the click."""

from __future__ import annotations

import hashlib

from telemetry_core import administration, reporting
from telemetry_core.administration import AS_BEFORE, Author, Choice, Decided, legal_note
from telemetry_core.errors import StoreDamaged
from telemetry_core.model import Kind, State
from telemetry_core.reporting import Session
from telemetry_core.wire import field_path
from telemetry_core.words import consent as words
from telemetry_core.words.status import initial
from telemetry_web.page.asked import Asked, Drawn, Moved

HOW = "page"
"""What the record of a decision says of its way."""

CATEGORIES = ("license", "meta", "usage")
_LONGEST = 500

ENABLED = (
    "Telemetry is enabled. Counting begins now; the preview shows what the next `telemetry send` sends."
    " `telemetry schedule install` has this host run it."
)
ENABLED_BUT = "Telemetry is enabled. But nothing is sent for now: {obstacle}"
ENABLED_ANEW = "What reports hold is chosen anew; the preview shows it."
ENABLED_ALREADY = "Nothing was changed: telemetry is enabled already, for the same endpoint and fields."
DISABLED = "Telemetry is disabled. What was not sent by now never leaves."
DISABLED_ALREADY = "Telemetry is disabled already."
CHANGED = "What this is about has changed since the page was opened. Read it again before you decide."


def enable(asked: Asked) -> Drawn | Moved:
    """The form that shows it all; sent, it enables what it showed.

    Raises:
        EndpointMissing: There is nowhere to send reports to.
        EngineError: The engine does not answer, so that no base can be taken; nothing was changed.
    """
    if not asked.form:
        with asked.opener.reading() as session:
            administration.require_endpoint(session)
            return _shown(asked, session)
    with asked.opener.reading() as session:
        if _digest(asked, session) != asked.form.get("shown"):
            return _shown(asked, session, message=CHANGED)
        choice = _choice(asked, session)
    author = _author(asked, note_shown=True)

    def decide(session: Session) -> tuple[Decided, str]:
        done = administration.enable(session, asked.engine, author, choice)
        return done, reporting.status(session, asked.engine).obstacle

    decided, obstacle = asked.opener.deciding(decide)
    return Moved(f"/engine/{asked.engine.entry}", _notice(decided, obstacle))


def disable(asked: Asked) -> Drawn | Moved:
    """The form that says what follows; sent, it disables. Contacts nothing."""
    if not asked.form:
        return _before_disabling(asked)
    author = _author(asked, note_shown=False)
    no_requests = asked.form.get("no-requests") == "yes"
    decided = asked.opener.deciding(
        lambda session: administration.disable(session, asked.engine, author, no_requests=no_requests)
    )
    return Moved(f"/engine/{asked.engine.entry}", DISABLED if decided.changed else DISABLED_ALREADY)


def _before_disabling(asked: Asked) -> Drawn:
    """A store that is damaged is no obstacle: deciding sets it aside (DESIGN §6)."""
    try:
        with asked.opener.reading() as session:
            status = reporting.status(session, asked.engine)
    except StoreDamaged:
        return Drawn("disable.html", {"initial": "", "pending": "", "damaged": True})
    waits = status.pending is not None and status.pending.kind is Kind.PERIODIC
    pending = status.pending.id if waits and status.pending is not None else ""
    return Drawn("disable.html", {"initial": initial(status), "pending": pending, "damaged": False})


def _shown(asked: Asked, session: Session, *, message: str = "") -> Drawn:
    ticked = {name: name not in _withheld(asked, session) for name in CATEGORIES}
    if asked.form:  # what was filled in before it was shown anew
        ticked = {name: asked.form.get(name) == "yes" for name in CATEGORIES}
    decision = session.recorded_consent(asked.engine.entry).decision
    return Drawn(
        "enable.html",
        {
            "note": legal_note.TEXTS[asked.texts.language],
            "rows": words.meaning(session, (asked.engine,), AS_BEFORE),
            "categories": [(name, ticked[name], _finer(asked, session, name)) for name in CATEGORIES],
            "given": {name: asked.form.get(name, "") for name in ("authorized-by", "reason")},
            "shown": _digest(asked, session),
            "enabled": decision is not None and decision.state is State.ENABLED,
            "message": message,
        },
        409 if message else 200,
    )


def _digest(asked: Asked, session: Session) -> str:
    """Of what is shown: somebody may configure another endpoint, or decide, between the form and the click."""
    rows = words.meaning(session, (asked.engine,), AS_BEFORE)
    decision = session.recorded_consent(asked.engine.entry).decision
    shown = (legal_note.TEXTS[asked.texts.language], rows, decision and (decision.state, decision.decided_at))
    return hashlib.sha256(repr(shown).encode()).hexdigest()


def _notice(decided: Decided, obstacle: str) -> str:
    if not decided.changed:
        return ENABLED_ALREADY
    if obstacle:
        return ENABLED_BUT.format(obstacle=obstacle)
    return ENABLED_ANEW if decided.again else ENABLED


def _finer(asked: Asked, session: Session, category: str) -> list[str]:
    """What of a category stays withheld although it is ticked: single fields, and what the configuration says."""
    decision = session.recorded_consent(asked.engine.entry).decision
    chosen = set(decision.withheld) if decision is not None else set()
    of_category = administration.fields_of([category])
    whole = set() if of_category <= chosen else chosen
    return sorted(
        field_path(name)
        for name in {*whole, *session.config.withhold}
        if name in of_category or name.partition(".")[0] in of_category
    )


def _withheld(asked: Asked, session: Session) -> set[str]:
    """The categories of which everything is withheld by choice."""
    decision = session.recorded_consent(asked.engine.entry).decision
    chosen = set(decision.withheld) if decision is not None else set()
    return {name for name in CATEGORIES if administration.fields_of([name]) <= chosen}


def _choice(asked: Asked, session: Session) -> Choice:
    """What the boxes change of what was chosen before; single fields that are withheld stay so."""
    before = _withheld(asked, session)
    agreed = {name for name in CATEGORIES if asked.form.get(name) == "yes"}
    without = tuple(name for name in CATEGORIES if name not in agreed)
    return Choice(without, tuple(name for name in CATEGORIES if name in agreed and name in before))


def _author(asked: Asked, *, note_shown: bool) -> Author:
    authorized_by, reason = (
        asked.form.get(name, "").strip()[:_LONGEST] or None for name in ("authorized-by", "reason")
    )
    return Author(asked.guest.user, HOW, authorized_by, reason, note_shown, asked.texts.language)
