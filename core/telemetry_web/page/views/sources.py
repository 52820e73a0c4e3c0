"""Sources and health: what each source says of an engine, what is missing and why, and whether reports arrive."""

from __future__ import annotations

from telemetry_core import consent, reporting
from telemetry_core.words import environment as words
from telemetry_web.page.asked import Asked, Drawn


def sources(asked: Asked) -> Drawn:
    """Reads the engine; nothing is sent or kept.

    Raises:
        EngineError: The engine does not answer.
    """
    with asked.opener.reading() as session:
        group = session.group(asked.engine)
        health = reporting.health(session, asked.engine)
        environment = reporting.observe(session, (asked.engine,), keep=False, thorough=True).environment
        withheld = sorted(consent.left_out(session.consent_of(group), environment.findings))
        suspected = reporting.suspected(session, [asked.engine])
    return Drawn(
        "sources.html",
        {
            "health_of": health,
            "fields": list(environment.findings),
            "rows": [(name.strip(), value) for name, value in words.rows(environment, withheld)],
            "sources": list(words.sources(environment)),
            "suspected": suspected,
        },
    )
