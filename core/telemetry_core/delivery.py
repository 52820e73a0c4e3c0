"""One report to the receiver: the store before each byte, every outcome kept, never later than the deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from telemetry_core import counting, due, files, wire
from telemetry_core.config import Reporter
from telemetry_core.consent import Permit
from telemetry_core.errors import NotPermitted
from telemetry_core.http import Client, Exchange, Security
from telemetry_core.model import Clock, Kind, Millis, Outcome, Receipt, Report, ReportState
from telemetry_core.secret import Secret
from telemetry_core.store import Store

ANSWER_LIMIT = 64 * 1024
"""Bytes of a receiver's answer that are read."""

_RETRIED = frozenset({408, 425, 429})
_NEVER_RETRIED = frozenset({501, 505})
_FIRST_WAIT = 0.5


@dataclass(slots=True)
class Courier:
    """What delivering needs beside a report; one for a whole run, so that its deadline is one for all reports.

    Attributes:
        store: Where outcomes are kept.
        clock: Time and chance.
        settings: Time limits, retries, TLS and token.
        fits: Says before each attempt why a report no longer fits the consent of now; empty where it does.
    """

    store: Store
    clock: Clock
    settings: Reporter
    fits: Callable[[Report], str]
    ends_at: float | None = None

    def seconds_left(self) -> float:
        """Until the run's deadline, which starts with the first question."""
        if self.ends_at is None:
            self.ends_at = self.clock.monotonic() + self.settings.deadline / 1000
        return self.ends_at - self.clock.monotonic()


def deliver(report: Report, permit: Permit, courier: Courier) -> tuple[Report, Receipt]:
    """Try to deliver a pending report, several times within the run's deadline; the report as it is kept afterwards.

    Args:
        report: A pending report that the store has.
        permit: Made by the consent of now for this kind, installation and endpoint.
        courier: The rest.

    Raises:
        NotPermitted: The permit is for something else.
        ConfigurationError: Token or certificates cannot be used.
    """
    if (permit.kind, permit.installation, permit.endpoint.origin) != (
        report.kind,
        report.installation,
        report.endpoint,
    ):
        raise NotPermitted("The permit is for another report.")
    receipt = Receipt(Outcome.NOT_SENT, detail="no time was left within the deadline")
    with _client(courier.settings) as client:
        request = wire.request(report.document, permit.endpoint, report.id)
        for attempt in range(courier.settings.retries + 1):
            if attempt and not _wait(attempt, receipt, courier):
                break
            misfit = courier.fits(report)
            if misfit:
                return withdraw(report, courier.store), replace(receipt, detail=misfit)
            report, receipt = _attempt(report, request, client, courier)
            if report.state is not ReportState.PENDING or receipt.outcome is Outcome.REFUSED:
                return report, receipt
    return _postpone(report, receipt, courier), receipt


def withdraw(report: Report, store: Store) -> Report:
    """Close a pending report that no longer fits the consent; what may have arrived leaves the counts all the same."""
    with store.transaction():
        kept = store.reports.get(report.id) or report
        lost_answer = any(attempt.outcome is None for attempt in store.reports.attempts(report.id))
        closed = replace(kept, state=ReportState.WITHDRAWN)
        if kept.maybe_arrived or lost_answer:
            _leave_the_counts(closed, store)
        store.reports.put(closed)
    return closed


def classify(exchange: Exchange, now: Millis) -> Receipt:
    """What an exchange says of the report that it carried (DESIGN §5); `now` is for dates in `Retry-After`."""
    answer = exchange.answer
    if answer is None:
        outcome = Outcome.UNKNOWN if exchange.body_begun else Outcome.NOT_SENT
        return Receipt(outcome, detail=exchange.failure)
    status = answer.status
    text = answer.body.decode("utf-8", errors="replace")
    detail = f"answered {status}"
    if 200 <= status < 300:
        return Receipt(Outcome.ACCEPTED, status, detail, text)
    if status == 409:
        return Receipt(Outcome.CONFLICT, status, detail, text)
    if status == 407 or status in _RETRIED or (status >= 500 and status not in _NEVER_RETRIED):
        outcome = Outcome.UNKNOWN if exchange.body_begun and status != 407 else Outcome.NOT_SENT
        return Receipt(outcome, status, detail, text, _retry_after(answer.headers.get("retry-after"), now))
    return Receipt(Outcome.REFUSED, status, detail, text)


