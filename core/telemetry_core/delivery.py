"""One report to the receiver: the store before each byte, every outcome kept, never later than the deadline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime

from telemetry_core import bypass, counting, due, files, log, wire
from telemetry_core.config import Reporter
from telemetry_core.consent import Permit
from telemetry_core.courier import Courier
from telemetry_core.errors import AlreadySending, DeliveryFailed, NotPermitted, UsageError
from telemetry_core.http import Client, Exchange, Proxy, Security
from telemetry_core.model import MINUTE, Attempt, Endpoint, Kind, Millis, Outcome, Receipt, Report, ReportState
from telemetry_core.secret import Secret
from telemetry_core.store import Store
from telemetry_core.wire import Request

ANSWER_LIMIT = 64 * 1024
"""Bytes of a receiver's answer that are read."""

KEPT_ANSWER = 4096
"""Characters of it that the history keeps, as the receiver's receipt."""

_RETRIED = frozenset({408, 425, 429})
_NEVER_RETRIED = frozenset({501, 505})
_NOT_ARRIVED = frozenset({ReportState.PENDING, ReportState.REFUSED})
_FIRST_WAIT = 0.5
_LONGEST_RETRY_AFTER = 1e9


def deliver(report: Report, permit: Permit, courier: Courier) -> tuple[Report, Receipt]:
    """Try to deliver a pending report, several times within the run's deadline; the report as it is kept afterwards.

    Args:
        report: A pending report that the store has.
        permit: Made by the consent of now for this kind, installation and endpoint.
        courier: The rest.

    Raises:
        NotPermitted: The permit is for something else.
        AlreadySending: Another node is sending it, or was faster.
        ConfigurationError: Token or certificates cannot be used.
    """
    if (permit.kind, permit.installation, permit.endpoint.origin) != (
        report.kind,
        report.installation,
        report.endpoint,
    ):
        raise NotPermitted("The permit is for another report.")
    receipt = Receipt(Outcome.NOT_SENT, detail="no time was left within the deadline")
    with courier.leasing(report), courier.delivering(), _client(courier.settings, permit.endpoint) as client:
        request = wire.request(report.document, permit.endpoint, report.id)
        client.prepare(request.url)
        for attempt in range(courier.settings.retries + 1):
            if attempt and not _wait(attempt, receipt, courier):
                break
            seconds = min(courier.settings.timeout / 1000, courier.seconds_left())
            if seconds <= 0:
                if not attempt:
                    log.attempted(report, receipt)
                break
            report, begun, obstacle = _begin(report, courier)
            if begun is None:
                return report, replace(receipt, detail=obstacle)
            receipt = _attempt(report, request, client, courier, seconds=seconds)
            report = _end(report, begun, receipt, courier)
            if report.state is not ReportState.PENDING or receipt.outcome is Outcome.REFUSED:
                return report, receipt
        return _postpone(report, receipt, courier), receipt


def withdraw(report: Report, store: Store) -> Report:
    """Close a report that no longer fits, if it is pending still; what may have arrived leaves the counts too."""
    with store.transaction():
        kept = store.reports.get(report.id) or report
        if kept.state is not ReportState.PENDING:
            return kept
        lost_answer = any(attempt.outcome is None for attempt in store.reports.attempts(report.id))
        closed = replace(kept, state=ReportState.WITHDRAWN)
        if kept.maybe_arrived or lost_answer:
            _leave_the_counts(closed, store)
        store.reports.put(closed)
    return closed


def resolve(report: Report, store: Store, now: Millis, *, accepted: bool) -> Report:
    """Close a pending report that may have arrived, by what an administrator found out at the receiver.

    Args:
        report: It.
        store: Where it is kept.
        now: When it was found out.
        accepted: Whether the receiver has it; if not, its counts go into the next report.

    Raises:
        UsageError: It is not pending, or never left, so that there is nothing to find out.
        DeliveryFailed: It is being sent right now.
    """
    with _sent_by_nobody(report, store), store.transaction():
        kept = store.reports.get(report.id) or report
        unknown = kept.maybe_arrived or any(one.outcome is None for one in store.reports.attempts(report.id))
        if kept.state is not ReportState.PENDING or not unknown:
            left = " and never left" if kept.state is ReportState.PENDING else ""
            raise UsageError(
                f"Report {report.id} is {kept.state}{left}: there is nothing to resolve.",
                hint="Only a pending report of which an attempt may have arrived can be resolved.",
            )
        state = ReportState.ACCEPTED if accepted else ReportState.REFUSED
        closed = replace(
            kept, state=state, accepted_at=now if accepted else None, maybe_arrived=not accepted and unknown
        )
        if accepted:
            _leave_the_counts(closed, store)
        store.reports.put(closed)
    return closed


