"""A report as people read it: request line, headers, body, where each value comes from, size and digest."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_admin.result import instant
from telemetry_core import wire
from telemetry_core.model import Kind

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.reporting import Change, Preview


def show_all(console: Console, previews: list[Preview], changes: list[list[Change]] | None) -> None:
    """Print some reports; with `changes` what changed instead."""
    for position, preview in enumerate(previews):
        if position:
            console.print()
        if changes is None:
            show(console, preview)
        else:
            _show_changes(console, preview, changes[position])


def _show_changes(console: Console, preview: Preview, changes: list[Change]) -> None:
    heading(
        console, f"{preview.kind.capitalize()} report of {safe(', '.join(preview.engines))}, changed since the last"
    )
    if not changes:
        console.print("Nothing changed.")
    pairs(console, [(safe(change.path), _changed(change)) for change in changes])
    say(console, f"{len(preview.document.body)} bytes, SHA-256 {preview.document.sha256}", style="bold")


def _changed(change: Change) -> str:
    mark = "  NEVER LEFT BEFORE" if change.is_new_kind else ""
    before, after = (json.dumps(value, ensure_ascii=False) for value in (change.before, change.after))
    return f"{before} -> {after}{mark}" if change.before is not None else f"{after}{mark}"


def show(console: Console, preview: Preview) -> None:
    """Print one report."""
    heading(console, f"{preview.kind.capitalize()} report of {safe(', '.join(preview.engines))}")
    say(console, _standing(preview), style="yellow" if preview.obstacle else "")
    if preview.initial_first:
        say(console, "The initial report goes first: `telemetry preview --initial` shows it.")
    console.print()
    _request(console, preview)
    _body(console, preview.document.body)
    console.print()
    heading(console, "Where each value comes from")
    _sources(console, preview)
    if preview.missing:
        heading(console, "Missing, and why")
        pairs(console, [(wire.field_path(name), reason) for name, reason in preview.missing.items()])
    if preview.withheld:
        heading(console, "Withheld")
        pairs(console, [(wire.field_path(name), "left out") for name in preview.withheld])
    console.print()
    say(console, f"{len(preview.document.body)} bytes, SHA-256 {preview.document.sha256}", style="bold")


def _sources(console: Console, preview: Preview) -> None:
    by_source: dict[str, list[str]] = {}
    for name, source in preview.sources.items():
        by_source.setdefault(source, []).append(wire.field_path(name))
    for source, paths in by_source.items():
        say(console, f"  {safe(source)}", style="cyan")
        paragraph(console, ", ".join(paths), indent=4)


def _standing(preview: Preview) -> str:
    if preview.obstacle:
        return f"Nothing would be sent: {preview.obstacle}"
    if preview.next_attempt_at is not None:
        later = f"its next attempt is at {instant(preview.next_attempt_at)}, with exactly these bytes"
        return f"Pending since {instant(preview.pending_since)}; {later}."
    if preview.pending_since is not None:
        return f"Pending since {instant(preview.pending_since)}; the next `telemetry send` sends exactly this."
    if preview.kind is Kind.INITIAL:
        return "A `telemetry send` of now would send this, once."
    return "A `telemetry send` of now would build and send this; `--keep` makes it the one that is sent."


def _request(console: Console, preview: Preview) -> None:
    request = preview.request
    if request is None:
        say(console, "No endpoint is configured, so there is no request yet; this would be its body.")
        console.print()
        return
    from rich.text import Text

    say(console, f"{request.method} {request.url}", style="bold")
    for name, value in request.headers:
        console.print(Text.assemble((f"{name}: ", "cyan"), value))
    console.print()


def readable(body: bytes) -> str:
    """A body over several lines, with each counter on one of them."""
    text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return re.sub(r'\{\s+("count": \d+)\s+\}', r"{\1}", text)


def _body(console: Console, body: bytes) -> None:
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    text = readable(body)
    console.print(JSONHighlighter()(Text(text)))
