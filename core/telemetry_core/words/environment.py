"""What was found of an engine's environment, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import fields, is_dataclass

from telemetry_core.model import Environment, Found, Integration, Product


def plain(point: str, value: object) -> object:
    """A found value as JSON has it; of the product the one part that the point is about."""
    if isinstance(value, Product):
        return getattr(value, point.rpartition(".")[2])
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name.replace("_", "-"): getattr(value, field.name) for field in fields(value)}
        return {name: part for name, part in parts.items() if part is not None}
    return list(value) if isinstance(value, tuple) else value


def rows(environment: Environment, withheld: Collection[str]) -> Iterator[tuple[str, str]]:
    """Every data point with its source, what others say instead, or why it is missing; and what reports leave out."""
    for point, finding in environment.findings.items():
        left_out = [path for path in withheld if path == point or path.startswith(f"{point}.")]
        if isinstance(finding, Found):
            for one, name in ((finding, point), *((other, "  also found") for other in finding.others)):
                words = one.value.names if isinstance(one.value, Integration) else plain(point, one.value)
                yield name, f"{_words(words)}  [{one.source}]"
        else:
            yield point, f"missing: {finding.reason}"
        for path in left_out:
            yield "  withheld", path


def sources(environment: Environment) -> Iterator[tuple[str, str]]:
    """Every source that was asked, and what it could not say."""
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
    return str(value)
