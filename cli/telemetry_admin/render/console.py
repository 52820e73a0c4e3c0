"""The console for people: colours on a terminal only, and no text from outside is ever taken for markup or control."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from telemetry_admin.host import Host


def make_console(host: Host) -> Console:
    """A console on standard output."""
    from rich.console import Console

    return Console(
        force_terminal=host.is_terminal,
        no_color=bool(host.environment.get("NO_COLOR")),
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=not host.is_terminal,
    )


def safe(text: object) -> str:
    """A text from outside as one printable line."""
    return "".join(character if character.isprintable() else "\ufffd" for character in str(text))


def say(console: Console, text: str, *, style: str = "") -> None:
    """A text that is never taken for markup."""
    from rich.text import Text

    console.print(Text(text, style=style))


def heading(console: Console, text: str) -> None:
    """A line that begins a part."""
    say(console, text, style="bold")


def pairs(console: Console, rows: Iterable[tuple[str, str]], *, indent: int = 2) -> None:
    """Names and values, aligned; long values continue below themselves on a terminal and run on in a pipe."""
    listed = [(name, safe(value)) for name, value in rows]
    width = max((len(name) for name, _ in listed), default=0)
    if not console.is_terminal:
        for name, value in listed:
            say(console, f"{'':{indent}}{name:<{width}}  {value}")
        return
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=width, no_wrap=True, style="cyan")
    table.add_column(overflow="fold")
    for name, value in listed:
        table.add_row(name, Text(value))
    console.print(Padding(table, (0, 0, 0, indent), expand=False))


def paragraph(console: Console, text: str, *, indent: int = 0) -> None:
    """A text over as many lines as it needs, at most 100 characters wide."""
    import textwrap

    width = min(console.width, 100) - indent
    for part in textwrap.wrap(safe(text), max(width, 20), break_long_words=False, break_on_hyphens=False):
        say(console, " " * indent + part)
