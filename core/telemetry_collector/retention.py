"""How long reports are kept: the bodies for 24 months after their own, then their daily totals, receipts for ever."""

from __future__ import annotations

from datetime import UTC, datetime

from telemetry_collector.store import Store
from telemetry_core.model import Millis

RAW_MONTHS = 24
"""Whole months (UTC) that a body stays after the month in which it came."""


def oldest_month(now: Millis) -> str:
    """The oldest month whose bodies stay: `2024_11` throughout November 2026."""
    moment = datetime.fromtimestamp(now // 1000, UTC)
    months = moment.year * 12 + moment.month - 1 - RAW_MONTHS
    return f"{months // 12:04d}_{months % 12 + 1:02d}"


def step(store: Store, now: Millis) -> bool:
    """Sum up some more bodies of a month that is over for long, or drop it once it is empty; whether there is more.

    Each step is short, so that reports can be stored in between, and whole: a kill loses and doubles nothing.

    Raises:
        StoreError: The store cannot be written; nothing of this step was done.
    """
    over = _over(store, now)
    return bool(over) and store.sum_up(over[0])


def is_due(store: Store, now: Millis) -> bool:
    """Whether a month is over for long and is there still: also where no step is left but for whoever reads its table.

    Raises:
        StoreError: The store cannot be read.
    """
    return bool(_over(store, now))


def _over(store: Store, now: Millis) -> list[str]:
    kept_from = oldest_month(now)
    return [month for month in store.bodies.months() if month < kept_from]
