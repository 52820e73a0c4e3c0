"""How many examples a property is tried with: a quick dose always, a fuller one where the environment asks for it."""

from __future__ import annotations

import os

from hypothesis import settings

DOSE = int(os.environ.get("TELEMETRY_BATTERY_DOSE", "1"))


def dose(examples: int) -> settings:
    """Settings of a property; the quick dose has the same examples at every run, a fuller one has others each time."""
    return settings(max_examples=examples * DOSE, derandomize=DOSE == 1, database=None, deadline=None)
