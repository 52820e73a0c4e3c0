"""The state of each engine, as it is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, safe
from telemetry_core.words.status import rows, verdict

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.reporting import Explanation, Status


def show(console: Console, found: list[Status]) -> None:
    """Print the state of some engines."""
    if not found:
        console.print("No engine is configured. Write a table [engines.NAME] into the configuration.")
    for status in found:
        heading(console, safe(status.engine))
        pairs(console, rows(status))


def show_layers(console: Console, explained: list[Explanation]) -> None:
    """Print the layers of some engines, the deciding one marked."""
    for one in explained:
        heading(console, f"{safe(one.engine)}: {verdict(one)}")
        layers = [
            (f"{'>' if layer is one.deciding else ' '} {layer.name}", f"{layer.value}   [{layer.origin}]")
            for layer in one.layers
        ]
        pairs(console, layers)
