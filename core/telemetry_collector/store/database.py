"""What the service asks of a database beyond what the reporter's store does, and which of the two databases it is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Protocol

from telemetry_collector.store.statements import Many
from telemetry_core.store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
READABLE_FROM = 1

Row = tuple[object, ...]


class Hashing(Protocol):
    """A database with a place for hashes of addresses, which is in no backup and no archived log of the reports."""

    #: Makes the table of a period; {name} is its name.
    hash_table: ClassVar[str]
    #: The names of all such tables.
    hash_tables: ClassVar[str]
    #: How it is told many rows.
    many: ClassVar[Many]

    def together(self) -> AbstractContextManager[None]:
        """A transaction, told to a server in as few exchanges as can be; how many rows change is not known inside."""

    def drop(self, table: str) -> bool:
        """Drop a table, where it is there; False where somebody reads it, who may take long: nobody waits for that."""

    def beat_hashes(self) -> None:
        """Write something where the hashes are, if that is elsewhere; in a transaction of the caller."""

    def sweep_hashes(self) -> bool:
        """Leave nothing of tables that were dropped in any file; False where somebody reads it, as for `drop`."""


class CollectorDatabase(Database, Hashing):
    """One open database of the service."""

    def look(self) -> None:
        """See whether what is open is still what the next one who opens the store gets; a server's always is.

        Raises:
            StoreUnavailable: It is not.
        """
