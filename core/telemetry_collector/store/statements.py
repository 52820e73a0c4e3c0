"""Statements for many rows at once: a batch costs as many as a report would."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from telemetry_core.store.database import Database

_MOST_VALUES = 9000
"""Of one statement; both databases take more."""


@lru_cache(maxsize=1024)
def marks(count: int, width: int = 1) -> str:
    """`?, ?` for so many values; with a width, `(?, ?), (?, ?)` for so many rows of that many."""
    one = "?" if width == 1 else f"({', '.join('?' * width)})"
    return ", ".join([one] * count)


def insert(database: Database, table: str, columns: tuple[str, ...], values: Sequence[object]) -> None:
    """Insert rows; `values` has those of the first row, then those of the next."""
    width = len(columns)
    step = _MOST_VALUES // width * width
    for start in range(0, len(values), step):
        some = values[start : start + step]
        database.change(_insert(table, columns, len(some) // width), some)


@lru_cache(maxsize=1024)
def _insert(table: str, columns: tuple[str, ...], rows: int) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks(rows, len(columns))}"
