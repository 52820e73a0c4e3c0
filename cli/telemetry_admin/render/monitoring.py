"""What monitoring reads: the one line of a plug-in (Monitoring Plugins guidelines), and OpenMetrics text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from telemetry_admin.render.console import safe
from telemetry_core.model import Millis
from telemetry_core.reporting.monitoring import FAILING_CRITICAL, FAILING_WARNING, Level

if TYPE_CHECKING:
    from telemetry_core.reporting import Health

_LISTED = 10
_LICENSE_RANGE = "61:"


def line(level: Level, summary: str, found: Sequence[Health]) -> str:
    """The line of a plug-in: service, level, text, and behind a bar the performance data."""
    text = safe(f"TELEMETRY {level.name} - {summary}").replace("|", "/")
    numbers = " ".join(number for one in found for number in _performance(one))
    return f"{text} | {numbers}" if numbers else text


def summary(found: Sequence[Health]) -> tuple[Level, str]:
    """The worst level, and the engines that have not the best one with their reasons; of one engine always its own."""
    if not found:
        return Level.UNKNOWN, "no engine is configured"
    if len(found) == 1:
        return found[0].level, f"{found[0].engine}: {found[0].reason}"
    bad = sorted((one for one in found if one.level is not Level.OK), key=lambda one: -one.level)
    said = [f"{one.engine}: {one.reason}" for one in bad[:_LISTED]]
    if len(bad) > _LISTED:
        said.append(f"{len(bad) - _LISTED} more")
    silent = sum(1 for one in found if not one.expected)
    good = f"{len(found) - len(bad)} of {len(found)} engines OK"
    said.append(f"{good}, no report is expected of {silent}" if silent else good)
    return max(one.level for one in found), "; ".join(said)


def _performance(found: Health) -> Iterator[str]:
    name = found.engine
    if found.age is not None:
        yield f"{name}_age={found.age // 1000}s;{found.limits.warning // 1000};{found.limits.critical // 1000};0"
    yield f"{name}_failing={found.failing // 1000}s;{FAILING_WARNING // 1000};{FAILING_CRITICAL // 1000};0"
    yield f"{name}_failures={found.failures};;;0"
    yield f"{name}_pending={found.pending};;;0"
    if found.license_days is not None:
        yield f"{name}_license_days={found.license_days};{_LICENSE_RANGE}"


#: Gauges alone: node_exporter reads the older text format, in which counters and others are written differently.
_GAUGES: tuple[tuple[str, str, Callable[[Health], float | None]], ...] = (
    ("status", "0 is OK, 1 warning, 2 critical, as in telemetry status --check.", lambda one: one.level),
    ("expected", "1 where periodic reports are expected.", lambda one: int(one.expected)),
    ("last_accepted_timestamp_seconds", "When a periodic report was accepted last.",
     lambda one: _seconds(one.last_accepted_at)),
    ("last_accepted_age_seconds", "How long ago that was, or how long telemetry has been enabled before the first.",
     lambda one: _seconds(one.age)),
    ("failures_in_a_row", "Runs that failed since a report was accepted.", lambda one: one.failures),
    ("failing_seconds", "For how long runs have failed, or a report has waited.", lambda one: _seconds(one.failing)),
    ("pending_reports", "Reports that wait.", lambda one: one.pending),
    ("license_days_left", "Days until the end of the licence that is set here.", lambda one: one.license_days),
)  # fmt: skip


def openmetrics(found: Sequence[Health], now: Millis) -> str:
    """The numbers of all engines as OpenMetrics text, which parsers of the older format read too."""
    lines = []
    for name, meaning, value in _GAUGES:
        values = [(one.engine, number) for one in found if (number := value(one)) is not None]
        lines += _family(name, meaning, [(f'{{engine="{engine}"}}', number) for engine, number in values])
    lines += _family("written_timestamp_seconds", "When this was written.", [("", now / 1000)])
    return "".join(f"{one}\n" for one in (*lines, "# EOF"))


def _family(name: str, meaning: str, values: Sequence[tuple[str, float]]) -> list[str]:
    full = f"telemetry_{name}"
    if not values:
        return []
    samples = [f"{full}{labels} {number:.15g}" for labels, number in values]
    return [f"# HELP {full} {meaning}", f"# TYPE {full} gauge", *samples]


def _seconds(value: Millis | None) -> float | None:
    return None if value is None else value / 1000
