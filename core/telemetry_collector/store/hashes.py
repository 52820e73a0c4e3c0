"""Hashes of addresses beside the reports, a table for each key, which goes when the key goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from telemetry_collector.model import Hash
from telemetry_collector.store import statements
from telemetry_collector.store.database import CollectorDatabase
from telemetry_core.model import Millis

_PREFIX = "address_"


class Hashes:
    """The tables of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database

    def of(self, numbers: Sequence[int], periods: Iterable[Millis]) -> Mapping[int, str]:
        """The hashes that some reports have by the keys of some periods, by number."""
        found: dict[int, str] = {}
        for period in periods if numbers else ():
            table = self._table(period)
            rows = self._database.read(
                f"SELECT report, hash FROM {table} WHERE report IN ({statements.marks(len(numbers))})", numbers
            )
            found |= {int(str(number)): str(value) for number, value in rows}
        return found

    def add(self, hashes: Iterable[tuple[int, Hash]]) -> None:
        """Keep the hash of each report, whose number stands before it."""
        of_period: dict[Millis, list[object]] = {}
        for number, one in hashes:
            of_period.setdefault(one.period, []).extend((number, one.value))
        for period, values in of_period.items():
            statements.insert(self._database, self._table(period), ("report", "hash"), values)

    def forget(self, until: Millis) -> None:
        """Drop the tables of periods that began at an instant or before it, and what is left of them in files."""
        older = [period for period in self._periods() if period <= until]
        for period in older:
            self._database.change(f"DROP TABLE IF EXISTS {_PREFIX}{period}")
        if older:
            self._database.forget_hashes()

    def _periods(self) -> list[Millis]:
        names = [str(name) for (name,) in self._database.read(self._database.hash_tables)]
        return [int(name.removeprefix(_PREFIX)) for name in names if name.startswith(_PREFIX)]

    def _table(self, period: Millis) -> str:
        """The table of a period; another collector may have dropped it meanwhile, so it is made sure of each time."""
        name = f"{_PREFIX}{period}"
        self._database.change(self._database.hash_table.format(name=name))
        return name
