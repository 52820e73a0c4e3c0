"""What is stored, for people: receipts with their reasons and decisions, newest first, and without their bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from telemetry_collector.model import Receipt
from telemetry_collector.store.database import CollectorDatabase, Row
from telemetry_collector.store.receipts import COLUMNS, read
from telemetry_core.model import Millis

_COLUMNS = ", ".join((*COLUMNS, "reason"))


class Stored(Receipt, frozen=True):
    """A stored report without its body, for people.

    Attributes:
        code: Of the reason why it was set apart, a stable word; empty where it was not.
        detail: The reason as a sentence.
        decided_at: When it was released or dropped, None where it was not.
        decided_by: Who did.
    """

    code: str = ""
    detail: str = ""
    decided_at: Millis | None = None
    decided_by: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """Which reports are wanted; empty for all, `state` and `installation` together for those that are both."""

    installation: str = ""
    quarantined: bool = False


class Listing:
    """The receipts of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database

    def find(self, name: str) -> Stored | None:
        """The report with an id."""
        found = self._read("id = ?", [name], 0, 1)
        return found[0] if found else None

    def newest(self, wanted: Wanted, *, first: int = 0, count: int) -> list[Stored]:
        """Some of those that are wanted, after the first ones, the newest first."""
        conditions, values = ["1 = 1"], []
        if wanted.quarantined:
            conditions.append("state = 'quarantined'")  # written out, as its index wants it
        if wanted.installation:
            conditions.append("installation = ?")
            values.append(wanted.installation)
        return self._read(" AND ".join(conditions), values, first, count)

    def waiting(self, installation: str = "") -> list[str]:
        """The ids of all reports that wait for a decision, of one installation or of all, newest first."""
        own, values = (" AND installation = ?", (installation,)) if installation else ("", ())
        rows = self._database.read(
            f"SELECT id FROM receipt WHERE state = 'quarantined'{own} ORDER BY number DESC", values
        )
        return [str(name) for (name,) in rows]

    def quarantined(self) -> Mapping[str, int]:
        """How many reports wait for a decision, by installation."""
        rows = self._database.read(
            "SELECT installation, count(*) FROM receipt WHERE state = 'quarantined' GROUP BY installation"
        )
        return {str(installation): int(str(count)) for installation, count in rows}

    def _read(self, condition: str, values: Sequence[object], first: int, count: int) -> list[Stored]:
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM receipt WHERE {condition} ORDER BY number DESC LIMIT ? OFFSET ?",
            (*values, count, first),
        )
        decisions = self._decisions([int(str(row[0])) for row in rows if row[8] != ""])
        return [_stored(row, decisions.get(int(str(row[0])))) for row in rows]

    def _decisions(self, numbers: Sequence[int]) -> Mapping[int, Row]:
        if not numbers:
            return {}
        condition, values = self._database.many.among({"number": "bigint"}, [numbers])
        rows = self._database.read(
            f"SELECT number, decided_at, decided_by FROM decision WHERE {condition} ORDER BY decided_at", values
        )
        return {int(str(row[0])): row for row in rows}


def _stored(row: Row, decision: Row | None) -> Stored:
    *receipt, reason = row
    code, _, detail = str(reason).partition(": ")
    return read(
        Stored,
        receipt,
        code=code,
        detail=detail,
        decided_at=None if decision is None else int(str(decision[1])),
        decided_by="" if decision is None else str(decision[2]),
    )