def _client(settings: Reporter) -> Client:
    token = None if settings.token_file is None else files.read_secret(settings.token_file)
    return Client(
        security=Security(settings.ca_file, settings.client_cert, settings.client_key),
        limit=ANSWER_LIMIT,
        proxy=None if settings.proxy is None else settings.proxy.text,
        authorization=None if token is None else Secret(f"Bearer {token.reveal()}"),
    )


def _attempt(report: Report, request: wire.Request, client: Client, courier: Courier) -> tuple[Report, Receipt]:
    store, clock = courier.store, courier.clock
    seconds = min(courier.settings.timeout / 1000, courier.seconds_left())
    if seconds <= 0:
        return report, Receipt(Outcome.NOT_SENT, detail="no time was left within the deadline")
    report, attempt = store.reports.begin_attempt(report, clock.now())
    receipt = classify(client.exchange(request, seconds=seconds), clock.now())
    ended = replace(
        attempt,
        finished_at=clock.now(),
        outcome=receipt.outcome,
        status=receipt.status,
        detail=receipt.detail,
    )
    with store.transaction():
        store.reports.end_attempt(report, ended)
        report = _settle(report, receipt, courier)
    return report, receipt


def _settle(report: Report, receipt: Receipt, courier: Courier) -> Report:
    """The report after an attempt; acceptance and the counts that leave with it are one transaction."""
    store, now = courier.store, courier.clock.now()
    outcome = receipt.outcome
    earlier = store.reports.attempts(report.id)[:-1]
    unknown = report.maybe_arrived or any(attempt.outcome is None for attempt in earlier)
    settled = replace(report, maybe_arrived=unknown)
    if outcome is Outcome.ACCEPTED or (outcome is Outcome.CONFLICT and report.kind is Kind.INITIAL):
        settled = replace(settled, state=ReportState.ACCEPTED, accepted_at=now)
    elif outcome is Outcome.CONFLICT:
        settled = replace(settled, state=ReportState.CONFLICT)
    elif outcome is Outcome.REFUSED:
        later = due.next_period(now, courier.settings.period)
        state = ReportState.PENDING if unknown else ReportState.REFUSED
        settled = replace(settled, state=state, next_attempt_at=later)
    elif outcome is Outcome.UNKNOWN:
        settled = replace(settled, maybe_arrived=True)
    if settled.state in (ReportState.ACCEPTED, ReportState.CONFLICT):
        _leave_the_counts(settled, store)
    store.reports.put(settled)
    return settled


def _leave_the_counts(report: Report, store: Store) -> None:
    """Take what a report carried out of the accumulator; the next window starts where the report's ended."""
    if report.kind is Kind.INITIAL:
        return
    ledger = store.ledgers.get(report.installation)
    if ledger is None or ledger.window_start > report.window_start:
        return  # disabled, or begun anew, while the report was on its way
    rest = counting.subtract(ledger.accumulated, report.carried)
    store.ledgers.put(replace(ledger, accumulated=rest, window_start=report.window_end))


def _postpone(report: Report, receipt: Receipt, courier: Courier) -> Report:
    now, period = courier.clock.now(), courier.settings.period
    failed = report.failed_runs + 1
    later = replace(
        report, failed_runs=failed, next_attempt_at=due.next_attempt(now, failed, receipt.retry_after, period)
    )
    courier.store.reports.put(later)
    return later


def _wait(attempt: int, receipt: Receipt, courier: Courier) -> bool:
    """Sleep before a further attempt, exponentially with full jitter; False where the deadline would pass."""
    seconds = courier.clock.random() * _FIRST_WAIT * 2**attempt
    if receipt.retry_after is not None:
        seconds = max(seconds, receipt.retry_after)
    if seconds >= courier.seconds_left():
        return False
    courier.clock.sleep(seconds)
    return True


def _retry_after(text: str | None, now: Millis) -> float | None:
    """Seconds of `Retry-After`, given as a number or a date (RFC 9110 §10.2.3); None where it is neither."""
    value = "" if text is None else text.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:12])
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now / 1000, 0.0)
