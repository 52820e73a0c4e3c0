"""What `telemetry run` says to a terminal when it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from telemetry_core.config.values import duration_text

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.config import Config


def greet(console: Console, config: Config) -> None:
    """Print when something happens first, and how it is ended."""
    delay, period = duration_text(config.reporter.initial_delay), duration_text(config.reporter.period)
    console.print(
        Text(
            f"First check in {delay} (3h while telemetry is neither enabled nor disabled), then every {period}."
            " Ctrl-C ends this after a final report."
        )
    )
