"""The exact request before it leaves, and what changed since the last report."""

from __future__ import annotations

from telemetry_core import reporting
from telemetry_core.model import Kind
from telemetry_core.wire import field_path
from telemetry_core.words import preview as words
from telemetry_web.page.asked import Asked, Bytes, Drawn, Moved

KEPT = "This report is kept. {standing}"


def preview(asked: Asked) -> Drawn:
    """The pending report where there is one, else what a `send` of now would build; only the engine is asked.

    Raises:
        EngineError: No report can be made.
    """
    with asked.opener.reading() as session:
        found = reporting.preview(session, asked.engine, _kind(asked))
        changes = reporting.compare(session, found)
    return Drawn(
        "preview.html",
        {
            "preview": found,
            "standing": words.standing(found),
            "initial_first": words.INITIAL_FIRST if found.initial_first else "",
            "no_request": words.NO_REQUEST,
            "body": words.readable(found.document.body),
            "sources": words.by_source(found),
            "missing": [(field_path(name), reason) for name, reason in found.missing.items()],
            "withheld": [field_path(name) for name in found.withheld],
            "changes": [(change.path, words.values(change), change.is_new_kind) for change in changes],
        },
    )


def keep(asked: Asked) -> Moved:
    """Make the periodic report of now the pending one, and say when it is sent; one that waits already stays it.

    Raises:
        NotPermitted: There is no permit for it.
        EngineError: No report can be made.
    """
    with asked.opener.writing() as session:
        found = reporting.keep(session, asked.engine)
    return Moved(f"/engine/{asked.engine.entry}/preview", KEPT.format(standing=words.standing(found)))


def body(asked: Asked) -> Bytes:
    """The body alone, byte for byte.

    Raises:
        EngineError: No report can be made.
    """
    kind = _kind(asked)
    with asked.opener.reading() as session:
        found = reporting.preview(session, asked.engine, kind)
    return Bytes(found.document.body, f"{asked.engine.entry}-{kind}-preview.json")


def _kind(asked: Asked) -> Kind:
    return Kind.INITIAL if asked.query.get("kind") == Kind.INITIAL else Kind.PERIODIC
