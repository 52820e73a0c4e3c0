"""The answers: receipts of what was stored, reasons for what was not (RFC 9457), and what states are called."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from telemetry_collector.model import Held, Refusal, Ruling, Verdict, instant

HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
LATER = 5
"""Seconds after which to come again where the store cannot be written."""

Json = dict[str, object]


def answer(outcome: Verdict | Refusal) -> Response:
    """The answer to a single report."""
    status, value = described(outcome)
    if status == 202:
        return _json(value, 202)
    refusal = outcome if isinstance(outcome, Refusal) else conflict(outcome.held)
    return refused(refusal)


def answers(outcomes: list[Verdict | Refusal]) -> Response:
    """The answer to a batch: 202 where all of it is stored, else 207; each report has its own status."""
    receipts = []
    for outcome in outcomes:
        status, value = described(outcome)
        receipts.append({"status": status, **value})
    answer = _json({"receipts": receipts}, 202 if all(one["status"] == 202 for one in receipts) else 207)
    waits = [one.retry_after for one in outcomes if isinstance(one, Refusal) and one.retry_after is not None]
    if waits:
        answer.headers["Retry-After"] = str(max(waits))
    return answer


def described(outcome: Verdict | Refusal) -> tuple[int, Json]:
    """Status and content of the answer to a report."""
    if isinstance(outcome, Verdict):
        if outcome.ruling is not Ruling.CONFLICT:
            return 202, {**_receipt(outcome.held), "duplicate": outcome.ruling is Ruling.DUPLICATE}
        outcome = conflict(outcome.held)
    value: Json = {"status": outcome.status, "reason": outcome.reason, "detail": outcome.detail}
    if outcome.held is not None:
        value["held"] = {**_receipt(outcome.held), "window": outcome.held.window or None}
    return outcome.status, value


def conflict(held: Held) -> Refusal:
    """The refusal of other bytes than those that are held."""
    window = f", of the window that begins at {held.window}" if held.window else ""
    return Refusal(409, "conflict", f"Report {held.id}{window}, is held with other bytes.", held)


def refused(refusal: Refusal) -> Response:
    """The answer with a reason."""
    headers = dict(HEADERS)
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(refusal.retry_after)
    if refusal.reason == "content-encoding":
        headers["Accept-Encoding"] = "gzip, deflate"
    _, value = described(refusal)
    return Response(msgspec.json.encode(value), refusal.status, headers, "application/problem+json")


def state(*, good: bool) -> Response:
    """The answer of a health check."""
    return _json({"status": "ok" if good else "unavailable"}, 200 if good else 503)


def document(value: Json) -> Response:
    """A document."""
    return _json(value, 200)


def _receipt(held: Held) -> Json:
    return {"id": held.id, "sha256": held.sha256, "received-at": instant(held.received_at)}


def _json(value: Json, status: int) -> Response:
    return Response(msgspec.json.encode(value), status, HEADERS, "application/json")
