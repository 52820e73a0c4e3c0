"""The table of receipts: what is held that matters for some submissions, and what is added."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from telemetry_collector.judging import COMPARED
from telemetry_collector.model import SAME_WITHIN, Held, Receipt, Ruling, State, Submission, Verdict
from telemetry_collector.store.database import CollectorDatabase
from telemetry_collector.store.statements import Columns

COLUMNS = {
    "number": "bigint", "id": "text", "keyed": "integer", "sha256": "text", "installation": "text",
    "window_start": "text", "received_at": "bigint", "state": "text",
}  # fmt: skip
_WITH_REASON = {**COLUMNS, "reason": "text"}
_IS_NEXT = "next"
_NEXT = f"SELECT coalesce(max(number), 0) + 1, '', 0, '', '', '', 0, '{_IS_NEXT}' FROM receipt"
_SELECT = f"SELECT {', '.join(f'receipt.{name}' for name in COLUMNS)} FROM "

_WINDOW = {name: COLUMNS[name] for name in ("installation", "window_start")}
_CONTENT = {name: COLUMNS[name] for name in ("installation", "window_start", "keyed", "sha256")}
_SAME_CONTENT = 100
"""So many of the newest with the same window and bytes are told apart by their addresses."""

_KEYED = "one.keyed = 1 LIMIT 1"  # there are no more of a window
_FIRST = "TRUE ORDER BY one.received_at LIMIT 1"
_NEWEST = "ORDER BY one.received_at DESC, one.number DESC LIMIT"
_ATTEMPTS = f"one.keyed = 0 AND one.state = 'counted' {_NEWEST} {COMPARED}"
_OF_THE_MINUTE = f"one.received_at BETWEEN ? AND ? ORDER BY one.received_at DESC LIMIT {_SAME_CONTENT}"

R = TypeVar("R", bound=Receipt)


class Receipts:
    """The table of one database."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database

    def matching(self, submissions: Sequence[Submission]) -> tuple[list[Held], int]:
        """What can make a difference: with the same key, or of the same window, however many there are of it.

        Of a window these are the one with a key, the newest that count, and those with the same bytes: the first one
        where a key is given, else those of the same minute. A report without key and window has the bytes alone.

        Returns:
            It, the oldest first, and the number of the next report; both hold within a transaction.
        """
        keyed = [one for one in submissions if one.keyed]
        without = [one for one in submissions if not one.keyed]
        parts: list[tuple[str, Sequence[object]]] = [(_NEXT, ())]
        if keyed:
            condition, keys = self._database.many.among({"id": "text"}, [list({one.key for one in keyed})])
            parts.append((f"{_SELECT} receipt WHERE {condition}", keys))
        parts += self._each(_WINDOW, {(one.installation, one.window) for one in submissions if one.window}, _KEYED)
        parts += self._each(_CONTENT, {_content(one) for one in keyed if one.window}, _FIRST)
        parts += self._each(_WINDOW, {(one.installation, one.window) for one in without if one.window}, _ATTEMPTS)
        times = [one.received_at for one in without]
        minute = (min(times) - SAME_WITHIN, max(times) + SAME_WITHIN) if times else ()
        contents = {_content(one) for one in without} | {_content(one, keyed=1) for one in without if not one.window}
        parts += self._each(_CONTENT, contents, _OF_THE_MINUTE, *minute)
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
        """The newest of those without a key of a window that count, the oldest of them first."""
        ((statement, values),) = self._each(_WINDOW, {(installation, window)}, _ATTEMPTS)
        return [read(Held, row) for row in reversed(self._database.read(statement, values))]

    def _each(
        self, columns: Columns, given: Collection[tuple[object, ...]], rows: str, *more: object
    ) -> list[tuple[str, Sequence[object]]]:
        """A statement for the receipts that belong to each of some rows, with its values; none where there are none."""
        if not given:
            return []
        values = [list(column) for column in zip(*given, strict=True)]
        same = " AND ".join(f"one.{name} = given.{name}" for name in columns)
        source, some = self._database.many.each(columns, values, table="receipt", rows=f"{same} AND {rows}")
        return [(_SELECT + source, [*some, *more])]


def _content(one: Submission, *, keyed: int = 0) -> tuple[object, ...]:
    """What is the same for receipts of one window and the same bytes, with a key or without one."""
    return one.installation, one.window, keyed, one.sha256


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
