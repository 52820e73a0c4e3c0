"""Every report that was prepared for an engine: its bytes, its attempts and what the receiver answered."""

from __future__ import annotations

from telemetry_core.errors import UnknownReport
from telemetry_core.model import Kind, Report
from telemetry_core.reporting import Session
from telemetry_core.words import history as words
from telemetry_core.words.instants import instant
from telemetry_core.words.preview import readable
from telemetry_web.page.asked import ON_A_PAGE, Asked, Bytes, Drawn, around, first_of


def history(asked: Asked) -> Drawn:
    """The list, newest first, in parts."""
    with asked.opener.reading() as session:
        reports = _of(session, asked)
    first = first_of(asked.query, len(reports))
    return Drawn("history.html", {"reports": reports[first : first + ON_A_PAGE], **around(first, len(reports))})


def report(asked: Asked) -> Drawn:
    """One report.

    Raises:
        UnknownReport: It is none of this engine.
    """
    with asked.opener.reading() as session:
        found = _find(session, asked)
        attempts = session.store.reports.attempts(found.id)
    return Drawn(
        "report.html",
        {
            "report": found,
            "rows": words.rows(found),
            "attempts": [(one.number, instant(one.started_at), one.status, words.outcome(one)) for one in attempts],
            "body": readable(found.document.body),
        },
    )


def body(asked: Asked) -> Bytes:
    """The body of one report, byte for byte.

    Raises:
        UnknownReport: It is none of this engine.
    """
    with asked.opener.reading() as session:
        found = _find(session, asked)
    return Bytes(found.document.body, f"{found.id}.json")


def _of(session: Session, asked: Asked) -> list[Report]:
    """The reports of the engine's installation, newest first: nobody sees those of another engine."""
    installation = session.installation(asked.engine)
    if installation is None:
        return []
    found = [one for kind in Kind for one in session.store.reports.of(installation, kind)]
    return sorted(found, key=lambda one: -one.created_at)


def _find(session: Session, asked: Asked) -> Report:
    name = asked.path["report"]
    found = session.store.reports.get(name) if name.isprintable() else None  # PostgreSQL takes no NUL
    if found is not None and found.installation == session.installation(asked.engine):
        return found
    raise UnknownReport("No report of this engine has this id.", hint="The history lists all of them.")
