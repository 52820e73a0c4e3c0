"""What is left of reports after their time: their counts, summed by day and installation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from telemetry_collector.report import Report
from telemetry_core.model import Millis
from telemetry_core.store.database import Database

_KEYS = ("day", "installation", "product", "version", "edition")
_SAME = " AND ".join(f"{key} = ?" for key in _KEYS)


class Total(msgspec.Struct):
    """The sums of one day (UTC) of an installation and of what ran there.

    Attributes:
        reports: How many they are made of.
        counts: By path, such as `metrics.process-instances`.
    """

    reports: int
    counts: dict[str, int]


class Totals:
    """The table of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, reports: Iterable[tuple[Millis, Report]]) -> None:
        """Add reports, each with when it came."""
        sums: dict[tuple[str, ...], Total] = {}
        for received_at, report in reports:
            key = _key(received_at, report)
            total = sums.get(key)
            if total is None:
                total = sums[key] = self.of(key)
            total.reports += 1
            for name, count in report.counts.items():
                total.counts[name] = total.counts.get(name, 0) + count
        for key, total in sums.items():
            self._database.change(f"DELETE FROM daily_total WHERE {_SAME}", key)
            self._database.change(
                f"INSERT INTO daily_total ({', '.join(_KEYS)}, reports, counts) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*key, total.reports, msgspec.json.encode(total.counts, order="sorted").decode()),
            )

    def of(self, key: tuple[str, ...]) -> Total:
        """The sums under a key: day, installation, product, version, edition."""
        found = self._database.read(f"SELECT reports, counts FROM daily_total WHERE {_SAME}", key)
        if not found:
            return Total(0, {})
        return Total(int(str(found[0][0])), msgspec.json.decode(str(found[0][1]), type=dict[str, int]))

    def all(self) -> list[tuple[tuple[str, ...], Total]]:
        """Every total, the oldest day first."""
        rows = self._database.read(f"SELECT {', '.join(_KEYS)} FROM daily_total ORDER BY {', '.join(_KEYS)}")
        keys = [tuple(map(str, row)) for row in rows]
        return [(key, self.of(key)) for key in keys]


def _key(received_at: Millis, report: Report) -> tuple[str, ...]:
    day = f"{datetime.fromtimestamp(received_at // 1000, UTC):%Y-%m-%d}"
    product = report.product
    texts = (report.installation or "", product.name, product.version or "", product.edition or "")
    return (day, *(text.replace("\0", "") for text in texts))  # which PostgreSQL does not take
