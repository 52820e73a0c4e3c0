"""Plots out of numbers: bars with their places, for a picture that is drawn without any script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 160
"""Of a picture, in its own units."""

_WIDEST = 24.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One count; places and lengths in the units of its picture."""

    label: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Plot:
    """One counter over time, oldest first."""

    name: str
    total: int
    most: int
    bars: tuple[Bar, ...]


def plot(name: str, counted: Sequence[tuple[str, int | None]]) -> Plot:
    """A counter as bars, each with what stands below it; None leaves a gap."""
    values = [count for _, count in counted if count is not None]
    most = max(values, default=0)
    step = WIDTH / max(len(counted), 1)
    width = min(step * 0.8, _WIDEST)
    bars = []
    for place, (label, count) in enumerate(counted):
        if count is not None:
            height = HEIGHT * count / most if most else 0.0
            x = round(place * step + (step - width) / 2, 2)
            bars.append(Bar(label, count, x, round(HEIGHT - height, 2), round(width, 2), round(height, 2)))
    return Plot(name, sum(values), most, tuple(bars))