@contextmanager
def _sent_by_nobody(report: Report, store: Store) -> Iterator[None]:
    """Keep everybody from sending a report: an answer that comes after it was closed would count it a second time."""
    with suppress(AlreadySending), store.sending():
        lease = store.leases.take(report.id, MINUTE)
        if lease is not None:
            try:
                yield
            finally:
                store.leases.give_back(lease)
            return
    raise DeliveryFailed(
        f"Report {report.id} is being sent right now.",
        hint=f"In a minute or two `telemetry history {report.id}` shows what came of it.",
    )


def classify(exchange: Exchange, now: Millis) -> Receipt:
    """What an exchange says of the report that it carried (DESIGN §5); `now` is for dates in `Retry-After`.

    A proxy's 407 is no answer to this, but a failure of the way; an interim status is no final answer.
    """
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
    if status < 200 or status in _RETRIED or (status >= 500 and status not in _NEVER_RETRIED):
        outcome = Outcome.UNKNOWN if exchange.body_begun else Outcome.NOT_SENT
        return Receipt(outcome, status, detail, text, _retry_after(answer.headers.get("retry-after"), now))
    return Receipt(Outcome.REFUSED, status, detail, text)


def _attempt(report: Report, request: Request, client: Client, courier: Courier, *, seconds: float) -> Receipt:
    log.sending(report)
    exchange = client.exchange(request, seconds=seconds)
    receipt = _without_secrets(classify(exchange, courier.clock.now()), client)
    log.attempted(report, receipt)
    return receipt


def _without_secrets(receipt: Receipt, client: Client) -> Receipt:
    """The receipt as it may be kept and shown: a receiver in trouble may repeat what it was sent."""
    return replace(receipt, detail=client.redacted(receipt.detail), answer=client.redacted(receipt.answer))


def _client(settings: Reporter, endpoint: Endpoint) -> Client:
    token = None if settings.token_file is None else files.read_secret(settings.token_file)
    direct = bypass.is_exempt(endpoint.host, endpoint.port, settings.no_proxy)
    proxy = None if direct else settings.proxy
    return Client(
        security=Security(settings.ca_file, settings.client_cert, settings.client_key),
        limit=ANSWER_LIMIT,
        proxy=None if proxy is None else Proxy(proxy.text, proxy.username, proxy.password),
        authorization=None if token is None else Secret(f"Bearer {token.reveal()}"),
    )


def _begin(report: Report, courier: Courier) -> tuple[Report, Attempt | None, str]:
    """Note an attempt, unless the report no longer fits: then None and why.

    One transaction: a decision that is made meanwhile is seen here, or finds the attempt.
    """
    store = courier.store
    with store.transaction():
        report = store.reports.get(report.id) or report
        if report.state is not ReportState.PENDING:
            return report, None, "It was closed in the meantime."
        if not courier.may_send():
            raise AlreadySending("Another node has taken the report over.")
        misfit = courier.fits(report)
        if misfit:
            return withdraw(report, store), None, misfit
        begun, attempt = store.reports.begin_attempt(report, courier.clock.now())
    return begun, attempt, ""


def _end(report: Report, attempt: Attempt, receipt: Receipt, courier: Courier) -> Report:
    store = courier.store
    ended = replace(
        attempt,
        finished_at=courier.clock.now(),
        outcome=receipt.outcome,
        status=receipt.status,
        detail=receipt.detail,
        answer=receipt.answer[:KEPT_ANSWER],
    )
    with store.transaction():
        store.reports.end_attempt(report, ended)
        return _settle(store.reports.get(report.id) or report, receipt, courier)


def _settle(report: Report, receipt: Receipt, courier: Courier) -> Report:
    """The report after an attempt; acceptance and the counts that leave with it are one transaction."""
    store, now = courier.store, courier.clock.now()
    outcome = receipt.outcome
    if report.state in (ReportState.ACCEPTED, ReportState.CONFLICT):
        return report  # a node that took it over knows already; its counts have left
    unknown = report.maybe_arrived or any(one.outcome is None for one in store.reports.attempts(report.id))
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
    if report.state is ReportState.WITHDRAWN and settled.state in _NOT_ARRIVED:
        settled = replace(settled, state=ReportState.WITHDRAWN)  # while it was on its way, and it stays so
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
    now, period, store = courier.clock.now(), courier.settings.period, courier.store
    with store.transaction():
        kept = store.reports.get(report.id) or report
        if kept.state is not ReportState.PENDING:
            return kept
        failed = kept.failed_runs + 1
        later = due.next_attempt(now, failed, receipt.retry_after, period)
        postponed = replace(kept, failed_runs=failed, next_attempt_at=later)
        store.reports.put(postponed)
    return postponed


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
        return min(float(value), _LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now / 1000, 0.0)
