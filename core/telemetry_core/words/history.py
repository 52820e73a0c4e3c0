"""Reports that were prepared, and attempts to deliver them, in words."""

from __future__ import annotations

from telemetry_core.model import Attempt, Report
from telemetry_core.words.instants import instant


def rows(report: Report) -> list[tuple[str, str]]:
    """Names and values of one report."""
    return [
        ("state", report.state + _doubt(report)),
        ("engines", ", ".join(report.engines)),
        ("installation", report.installation),
        ("endpoint", report.endpoint),
        ("prepared", f"{instant(report.created_at)} ({report.trigger})"),
        ("accepted", instant(report.accepted_at) or "no"),
        ("size", f"{len(report.document.body)} bytes"),
        ("SHA-256", report.document.sha256),
    ]


def outcome(attempt: Attempt) -> str:
    """What one attempt came to, with the receiver's answer."""
    if attempt.outcome is None:
        return "the process ended before it knew; it may have arrived"
    answer = f": {attempt.answer}" if attempt.answer else ""
    return f"{attempt.outcome}, {attempt.detail}{answer}"


def _doubt(report: Report) -> str:
    if not report.maybe_arrived:
        return ""
    return " (may have arrived twice)" if report.accepted_at is not None else " (an attempt may have arrived)"
