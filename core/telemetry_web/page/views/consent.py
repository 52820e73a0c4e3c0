"""Every decision that was made for an engine: who, when, how, why, for which fields and which endpoint."""

from __future__ import annotations

from telemetry_core.words.consent import decided
from telemetry_core.words.status import STATES
from telemetry_web.page.asked import Asked, Drawn


def consent(asked: Asked) -> Drawn:
    """All decisions, newest first, with the numbers that `telemetry consent` shows."""
    with asked.opener.reading() as session:
        history = [
            (number, STATES[one.state], decided(one))
            for number, one in enumerate(session.store.consents.history(), 1)
            if one.engine == asked.engine.entry
        ]
    return Drawn("consent.html", {"decisions": history[::-1]})
