"""Enabling and disabling, with everything that it is about shown before the click."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from telemetry_core import administration, reporting
from telemetry_core.administration import AS_BEFORE, Author, Choice, Decided, legal_note
from telemetry_core.consent import Consent
from telemetry_core.errors import DecidedMeanwhile, StoreDamaged
from telemetry_core.model import Decision, Kind, State
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
    offer = _offered(asked)
    if not asked.form:
        return _shown(asked, offer)
    if offer.digest != asked.form.get("shown"):
        return _shown(asked, offer, message=CHANGED)
    choice = _choice(asked, offer)
    author = _author(asked, note_shown=True)

    def decide(session: Session) -> tuple[Decided, str]:
        done = administration.enable(session, asked.engine, author, choice, seen=offer.consent)
        return done, reporting.status(session, asked.engine).obstacle

    try:
        decided, obstacle = asked.opener.deciding(decide)
    except DecidedMeanwhile:
        return _shown(asked, _offered(asked), message=CHANGED)
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
            status = reporting.status(administration.as_disabled(session, asked.engine), asked.engine)
    except StoreDamaged:
        return Drawn("disable.html", {"initial": "", "pending": "", "damaged": True})
    pending = status.pending
    waits = "" if pending is None or pending.kind is not Kind.PERIODIC else pending.id
    return Drawn("disable.html", {"initial": initial(status), "pending": waits, "damaged": False})


@dataclass(frozen=True, slots=True)
class _Offer:
    """What is to be agreed to, read once.

    Attributes:
        consent: As it was decided before.
        configured: The fields that the configuration withholds.
    """

    note: str
    rows: tuple[tuple[str, str], ...]
    consent: Consent
    configured: tuple[str, ...]

    @property
    def decision(self) -> Decision | None:
        """The last one before."""
        return self.consent.decision

    @property
    def digest(self) -> str:
        """Of what is shown: somebody may configure another endpoint, or decide, between the form and the click."""
        decided = self.decision and (self.decision.state, self.decision.decided_at)
        return hashlib.sha256(repr((self.note, self.rows, decided)).encode()).hexdigest()

    @property
    def is_enabled(self) -> bool:
        """Whether only fields are chosen anew."""
        return self.decision is not None and self.decision.state is State.ENABLED

    @property
    def chosen(self) -> set[str]:
        """The fields that were withheld by choice."""
        return set() if self.decision is None else set(self.decision.withheld)

    def withholds(self, category: str) -> bool:
        """Whether everything of a category was withheld by choice."""
        return administration.fields_of([category]) <= self.chosen

    def finer(self, category: str) -> list[str]:
        """What of it stays withheld although it is ticked: single fields, and what the configuration says."""
        fields = administration.fields_of([category])
        single = set() if self.withholds(category) else self.chosen
        return sorted(
            field_path(name)
            for name in {*single, *self.configured}
            if name in fields or name.partition(".")[0] in fields
        )


def _offered(asked: Asked) -> _Offer:
    with asked.opener.reading() as session:
        if not asked.form:
            administration.require_endpoint(session)
        return _Offer(
            note=legal_note.TEXTS[asked.texts.language],
            rows=tuple(words.meaning(session, (asked.engine,), AS_BEFORE)),
            consent=session.recorded_consent(asked.engine.entry),
            configured=tuple(session.config.withhold),
        )


def _shown(asked: Asked, offer: _Offer, *, message: str = "") -> Drawn:
    ticked = {name: not offer.withholds(name) for name in CATEGORIES}
    if asked.form:  # what was filled in before it was shown anew
        ticked = {name: asked.form.get(name) == "yes" for name in CATEGORIES}
    return Drawn(
        "enable.html",
        {
            "note": offer.note,
            "rows": offer.rows,
            "categories": [(name, ticked[name], offer.finer(name)) for name in CATEGORIES],
            "given": {name: asked.form.get(name, "") for name in ("authorized-by", "reason")},
            "shown": offer.digest,
            "enabled": offer.is_enabled,
            "message": message,
        },
        409 if message else 200,
    )


def _notice(decided: Decided, obstacle: str) -> str:
    if not decided.changed:
        return ENABLED_ALREADY
    if obstacle:
        return ENABLED_BUT.format(obstacle=obstacle)
    return ENABLED_ANEW if decided.again else ENABLED


def _choice(asked: Asked, offer: _Offer) -> Choice:
    """What the boxes change of what was chosen before; single fields that are withheld stay so."""
    agreed = [name for name in CATEGORIES if asked.form.get(name) == "yes"]
    without = tuple(name for name in CATEGORIES if name not in agreed)
    return Choice(without, tuple(name for name in agreed if offer.withholds(name)))


def _author(asked: Asked, *, note_shown: bool) -> Author:
    authorized_by, reason = (
        asked.form.get(name, "").strip()[:_LONGEST] or None for name in ("authorized-by", "reason")
    )
    return Author(asked.guest.user, HOW, authorized_by, reason, note_shown, asked.texts.language)
