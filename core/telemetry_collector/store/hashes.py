"""Hashes of addresses beside the reports, a table for each key, which goes when the key goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from telemetry_collector.model import Hash
from telemetry_collector.store.database import CollectorDatabase
from telemetry_core.model import Millis

_PREFIX = "address_"
_COLUMNS = {"report": "bigint", "hash": "text"}


class Hashes:
    """The tables of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database
        self._made: set[Millis] = set()
        self._is_swept = False  # who dropped a table before may have been killed then

    def of(self, numbers: Sequence[int], periods: Iterable[Millis]) -> Mapping[int, str]:
        """The hashes that some reports have by the keys of some periods, by number."""
        found: dict[int, str] = {}
        condition, values = self._database.many.among({"report": "bigint"}, [numbers])
        for period in periods if numbers else ():
            table = self._make(period)  # another collector may have dropped it meanwhile
            rows = self._database.read(f"SELECT report, hash FROM {table} WHERE {condition}", values)
            found |= {int(str(number)): str(value) for number, value in rows}
        return found

    def add(self, hashes: Iterable[tuple[int, Hash]]) -> None:
        """Keep the hash of each report, whose number stands before it."""
        of_period: dict[Millis, tuple[list[int], list[str]]] = {}
        for number, one in hashes:
            numbers, values = of_period.setdefault(one.period, ([], []))
            numbers.append(number)
            values.append(one.value)
        for period, columns in of_period.items():
            table = f"{_PREFIX}{period}" if period in self._made else self._make(period)
            self._database.many.insert(self._database.change, table, _COLUMNS, columns)

    def note_made(self) -> None:
        """Remember which periods have a table; to be called outside of transactions."""
        self._made = set(self._periods())

    def forget_after(self, number: int) -> None:
        """Remove the hashes of reports above a number: of a store that is lost, and the next one gives them again."""
        for period in self._periods():
            self._database.change(f"DELETE FROM {_PREFIX}{period} WHERE report > ?", (number,))

    def forget(self, until: Millis, removed: Collection[Millis] = ()) -> bool:
        """Drop the tables of keys that are gone, and what is left of them in files.

        Args:
            until: Keys that began at this instant or before it are gone.
            removed: So are those that began at one of these.

        Returns:
            Whether nothing is left; where somebody reads it, it is to be tried again.
        """
        gone = [period for period in self._periods() if period <= until or period in removed]
        self._made.difference_update(gone)
        dropped = [self._database.drop(f"{_PREFIX}{period}") for period in gone]
        if gone or not self._is_swept:
            self._is_swept = self._database.sweep_hashes()
        return all(dropped) and self._is_swept

    def _periods(self) -> list[Millis]:
        names = [str(name) for (name,) in self._database.read(self._database.hash_tables)]
        return [int(name.removeprefix(_PREFIX)) for name in names if name.startswith(_PREFIX)]

    def _make(self, period: Millis) -> str:
        """The table of a period, made where it is not there."""
        name = f"{_PREFIX}{period}"
        self._database.change(self._database.hash_table.format(name=name))
        return name
