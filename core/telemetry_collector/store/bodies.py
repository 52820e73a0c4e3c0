"""The reports themselves, byte for byte, a table for each month (UTC) of their arrival."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from telemetry_collector.store.database import CollectorDatabase, Row
from telemetry_core.errors import StoreDamaged
from telemetry_core.model import HOUR, Millis

_PREFIX = "body_"
_NUMBER = {"number": "bigint"}
_COLUMNS = {**_NUMBER, "report": "bytea"}
_DAY = 24 * HOUR


class Bodies:
    """The tables of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database
        self._made: set[str] = set()

    def add(self, bodies: Iterable[tuple[int, Millis, bytes]]) -> None:
        """Keep bodies, each with its report's number and when it came."""
        of_month: dict[str, tuple[list[int], list[bytes]]] = {}
        for number, received_at, body in bodies:
            numbers, reports = of_month.setdefault(month(received_at), ([], []))
            numbers.append(number)
            reports.append(body)
        for name, columns in of_month.items():
            if name not in self._made:
                self._database.change(
                    f"CREATE TABLE IF NOT EXISTS {_PREFIX}{name} (number BIGINT PRIMARY KEY, report {self._bytes})"
                )
            self._database.many.insert(self._database.change, _PREFIX + name, _COLUMNS, columns)

    def note_made(self) -> None:
        """Remember which months have a table; to be called when that is committed."""
        self._made = set(self.months())

    def of(self, numbers: Sequence[tuple[int, Millis]], most: int | None = None) -> Mapping[int, bytes]:
        """The bodies of reports, by number and when they came; without those that are gone, or have more bytes."""
        of_month: dict[str, list[int]] = {}
        for number, received_at in numbers:
            of_month.setdefault(month(received_at), []).append(number)
        found: dict[int, bytes] = {}
        for name, some in of_month.items() if numbers else ():
            if name in self.months():
                condition, values = self._database.many.among(_NUMBER, [some])
                if most is not None:
                    condition, values = f"{condition} AND length(report) <= ?", [*values, most]
                rows = self._read(name, f"SELECT number, report FROM {_PREFIX}{name} WHERE {condition}", values)
                found |= {int(str(number)): _bytes(body) for number, body in rows}
        return found

    def remove(self, name: str, numbers: Sequence[int]) -> bool:
        """Remove bodies of a month; without any, its whole table. Whether that could be done: not while it is read."""
        if not numbers:
            return self._database.drop(f"{_PREFIX}{name}")
        condition, values = self._database.many.among(_NUMBER, [numbers])
        self._database.change(f"DELETE FROM {_PREFIX}{name} WHERE {condition}", values)
        return True

    def months(self) -> list[str]:
        """The months that have a table, the oldest first: `2026_11`."""
        names = sorted(str(name) for (name,) in self._database.read(self._database.dialect.tables))
        return [name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX)]

    def joined(self, columns: str, name: str, after: int, count: int) -> Iterator[tuple[tuple[object, ...], bytes]]:
        """Some columns of the receipts of a month's next reports after a number, with their bodies."""
        rows = self._read(
            name,
            f"SELECT {columns}, report FROM {_PREFIX}{name} AS body JOIN receipt ON receipt.number = body.number"
            " WHERE body.number > ? ORDER BY body.number LIMIT ?",
            (after, count),
        )
        return ((row[:-1], _bytes(row[-1])) for row in rows)

    def _read(self, name: str, statement: str, values: Sequence[object]) -> Sequence[Row]:
        """What a statement reads of a month; nothing where the month has gone since it was last looked for."""
        try:
            return self._database.read(statement, values)
        except StoreDamaged:
            if name in self.months():
                raise
            return ()

    @property
    def _bytes(self) -> str:
        return f"{self._database.dialect.bytes_type} NOT NULL"


@lru_cache(maxsize=4)
def _month_of_day(day: int) -> str:
    return f"{datetime.fromtimestamp(day * _DAY // 1000, UTC):%Y_%m}"


def month(instant: Millis) -> str:
    """The month of an instant: `2026_11`."""
    return _month_of_day(instant // _DAY)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else b""
