"""What was found of an engine's environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_core.words import environment as words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_core.model import Environment


@dataclass(frozen=True, slots=True)
class Shown:
    """The environment of an engine's entry, and the fields of it that reports leave out."""

    engine: str
    environment: Environment
    withheld: list[str]


def show(console: Console, found: Sequence[Shown], warnings: Sequence[str]) -> None:
    """Print every data point of some engines, what their sources could not say, and what is suspicious."""
    for shown in found:
        heading(console, safe(shown.engine))
        pairs(console, words.rows(shown.environment, shown.withheld))
        heading(console, "  Sources")
        pairs(console, words.sources(shown.environment), indent=4)
    for warning in warnings:
        console.print()
        say(console, "Warning", style="bold yellow")
        paragraph(console, warning, indent=2)
