"""The table of receipts: what is held that matters for some submissions, and what is added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from telemetry_collector.model import SAME_WITHIN, Held, Receipt, Ruling, State, Submission, Verdict
from telemetry_collector.store.database import CollectorDatabase
from telemetry_collector.store.statements import Columns, Values

COLUMNS = {
    "number": "bigint", "id": "text", "keyed": "integer", "sha256": "text", "installation": "text",
    "window_start": "text", "received_at": "bigint", "state": "text",
}  # fmt: skip
_WITH_REASON = {**COLUMNS, "reason": "text"}
_IS_NEXT = "next"
_NEXT = f"SELECT coalesce(max(number), 0) + 1, '', 0, '', '', '', 0, '{_IS_NEXT}' FROM receipt"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM receipt WHERE "

R = TypeVar("R", bound=Receipt)


class Receipts:
    """The table of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database

    def matching(self, submissions: Sequence[Submission]) -> tuple[list[Held], int]:
        """Everything with the same key, the same window, or without both and from the same minute.

        Returns:
            It, the oldest first, and the number of the next report; both hold within a transaction.
        """
        parts: list[tuple[str, Sequence[object]]] = [(_NEXT, ())]
        keys = list({one.key for one in submissions if one.keyed})
        if keys:
            parts.append(self._among({"id": "text"}, [keys]))
        windows = list({(one.installation, one.window) for one in submissions if one.window})
        if windows:
            columns = [list(column) for column in zip(*windows, strict=True)]
            parts.append(self._among({"installation": "text", "window_start": "text"}, columns))
        without = [one for one in submissions if not one.keyed and not one.window]
        if without:
            parts.append(self._of_the_minute(without))
        rows = self._database.read(
            " UNION ALL ".join(statement for statement, _ in parts), [value for _, values in parts for value in values]
        )
        held = {one.number: one for one in (read(Held, row) for row in rows if row[-1] != _IS_NEXT)}
        next_number = next(int(str(row[0])) for row in rows if row[-1] == _IS_NEXT)
        return [held[number] for number in sorted(held)], next_number

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Keep the receipts of what was stored; what is superseded counts no more."""
        superseded = {one.supersedes.number for one in verdicts if one.supersedes is not None}
        rows = []
        for verdict in verdicts:
            if verdict.ruling is Ruling.STORED:
                held = verdict.held
                state = State.SUPERSEDED if held.number in superseded else held.state
                superseded.discard(held.number)
                values = (held.number, held.id, int(held.keyed), held.sha256, held.installation, held.window)
                rows.append((*values, held.received_at, state.value, verdict.reason))
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._database.many.insert(self._database.change, "receipt", _WITH_REASON, columns)
        if superseded:
            condition, some = self._database.many.among({"number": "bigint"}, [list(superseded)])
            self._database.change(f"UPDATE receipt SET state = 'superseded' WHERE {condition}", some)

    def become(self, number: int, state: State) -> None:
        """Give a report another state."""
        self._database.change("UPDATE receipt SET state = ? WHERE number = ?", (state.value, number))

    def of_window(self, installation: str, window: str) -> list[Held]:
        """Those without a key of a window that count, the oldest first."""
        rows = self._database.read(
            f"{_SELECT} installation = ? AND window_start = ? AND keyed = 0 AND state = 'counted' ORDER BY number",
            (installation, window),
        )
        return [read(Held, row) for row in rows]

    def _of_the_minute(self, without: Sequence[Submission]) -> tuple[str, Sequence[object]]:
        condition, values = self._among({"installation": "text"}, [list({one.installation for one in without})])
        times = [one.received_at for one in without]
        between = (min(times) - SAME_WITHIN, max(times) + SAME_WITHIN)
        return f"{condition} AND window_start = '' AND received_at BETWEEN ? AND ?", [*values, *between]

    def _among(self, columns: Columns, values: Values) -> tuple[str, Sequence[object]]:
        condition, some = self._database.many.among(columns, values)
        return f"{_SELECT} {condition}", some


def read(kind: type[R], row: Sequence[object], **more: Any) -> R:
    """A receipt of some kind out of `COLUMNS`, with what more that kind has."""
    number, name, keyed, sha256, installation, window, received_at, state = row
    return kind(
        number=int(str(number)),
        id=str(name),
        keyed=bool(keyed),
        sha256=str(sha256),
        installation=str(installation),
        window=str(window),
        received_at=int(str(received_at)),
        state=State(str(state)),
        **more,
    )
