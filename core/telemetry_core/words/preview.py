"""A report as people read it: what it stands for, what changed, and its body over several lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from telemetry_core.model import Kind
from telemetry_core.wire import field_path
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from telemetry_core.reporting import Change, Preview

INITIAL_FIRST = "The initial report goes first: `telemetry preview --initial` shows it."
NO_REQUEST = "No endpoint is configured, so there is no request yet; this would be its body."
NEVER_LEFT = "NEVER LEFT BEFORE"


def standing(preview: Preview) -> str:
    """Whether and when it is sent, as a sentence."""
    if preview.obstacle:
        return f"Nothing would be sent: {preview.obstacle}"
    if preview.next_attempt_at is not None:
        later = f"its next attempt is at {instant(preview.next_attempt_at)}, with exactly these bytes"
        return f"Pending since {instant(preview.pending_since)}; {later}."
    if preview.pending_since is not None:
        return f"Pending since {instant(preview.pending_since)}; the next `telemetry send` sends exactly this."
    if preview.due_at is not None:
        if preview.kind is Kind.INITIAL:
            return f"Due {instant(preview.due_at)}; a `telemetry send --initial --force` of now would send this, once."
        return f"Due {instant(preview.due_at)}; a `telemetry send --force` of now would build and send this."
    if preview.kind is Kind.INITIAL:
        return "A `telemetry send` of now would send this, once."
    return "A `telemetry send` of now would build and send this; `--keep` makes it the one that is sent."


def size(body: bytes, sha256: str) -> str:
    """Size and digest of a document."""
    return f"{len(body)} bytes, SHA-256 {sha256}"


def by_source(preview: Preview) -> dict[str, list[str]]:
    """Where each value comes from: the paths of the fields, by source."""
    found: dict[str, list[str]] = {}
    for name, source in preview.sources.items():
        found.setdefault(source, []).append(field_path(name))
    return found


def changed(change: Change) -> str:
    """What a value was and is."""
    mark = f"  {NEVER_LEFT}" if change.is_new_kind else ""
    before, after = values(change)
    return f"{before} -> {after}{mark}" if before else f"{after}{mark}"


def values(change: Change) -> tuple[str, str]:
    """What a value was, empty where it was not there, and what it is, a dash where it is not there any more."""
    before = "" if change.before is None else json.dumps(change.before, ensure_ascii=False)
    return before, "–" if change.after is None else json.dumps(change.after, ensure_ascii=False)


def readable(body: bytes) -> str:
    """A body over several lines, with each counter on one of them."""
    text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return re.sub(r'\{\s+("count": \d+)\s+\}', r"{\1}", text)
