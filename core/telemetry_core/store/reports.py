"""The table of reports and their attempts: whoever inserts the pending row has the claim."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from telemetry_core.model import Attempt, Document, Kind, Millis, Report, ReportState
from telemetry_core.store import rows
from telemetry_core.store.database import Database, Row

_COLUMNS = "id, installation, kind, state, slot, window_start, created_at, body, record, digest"


class Reports:
    """Every report ever prepared."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, report: Report) -> bool:
        """Keep a new report before its first byte leaves; False where its slot, or pending place, is taken."""
        with self._database.transaction():
            opened = self._database.change(
                f"INSERT INTO report ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608  # names only
                " ON CONFLICT DO NOTHING",
                _row(report),
            )
            if opened:
                self._chain(report)
        return bool(opened)

    def reopen(self, report: Report) -> None:
        """Keep a report anew under the id that it has already, with other bytes perhaps."""
        with self._database.transaction():
            self.put(report)
            self._chain(report)

    def verify(self) -> int:
        """Check every report against its digests and against the chain of documents; how many documents there are.

        Raises:
            StoreDamaged: A report or a link of the chain is gone, or not as it was written.
        """
        latest: dict[str, str] = {}
        before = ""
        query = "SELECT number, report, sha256, prepared_at, digest FROM document ORDER BY number"
        documents = self._database.read(query)
        for expected, (number, identity, sha256, prepared_at, digest) in enumerate(documents, 1):
            where = f"document {number}, of report {identity}"
            if number != expected:
                raise rows.damaged(where)
            rows.check(digest, where, before, number, identity, sha256, prepared_at)
            before, latest[str(identity)] = str(digest), str(sha256)
        for report in self.newest_first():
            body = hashlib.sha256(report.document.body).hexdigest()
            if not body == report.document.sha256 == latest.pop(report.id, None):
                raise rows.damaged(f"report {report.id}")
            self.attempts(report.id)
        if latest:
            raise rows.damaged(f"report {next(iter(latest))}", "is missing")
        return len(documents)

    def _chain(self, report: Report) -> None:
        last = self._database.read("SELECT number, digest FROM document ORDER BY number DESC LIMIT 1")
        number, before = (int(str(last[0][0])) + 1, str(last[0][1])) if last else (1, "")
        values = (number, report.id, report.document.sha256, report.created_at)
        self._database.change(
            "INSERT INTO document (number, report, sha256, prepared_at, digest) VALUES (?, ?, ?, ?, ?)",
            (*values, rows.digest(before, *values)),
        )

    def put(self, report: Report) -> None:
        """Write a changed report."""
        identity, *changed = _row(report)
        self._database.change(
            "UPDATE report SET installation = ?, kind = ?, state = ?, slot = ?, window_start = ?, created_at = ?,"
            " body = ?, record = ?, digest = ? WHERE id = ?",
            (*changed, identity),
        )

    def get(self, identity: str) -> Report | None:
        """A report by its id."""
        found = self._query("WHERE id = ?", (identity,))
        return found[0] if found else None

    def starting_with(self, prefix: str) -> list[Report]:
        """Reports whose id starts with a text."""
        return self._query("WHERE substr(id, 1, ?) = ?", (len(prefix), prefix))

    def newest_first(self) -> list[Report]:
        """All reports."""
        return self._query("ORDER BY created_at DESC, window_start DESC, kind DESC")

    def pending(self, installation: str, kind: Kind) -> Report | None:
        """The report of an installation that waits to be delivered."""
        found = self._query(
            "WHERE installation = ? AND kind = ? AND state = ?", (installation, kind, ReportState.PENDING)
        )
        return found[0] if found else None

    def of(self, installation: str, kind: Kind) -> list[Report]:
        """All reports of a kind for an installation, newest first."""
        return self._query(
            "WHERE installation = ? AND kind = ? ORDER BY created_at DESC, window_start DESC", (installation, kind)
        )

    def slot_taken(self, installation: str, slot: Millis, *, besides: str = "") -> bool:
        """Whether a slot has a periodic report, besides one of some id; a withdrawn one leaves its slot free."""
        return bool(
            self._database.read(
                "SELECT 1 FROM report WHERE installation = ? AND kind = ? AND slot = ? AND state <> ? AND id <> ?",
                (installation, Kind.PERIODIC, slot, ReportState.WITHDRAWN, besides),
            )
        )

    def ordinal(self, installation: str, window_start: Millis) -> int:
        """How many periodic reports with this window start exist already."""
        found = self._database.read(
            "SELECT count(*) FROM report WHERE installation = ? AND kind = ? AND window_start = ?",
            (installation, Kind.PERIODIC, window_start),
        )
        return int(str(found[0][0]))

    def begin_attempt(self, report: Report, now: Millis) -> tuple[Report, Attempt]:
        """Note that an attempt begins, before its first byte leaves; until its end is noted, it may have arrived."""
        attempt = Attempt(number=report.attempts + 1, started_at=now)
        begun = replace(report, attempts=attempt.number)
        with self._database.transaction():
            self._database.change(
                "INSERT INTO attempt (report, number, attempt) VALUES (?, ?, ?)",
                (report.id, attempt.number, rows.to_text(attempt)),
            )
            self.put(begun)
        return begun, attempt

    def end_attempt(self, report: Report, attempt: Attempt) -> None:
        """Note how an attempt ended."""
        self._database.change(
            "UPDATE attempt SET attempt = ? WHERE report = ? AND number = ?",
            (rows.to_text(attempt), report.id, attempt.number),
        )

    def attempts(self, identity: str) -> list[Attempt]:
        """All attempts to deliver a report, oldest first."""
        found = self._database.read("SELECT attempt FROM attempt WHERE report = ? ORDER BY number", (identity,))
        return [rows.from_text(text, Attempt, f"attempt for report {identity}") for (text,) in found]

    def _query(self, condition: str, values: Sequence[object] = ()) -> list[Report]:
        query = f"SELECT {_COLUMNS} FROM report {condition}"  # noqa: S608  # conditions are constants of this module
        return [_report(row) for row in self._database.read(query, values)]


def _row(report: Report) -> Row:
    record = rows.to_text(replace(report, document=Document(b"", report.document.sha256)))
    values = (
        report.id,
        report.installation,
        str(report.kind),
        str(report.state),
        report.slot,
        report.window_start,
        report.created_at,
        report.document.body,
        record,
    )
    return (*values, rows.digest(*values))


def _report(row: Row) -> Report:
    *values, digest = row
    where = f"report {values[0]}"
    rows.check(digest, where, *values)
    kept = rows.from_text(values[8], Report, where)
    body = values[7]
    return replace(kept, document=Document(body if isinstance(body, bytes) else b"", kept.document.sha256))
