"""A report as people read it: request line, headers, body, where each value comes from, size and digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_core import wire
from telemetry_core.words import preview as words

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
    pairs(console, [(safe(change.path), words.changed(change)) for change in changes])
    say(console, words.size(preview.document.body, preview.document.sha256), style="bold")


def show(console: Console, preview: Preview) -> None:
    """Print one report."""
    heading(console, f"{preview.kind.capitalize()} report of {safe(', '.join(preview.engines))}")
    say(console, words.standing(preview), style="yellow" if preview.obstacle else "")
    if preview.initial_first:
        say(console, words.INITIAL_FIRST)
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
    say(console, words.size(preview.document.body, preview.document.sha256), style="bold")


def _sources(console: Console, preview: Preview) -> None:
    for source, paths in words.by_source(preview).items():
        say(console, f"  {safe(source)}", style="cyan")
        paragraph(console, ", ".join(paths), indent=4)


def _request(console: Console, preview: Preview) -> None:
    request = preview.request
    if request is None:
        say(console, words.NO_REQUEST)
        console.print()
        return
    from rich.text import Text

    say(console, f"{request.method} {request.url}", style="bold")
    for name, value in request.headers:
        console.print(Text.assemble((f"{name}: ", "cyan"), value))
    console.print()


def _body(console: Console, body: bytes) -> None:
    from rich.highlighter import JSONHighlighter
    from rich.text import Text

    console.print(JSONHighlighter()(Text(words.readable(body))))
