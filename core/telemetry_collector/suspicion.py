"""What makes a report suspicious, so that it is stored and does not count: rules with reasons; no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeAlias

from telemetry_collector.model import Facts, History, instant
from telemetry_collector.report import METRICS, Report
from telemetry_core.model import HOUR, Millis

_DAY = 24 * HOUR

FLOOD_RATE, FLOOD_BURST = 1 / 6, 2000
"""Reports of one installation in a second, and at once after a rest. Forty nodes that crash and start again every six
minutes are slower, and a year of daily reports that is imported at once is less."""

OLDEST_MINOR, NEWEST_MINOR = 11, 30
"""Camunda 7 has telemetry from 7.11.19 on (facts §2.6); 7.24 is the last minor that was announced (facts §9), and a few
more are let through, so that a release that nobody foresaw is not held up."""

FUTURE, FUTURE_WITHOUT_ZONE = HOUR, 15 * HOUR
"""How far after its arrival a window may begin: clocks are wrong, and engines write their own local time, which is up
to 14 hours ahead, without saying so (facts §1.4)."""

MOST = 10**12
"""No counter of one report is larger: that would be a hundred thousand a second for four months."""

SETTLED = 3
"""Reports of an installation before which nothing is a leap: there is no history yet."""

LEAP_FACTOR = 10
"""How many times the highest count of a day so far a later day may have."""

USUAL, USUAL_COMMANDS = 10_000, 100_000
"""What the highest count of a day is taken for at least, of a metric and of all commands together: so a test engine may
become a production engine. (An engine without any work executes some 50,000 commands a day.)"""

LONGEST = 30
"""Days that one report is believed to be about at most. A host that was offline for months has counted no more than
LEAP_FACTOR times as many days."""

FALL_AFTER = HOUR
"""Two nodes that were started in the same second report within the same minutes; what falls later is no other node."""

COMMANDS, OTHERS = "commands", "other-metrics"
_LONGEST_NAME = 60

_RELEASES: Mapping[str, re.Pattern[str]] = {
    "Camunda BPM Runtime": re.compile(r"(?:7\.(\d{1,2})|1\.\d)(?![\d]).*"),  # 1.1 is CIB seven's (facts §1.8)
    "Operaton BPM Runtime": re.compile(r"[1-9]\.\d.*"),
    "CIB seven": re.compile(r"[1-9]\.\d.*"),
}


Reason: TypeAlias = tuple[str, str]
"""A stable word and a sentence."""

NO_HISTORY = History(0, 0, {})

_FIRST, _LAST = (int(datetime(*date, tzinfo=UTC).timestamp()) * 1000 for date in ((1, 1, 1), (9999, 12, 31)))
"""Days (UTC) that can be written."""


def facts(report: Report, window: str) -> Facts:
    """The facts of a report, whose window has one spelling already."""
    at = _window_at(window) if window else None
    large = {name: count for name, count in measures(report).items() if count > LEAP_FACTOR * usual(name)}
    return Facts(report.product.name, report.product.version or "", at, window.endswith("Z"), large)


def calls_for_history(about: Facts | None) -> bool:
    """Whether what the installation has sent before can make a difference."""
    return about is not None and (bool(about.large) or is_strange(about))


def is_strange(about: Facts) -> bool:
    """Whether there is no such product, or no such release of it."""
    return _problem(about.product, about.version) is not None


def measures(report: Report) -> Mapping[str, int]:
    """What is compared over time: each known metric, all others together, and all commands together."""
    internals = report.product.internals
    if internals is None:
        return {}
    found: dict[str, int] = {}
    for name, counter in (internals.metrics or {}).items():
        known = name if name in METRICS else OTHERS
        found[known] = found.get(known, 0) + counter.count
    if internals.commands:
        found[COMMANDS] = sum(counter.count for counter in internals.commands.values())
    return found


def usual(name: str) -> int:
    """What the highest count of a day is taken for at least."""
    return USUAL_COMMANDS if name == COMMANDS else USUAL


def days(window_at: Millis | None, last_at: Millis, received_at: Millis) -> float:
    """How many days a report is about, from 1 to `LONGEST`: since its window's begin, or since the last report.

    Args:
        window_at: Where it says when its counts begin.
        last_at: When the report before it came.
        received_at: When it came itself.
    """
    begun = last_at if window_at is None else min(last_at, window_at)
    return min(max((received_at - begun) / _DAY, 1.0), LONGEST)


def reason(about: Facts, received_at: Millis, history: History, *, is_flooding: bool) -> str:
    """Why a report is suspicious, as `code: sentence`; empty where it is not.

    Args:
        about: The report.
        received_at: When it came.
        history: Of its installation; only needed where `calls_for_history`.
        is_flooding: Whether too many of this installation came lately.
    """
    code, sentence = next(_reasons(about, received_at, history, is_flooding=is_flooding), ("", ""))
    return f"{code}: {sentence}" if code else ""


def fall(counts: Mapping[str, int], earlier: Mapping[str, int], window: str) -> str:
    """The reason for a report that has counted less than an earlier one since the same begin."""
    name = next(name for name, count in earlier.items() if counts.get(name, 0) < count)
    less = f"{_shown(name)} counts {counts.get(name, 0)}, less than the {earlier[name]} of an earlier report"
    return f"counts-fall: {less} since {_shown(window)}."


def _reasons(about: Facts, received_at: Millis, history: History, *, is_flooding: bool) -> Iterator[Reason]:
    problem = _problem(about.product, about.version)
    if problem is not None and (about.product, about.version) not in history.believed:
        yield problem
    tolerance = FUTURE if about.has_zone else FUTURE_WITHOUT_ZONE
    if about.window_at is not None and about.window_at > received_at + tolerance:
        yield "window-in-future", f"Its counts begin at {instant(about.window_at)}, after it came."
    for name, count in about.large.items():
        if count > MOST:
            yield "count-impossible", f"{name} counts {count}, more than an engine can."
        believed = int(_believed(name, history, days(about.window_at, history.last_at, received_at)))
        if history.reports >= SETTLED and count > believed:
            yield "counts-leap", f"{name} counts {count}; after all that came before, up to {believed} are believed."
    if is_flooding:
        yield "flood", f"More than {FLOOD_BURST} reports of this installation came at once."


def _believed(name: str, history: History, about_days: float) -> float:
    return LEAP_FACTOR * max(history.peaks.get(name, 0), usual(name)) * about_days


@lru_cache(maxsize=256)
def _problem(product: str, version: str) -> Reason | None:
    """Why there is no such product, or no such release of it; None where there is. A fleet has few of them."""
    pattern = _RELEASES.get(product)
    if pattern is None:
        return "product-unknown", f"{_shown(product)} is no product of the family."
    if not version:  # 7.14 may not know it (facts §1.2)
        return None
    match = pattern.fullmatch(version)
    minor = match[1] if match is not None and match.re.groups else None
    if match is None or (minor is not None and not OLDEST_MINOR <= int(minor) <= NEWEST_MINOR):
        return "release-impossible", f"There is no release {_shown(version)} of {product}."
    return None


def _window_at(window: str) -> Millis | None:
    try:
        moment = datetime.fromisoformat(window)
    except ValueError:
        return None  # what an engine says in words that we do not know
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(int(moment.timestamp() * 1000), _FIRST), _LAST)


def _shown(text: str) -> str:
    """A text from outside as part of a sentence."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:_LONGEST_NAME])
