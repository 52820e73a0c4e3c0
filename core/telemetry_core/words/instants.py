"""Instants and lengths of time in words."""

from __future__ import annotations

from telemetry_core.model import MINUTE, Millis


def instant(value: Millis | None) -> str | None:
    """An instant for people and for JSON: `2026-11-24T02:30:00.000Z`; None stays None."""
    if value is None:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromtimestamp(value // 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return "unknown"
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{value % 1000:03d}Z"


def ago(then: Millis, now: Millis) -> str:
    """How long ago an instant was."""
    minutes = (now - then) // MINUTE
    if minutes < 0:
        return f"{instant(then)} (in the future: check the clock)"
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago"
