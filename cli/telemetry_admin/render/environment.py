"""What was found of an engine's environment."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_core.model import Environment, Found, Integration, Product

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Shown:
    """The environment of an engine's entry, and the fields of it that reports leave out."""

    engine: str
    environment: Environment
    withheld: list[str]


def plain(point: str, value: object) -> object:
    """A found value as JSON has it; of the product the one part that the point is about."""
    if isinstance(value, Product):
        return getattr(value, point.rpartition(".")[2])
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name.replace("_", "-"): getattr(value, field.name) for field in fields(value)}
        return {name: part for name, part in parts.items() if part is not None}
    return list(value) if isinstance(value, tuple) else value


def show(console: Console, found: Sequence[Shown], warnings: Sequence[str]) -> None:
    """Print every data point of some engines, what their sources could not say, and what is suspicious."""
    for shown in found:
        heading(console, safe(shown.engine))
        pairs(console, _rows(shown))
        heading(console, "  Sources")
        pairs(console, _sources(shown.environment), indent=4)
    for warning in warnings:
        console.print()
        say(console, "Warning", style="bold yellow")
        paragraph(console, warning, indent=2)


def _rows(shown: Shown) -> Iterator[tuple[str, str]]:
    for point, finding in shown.environment.findings.items():
        left_out = [path for path in shown.withheld if path == point or path.startswith(f"{point}.")]
        if isinstance(finding, Found):
            for one, name in ((finding, point), *((other, "  also found") for other in finding.others)):
                words = one.value.names if isinstance(one.value, Integration) else plain(point, one.value)
                yield name, f"{_words(words)}  [{one.source}]"
        else:
            yield point, f"missing: {finding.reason}"
        for path in left_out:
            yield "  withheld", path


def _sources(environment: Environment) -> Iterator[tuple[str, str]]:
    for source, problems in environment.sources.items():
        if not problems:
            yield source, "read"
        for reason in dict.fromkeys(problems.values()):
            yield source, f"{', '.join(point for point, why in problems.items() if why == reason)}: {reason}"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(part) for part in value) or "none"
    return safe(value)
