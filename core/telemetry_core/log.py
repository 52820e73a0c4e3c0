"""The logger of the engine's own reporter: its name, its codes, levels and texts where the same thing happens.

From facts §2.7 and the user guide, Logger. Here is only said what happens; where it goes is the business of handlers,
which are the caller's. A handler finds the code in a record's `code` and what it is about in its `context`.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence

from telemetry_core import wire
from telemetry_core.errors import InstallationUnknown, TelemetryError
from telemetry_core.model import Kind, Outcome, Receipt, Report
from telemetry_core.secret import REDACTED, without_revealed

NAME = "org.camunda.bpm.engine.telemetry"

_MORE = "Set this logger to DEBUG/FINE"
_ACCEPTED = 202


def started(engines: Sequence[str]) -> None:
    """28001: the turn of one installation begins; `engines` are its configured entries."""
    _write(logging.DEBUG, 28001, "Start telemetry sending task.", engines=engines)


def disabled(engines: Sequence[str], reason: str) -> None:
    """28009: no periodic report may leave; `reason` is a sentence."""
    _write(logging.DEBUG, 28009, f"Sending telemetry is disabled. {reason}", engines=engines)


def sending(report: Report) -> None:
    """28006: the body as it is sent, but for what a licence says."""
    if _logger().isEnabledFor(logging.DEBUG):
        body = wire.without_license(report.document, instead=REDACTED)
        _about(report, logging.DEBUG, 28006, f"Sending {_kind(report)}telemetry data: {body}")


def attempted(report: Report, receipt: Receipt) -> None:
    """28015 and 28016, or 28002 and 28003: what an attempt to deliver came to.

    Args:
        report: What was sent.
        receipt: What came of it, without secrets.
    """
    context = {"outcome": str(receipt.outcome), "status": receipt.status}
    known = receipt.outcome is Outcome.CONFLICT and report.kind is Kind.INITIAL
    if receipt.outcome is not Outcome.ACCEPTED and not known:
        message = receipt.detail
        if receipt.status is not None:
            message = (
                f"ENGINE-28004 Unexpected response code {receipt.status} when sending {_kind(report)}telemetry data"
            )
        _about(report, logging.WARNING, 28002, _not_sent("DeliveryFailed", message, _kind(report)), **context)
        text = "DeliveryFailed occurred while sending telemetry data."
        where = f"To {report.endpoint}: {receipt.detail}. `telemetry history {report.id}` shows what it answered."
        _about(report, logging.DEBUG, 28003, f"{text} {where}", **context)
        return
    telemetry = "Initial telemetry" if report.kind is Kind.INITIAL else "Telemetry"
    if receipt.status != _ACCEPTED:
        unexpected = f"was sent, but received an unexpected response success code: {receipt.status}"
        _about(report, logging.DEBUG, 28015, f"{telemetry} request {unexpected}", **context)
    _about(report, logging.DEBUG, 28016, f"{telemetry} request was successful.", **context)


def failed(engines: Sequence[str], error: TelemetryError) -> None:
    """28002 and 28003, or 28017 and 28018: there is nothing that could be sent.

    Args:
        engines: The entries whose turn it is.
        error: Why.
    """
    if isinstance(error, InstallationUnknown):
        invalid = "Cannot send the telemetry data. Some of the data is invalid."
        _write(logging.WARNING, 28017, f"{invalid} {_MORE} to see more details.", engines=engines)
        text = f"Cannot send the telemetry task data. {error.message} {error.hint}"
        _write(logging.DEBUG, 28018, text, engines=engines)
        return
    name = type(error).__name__
    _write(logging.WARNING, 28002, _not_sent(name, error.message), engines=engines)
    text = f"{name} occurred while sending telemetry data."
    _write(logging.DEBUG, 28003, f"{text}\n{_trace(error)}", engines=engines)


def not_started(error: TelemetryError) -> None:
    """28013 and 28014: no turn could begin, because the store cannot be used or is lost."""
    name = type(error).__name__
    _write(logging.WARNING, 28013, f"Could not start telemetry task. {_reason(name, error.message)}")
    _write(logging.DEBUG, 28014, f"{name} occurred while starting the telemetry task.\n{_trace(error)}")


def _not_sent(name: str, message: str, kind: str = "") -> str:
    return f"Could not send {kind}telemetry data. {_reason(name, message)}"


def _reason(name: str, message: str) -> str:
    return f"Reason: {name} with message '{message}'. {_MORE} for the full stacktrace."


def _kind(report: Report) -> str:
    return "initial " if report.kind is Kind.INITIAL else ""


def _trace(error: TelemetryError) -> str:
    """The stack, whose texts may be of libraries, that know nothing of secrets."""
    return without_revealed("".join(traceback.format_exception(error)).rstrip())


def _about(report: Report, level: int, code: int, text: str, **context: object) -> None:
    known = {"report": report.id, "kind": str(report.kind), "endpoint": report.endpoint}
    _write(level, code, text, engines=report.engines, **known, **context)


def _write(level: int, code: int, text: str, **context: object) -> None:
    name = f"ENGINE-{code}"
    extra = {"code": name, "context": {key: value for key, value in context.items() if value is not None}}
    _logger().log(level, "%s %s", name, text, extra=extra)


def _logger() -> logging.Logger:
    logger = logging.getLogger(NAME)
    if not logger.handlers:  # without one, Python would write warnings to standard error
        logger.addHandler(logging.NullHandler())
    return logger
