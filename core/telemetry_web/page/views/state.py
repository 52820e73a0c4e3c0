"""The state of an engine: the layer that decides, and what is known from configuration and store."""

from __future__ import annotations

from telemetry_core import reporting
from telemetry_core.model import State
from telemetry_core.reporting.explaining import Result
from telemetry_core.words import status as words
from telemetry_web.page.asked import Asked, Drawn


def state(asked: Asked) -> Drawn:
    """What holds now; asks nobody but the store."""
    with asked.opener.reading() as session:
        status = reporting.status(session, asked.engine)
        explained = reporting.explain(session, asked.engine)
        health = reporting.health(session, asked.engine)
        rows = words.rows(status)
    return Drawn(
        "state.html",
        {
            "rows": rows,
            "explained": explained,
            "verdict": words.verdict(explained),
            "health_of": health,
            "enabled": status.consent.state is State.ENABLED,
            "moved": explained.result is Result.OTHER_ENDPOINT,
        },
    )
