"""Everything that is stored, given out again: as JSON with each report as it came, or as CSV of the known fields."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

import msgspec

from telemetry_collector.model import State, instant
from telemetry_collector.report import DECODER, METRICS, Report
from telemetry_collector.store import Kept
from telemetry_collector.withholding import PLACE, is_withheld

FORMAT = 1
"""Of the JSON; it grows when a key changes its meaning or goes away."""

HEAD = (
    "id", "received-at", "duplicate", "quarantined", "reason", "sha256", "installation", "product", "version",
    "edition", "start", "telemetry-enabled", "database", "database-version", "application-server",
    "application-server-version", "jdk", "jdk-version", *METRICS, "commands",
)  # fmt: skip

_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Exported(msgspec.Struct, rename="kebab", omit_defaults=True):
    """One report in the JSON; `withheld` only where something is."""

    id: str
    received_at: str
    duplicate: bool
    quarantined: bool
    report: msgspec.Raw
    withheld: tuple[str, ...] = ()


def as_json(reports: Iterable[Kept]) -> Iterator[bytes]:
    """The JSON in pieces: `format`, and `reports` with what was received, byte for byte but for what is withheld."""
    yield b'{"format":%d,"reports":[' % FORMAT
    between = b""
    for kept in reports:
        exported = _Exported(
            kept.id,
            instant(kept.received_at),
            duplicate=kept.state is State.SUPERSEDED,
            quarantined=kept.state in (State.QUARANTINED, State.DROPPED),
            report=msgspec.Raw(kept.body),
            withheld=(PLACE,) if is_withheld(kept.body, kept.sha256) else (),
        )
        yield between + b"\n" + msgspec.json.encode(exported)
        between = b","
    yield b"\n]}\n"


def as_csv(reports: Iterable[Kept]) -> Iterator[bytes]:
    """The CSV in pieces, a line for each report; texts that a spreadsheet would calculate with begin with '."""
    yield _line(HEAD)
    for kept in reports:
        yield _line(_values(kept, DECODER.decode(kept.body)))


def _values(kept: Kept, report: Report) -> tuple[object, ...]:
    internals = report.product.internals
    software = (None, None, None) if internals is None else (
        internals.database, internals.application_server, internals.jdk)  # fmt: skip
    metrics = {} if internals is None else internals.metrics or {}
    commands = {} if internals is None else internals.commands or {}
    enabled = None if internals is None else internals.telemetry_enabled
    return (
        kept.id,
        instant(kept.received_at),
        _flag(kept.state is State.SUPERSEDED),
        _flag(kept.state in (State.QUARANTINED, State.DROPPED)),
        kept.reason,
        kept.sha256,
        report.installation,
        report.product.name,
        report.product.version,
        report.product.edition,
        report.start,
        None if enabled is None else _flag(enabled),
        *(value for one in software for value in ((None, None) if one is None else (one.vendor, one.version))),
        *(metrics[name].count if name in metrics else None for name in METRICS),
        sum(counter.count for counter in commands.values()) if internals is not None else None,
    )


def _flag(value: object) -> str:
    return "true" if value else "false"


def _line(values: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([_harmless(value) for value in values])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value
