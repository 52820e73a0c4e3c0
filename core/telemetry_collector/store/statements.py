"""Statements for many rows at once, as each database takes them fastest: a batch costs as many as a report would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Protocol

Columns = Mapping[str, str]
"""The types of columns by their names, in order; types are those of PostgreSQL, in lower case."""

Values = Sequence[Sequence[object]]
"""For each column the values of all rows."""

Change = Callable[[str, Sequence[object]], int]

_MOST_VALUES = 9000
"""Of one statement; SQLite takes more."""


class Many(Protocol):
    """How a database is told many rows."""

    def insert(self, change: Change, table: str, columns: Columns, values: Values) -> None:
        """Insert rows into a table by what changes a database."""

    def among(self, columns: Columns, values: Values) -> tuple[str, Sequence[object]]:
        """A condition, with its values, that a column has any of some; of several columns SQLite would use no index."""

    def each(self, columns: Columns, values: Values, *, table: str, rows: str) -> tuple[str, Sequence[object]]:
        """What to select from, with its values: for each of some rows, the rows of a table that belong to it.

        Args:
            columns: Of the rows that are given, two or more.
            values: Of them.
            table: With a column `number`.
            rows: Which belong, as conditions, order and limit; the given row is `given` there, the other one `one`.
        """


class Lists:
    """SQLite's way: a question mark for each value; statements are made in no time."""

    def insert(self, change: Change, table: str, columns: Columns, values: Values) -> None:
        """Insert rows, in several statements where one would take too many values."""
        names = ", ".join(columns)
        step = _MOST_VALUES // len(columns)
        rows = list(zip(*values, strict=True))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            change(
                f"INSERT INTO {table} ({names}) VALUES {_marks(len(some), len(columns))}",
                [value for row in some for value in row],
            )

    def among(self, columns: Columns, values: Values) -> tuple[str, Sequence[object]]:
        """A condition with its values."""
        (name,), (some,) = columns, values
        return f"{name} IN ({_marks(len(some), 1)})", some

    def each(self, columns: Columns, values: Values, *, table: str, rows: str) -> tuple[str, Sequence[object]]:
        """What to select from, with its values."""
        names = ", ".join(f"column{number} AS {name}" for number, name in enumerate(columns, 1))
        given = f"(SELECT {names} FROM (VALUES {_marks(len(values[0]), len(columns))})) AS given"
        picked = f"{table}.number IN (SELECT one.number FROM {table} AS one WHERE {rows})"
        # CROSS, so that SQLite takes one given row after the other, without a table for them
        return f"{given} CROSS JOIN {table} ON {picked}", [value for row in zip(*values, strict=True) for value in row]


class Arrays:
    """PostgreSQL's way: an array for each column; statements stay the same, however many rows there are."""

    def insert(self, change: Change, table: str, columns: Columns, values: Values) -> None:
        """Insert rows."""
        if values[0]:
            change(f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM {_unnested(columns)}", values)

    def among(self, columns: Columns, values: Values) -> tuple[str, Sequence[object]]:
        """A condition with its values."""
        (name,) = columns
        return f"{name} IN (SELECT * FROM {_unnested(columns)})", values

    def each(self, columns: Columns, values: Values, *, table: str, rows: str) -> tuple[str, Sequence[object]]:
        """What to select from, with its values."""
        given = f"{_unnested(columns)} ({', '.join(columns)})"
        return f"{given} CROSS JOIN LATERAL (SELECT one.* FROM {table} AS one WHERE {rows}) AS {table}", values


def _unnested(columns: Columns) -> str:
    return f"unnest({', '.join(f'CAST(%b AS {kind}[])' for kind in columns.values())}) AS given"


@lru_cache(maxsize=1024)
def _marks(count: int, width: int) -> str:
    """`?, ?` for so many values; for more than one column `(?, ?), (?, ?)` for so many rows."""
    one = "?" if width == 1 else f"({', '.join('?' * width)})"
    return ", ".join([one] * count)
