"""The known fields of a report, typed and bounded (user guide, facts §1.2); all else is kept and not looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Word = Annotated[str, Meta(max_length=255)]
Text = Annotated[str, Meta(max_length=64 * 1024)]
Installation = Annotated[str, Meta(pattern=r"^[ -~]{1,255}\Z")]

METRICS = (
    "process-instances", "flow-node-instances", "decision-instances", "executed-decision-elements",
    "root-process-instance-start", "activity-instance-start", "executed-decision-instances",
)  # fmt: skip
"""Engines 7.17 to 7.21 say the same under two names (facts §10.23): never add the first four to the others."""

_ENGINE_DATE = re.compile(r"([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d)\s([AP])M")
_ISO_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Counter(msgspec.Struct, frozen=True):
    """A counter as engines write it."""

    count: Annotated[int, Meta(ge=0, le=2**63 - 1)]


Counters = Annotated[dict[Word, Counter], Meta(max_length=2000)]


class Software(msgspec.Struct, frozen=True):
    """Database, application server or JDK."""

    vendor: Word | None = None
    version: Word | None = None


class LicenseKey(msgspec.Struct, frozen=True, rename="kebab"):
    """What a report says of a licence."""

    customer: Text | None = None
    type: Word | None = None
    valid_until: Word | None = None
    unlimited: bool | None = None
    features: Annotated[dict[Word, Text], Meta(max_length=1000)] | None = None
    raw: Text | None = None


class Internals(msgspec.Struct, frozen=True, rename="kebab"):
    """The environment and the counts."""

    database: Software | None = None
    application_server: Software | None = None
    jdk: Software | None = None
    license_key: LicenseKey | None = None
    commands: Counters | None = None
    metrics: Counters | None = None
    webapps: Annotated[list[Word], Meta(max_length=100)] | None = None
    data_collection_start_date: Annotated[str, Meta(max_length=64)] | None = None
    telemetry_enabled: bool | None = None


class Product(msgspec.Struct, frozen=True):
    """What runs there; 7.14 may not know its own version."""

    name: Word
    version: Word | None = None
    edition: Word | None = None
    internals: Internals | None = None


class Report(msgspec.Struct, frozen=True):
    """A whole report; only 7.14 sends one without an installation."""

    product: Product
    installation: Installation | None = None

    @property
    def start(self) -> str:
        """When its counts begin, as it says it; empty where it does not."""
        internals = self.product.internals
        return "" if internals is None else internals.data_collection_start_date or ""

    @property
    def license_raw(self) -> str | None:
        """The text of its licence."""
        internals = self.product.internals
        return None if internals is None or internals.license_key is None else internals.license_key.raw

    @property
    def counts(self) -> Mapping[str, int]:
        """Every counter by its path."""
        internals = self.product.internals
        if internals is None:
            return {}
        found = {f"metrics.{name}": counter.count for name, counter in (internals.metrics or {}).items()}
        return found | {f"commands.{name}": counter.count for name, counter in (internals.commands or {}).items()}


DECODER = msgspec.json.Decoder(Report)
"""Raises `msgspec.ValidationError` for another thing than a report, `msgspec.DecodeError` for what is no JSON."""


def window(start: str) -> str | None:
    """A start date in one spelling, None where it is none.

    Engines write it in English, by their own clock and without saying their time zone (facts §1.4); that stays so:
    `2026-11-23T23:00:08`. With a zone it is an instant: `2026-11-23T23:00:08.920Z`.
    """
    found = _ISO_DATE.fullmatch(start)
    try:
        if found is not None:
            moment = datetime.fromisoformat(found[1] + found[3]).astimezone(UTC).replace(tzinfo=None)
            return f"{moment.isoformat(timespec='seconds')}.{(found[2] or '')[:3]:0<3}Z"
        found = _ENGINE_DATE.fullmatch(start)
        if found is None or found[1] not in _MONTHS:
            return None
        month, day, year = _MONTHS.index(found[1]) + 1, int(found[2]), int(found[3])
        hour = int(found[4]) % 12 + (12 if found[7] == "P" else 0)
        return datetime(year, month, day, hour, int(found[5]), int(found[6])).isoformat()  # noqa: DTZ001  # it has none
    except (ValueError, OverflowError):
        return None
