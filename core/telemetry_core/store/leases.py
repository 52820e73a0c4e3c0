"""Which node sends a pending report: a lease by the database's clock, after which any other node may take it over."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core.model import Millis
from telemetry_core.store.database import Database


@dataclass(frozen=True, slots=True)
class Lease:
    """What a node holds while it sends a report; a later lease of the same report has a later end."""

    report: str
    until: Millis


class Leases:
    """Leases of reports. In a file the lock of those who send stands for them: its holder has every lease at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._now = database.dialect.now

    def take(self, report: str, length: Millis) -> Lease | None:
        """Take the lease of a report; None where another node holds it, whose time is not over."""
        if self._now is None:
            return Lease(report, 0)
        found = self._database.read(
            f"UPDATE report SET lease_until = {self._now} + ?"  # noqa: S608  # the dialect's constant
            f" WHERE id = ? AND coalesce(lease_until, 0) < {self._now} RETURNING lease_until",
            (length, report),
        )
        return Lease(report, int(str(found[0][0]))) if found else None

    def is_held(self, lease: Lease) -> bool:
        """Whether a lease is neither over nor another node's by now."""
        if self._now is None:
            return True
        query = f"SELECT 1 FROM report WHERE id = ? AND lease_until = ? AND lease_until > {self._now}"  # noqa: S608  # a constant of the dialect
        return bool(self._database.read(query, (lease.report, lease.until)))

    def give_back(self, lease: Lease) -> None:
        """End a lease before its time, unless another node has it by now."""
        if self._now is not None:
            self._database.change(
                "UPDATE report SET lease_until = NULL WHERE id = ? AND lease_until = ?", (lease.report, lease.until)
            )
