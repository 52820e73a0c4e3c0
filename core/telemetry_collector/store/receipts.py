"""The table of receipts: what is held that matters for some submissions, and what is added."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from telemetry_collector.model import SAME_WITHIN, Held, Ruling, State, Submission, Verdict
from telemetry_collector.store import statements
from telemetry_core.store.database import Database, Row

COLUMNS = ("number", "id", "keyed", "sha256", "installation", "window_start", "received_at", "state")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM receipt WHERE "


class Receipts:
    """The table of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def next_number(self) -> int:
        """The number of the next report; to be asked within a transaction."""
        return int(str(self._database.read("SELECT coalesce(max(number), 0) + 1 FROM receipt")[0][0]))

    def matching(self, submissions: Sequence[Submission]) -> list[Held]:
        """Everything with the same key, the same window, or without both and from the same minute."""
        found: dict[int, Held] = {}
        for rows in (self._of_keys(submissions), self._of_windows(submissions), self._of_the_minute(submissions)):
            found |= {held.number: held for held in map(_held, rows)}
        return [found[number] for number in sorted(found)]

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Keep the receipts of what was stored; what is superseded counts no more."""
        values: list[object] = []
        superseded = {one.supersedes.number for one in verdicts if one.supersedes is not None}
        for verdict in verdicts:
            if verdict.ruling is Ruling.STORED:
                held = verdict.held
                state = State.SUPERSEDED if held.number in superseded else held.state
                superseded.discard(held.number)
                values += (held.number, held.id, int(held.keyed), held.sha256, held.installation, held.window)
                values += (held.received_at, state.value, verdict.reason)
        statements.insert(self._database, "receipt", (*COLUMNS, "reason"), values)
        if superseded:
            self._database.change(
                f"UPDATE receipt SET state = 'superseded' WHERE number IN ({statements.marks(len(superseded))})",
                list(superseded),
            )

    def _of_keys(self, submissions: Sequence[Submission]) -> list[Row]:
        keys = list({one.key for one in submissions if one.keyed})
        return self._database.read(f"{_SELECT} id IN ({statements.marks(len(keys))})", keys) if keys else []

    def _of_windows(self, submissions: Sequence[Submission]) -> list[Row]:
        windows = {(one.installation, one.window) for one in submissions if one.window}
        if not windows:
            return []
        return self._database.read(
            f"{_SELECT} (installation, window_start) IN (VALUES {statements.marks(len(windows), 2)})",
            [value for window in windows for value in window],
        )

    def _of_the_minute(self, submissions: Sequence[Submission]) -> list[Row]:
        without = [one for one in submissions if not one.keyed and not one.window]
        if not without:
            return []
        installations = list({one.installation for one in without})
        times = [one.received_at for one in without]
        return self._database.read(
            f"{_SELECT} installation IN ({statements.marks(len(installations))}) AND window_start = ''"
            " AND received_at BETWEEN ? AND ?",
            [*installations, min(times) - SAME_WITHIN, max(times) + SAME_WITHIN],
        )


def _held(row: Row) -> Held:
    number, name, keyed, sha256, installation, window, received_at, state = row
    return Held(
        number=int(str(number)),
        id=str(name),
        keyed=bool(keyed),
        sha256=str(sha256),
        installation=str(installation),
        window=str(window),
        received_at=int(str(received_at)),
        state=State(str(state)),
    )
