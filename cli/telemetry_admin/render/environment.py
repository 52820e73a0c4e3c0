"""What was found of an engine's environment."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, safe
from telemetry_core.model import CommandsReading, Environment, Found, Integration, MetricsReading, Product

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


def plain(point: str, value: object) -> object:
    """A found value as JSON has it; of the product the one part that the point is about."""
    if isinstance(value, Product):
        return getattr(value, point.rpartition(".")[2])
    if isinstance(value, CommandsReading):
        return dict(sorted(value.counts.items()))
    if isinstance(value, MetricsReading):
        return dict(sorted(value.sums.items()))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name.replace("_", "-"): getattr(value, field.name) for field in fields(value)}
        return {name: part for name, part in parts.items() if part is not None}
    return list(value) if isinstance(value, tuple) else value


def show(console: Console, found: Mapping[str, Environment]) -> None:
    """Print every data point of some engines."""
    for engine, environment in found.items():
        heading(console, safe(engine))
        rows = []
        for point, finding in environment.findings.items():
            if isinstance(finding, Found):
                for one, name in ((finding, point), *((other, "  instead of") for other in finding.others)):
                    words = one.value.names if isinstance(one.value, Integration) else plain(point, one.value)
                    rows.append((name, f"{_words(words)}  [{one.source}]"))
            else:
                rows.append((point, f"missing: {finding.reason}"))
        pairs(console, rows)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(part) for part in value) or "none"
    return safe(value)
