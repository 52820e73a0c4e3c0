"""The store in a file of SQLite: a write-ahead log, every commit on the disk; hashes of addresses lie beside it."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import ClassVar, Self

from telemetry_collector.store.database import MIGRATIONS, READABLE_FROM, CollectorDatabase
from telemetry_collector.store.statements import Lists
from telemetry_core.errors import StoreDamaged, StoreError, StoreUnavailable
from telemetry_core.store.database import closed_on_failure
from telemetry_core.store.sqlite import File

_LOG_PAGES = 4000
"""Of the write-ahead log, after which they are written to the file: each index page changes often before that."""


class CollectorFile(File, CollectorDatabase):
    """One open file, marked as the service's."""

    application_id = 0x7E1E3E7C
    migrations = MIGRATIONS
    readable_from = READABLE_FROM
    hash_table: ClassVar[str] = (
        "CREATE TABLE IF NOT EXISTS addresses.{name} (report INTEGER PRIMARY KEY, hash TEXT NOT NULL)"
    )
    hash_tables: ClassVar[str] = "SELECT name FROM addresses.sqlite_master WHERE type = 'table'"

    many = Lists()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open the file for writing; make it where it is not there, without tables.

        Raises:
            StoreError: This user cannot, or it is no store of this service, or broken.
        """
        database = super().create(path)
        with closed_on_failure(database):
            database.read("PRAGMA journal_mode = WAL")
            database.read(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            database._attach_hashes()
        return database

    def together(self) -> AbstractContextManager[None]:
        """A transaction as any other: to a file it is not far."""
        return self.transaction()

    def forget_hashes(self) -> None:
        """Empty the write-ahead log; dropped pages are zeros already, since `secure_delete` is on."""
        self.read("PRAGMA addresses.wal_checkpoint(TRUNCATE)")

    def _attach_hashes(self) -> None:
        """The file of hashes; nothing hangs on it, so a broken one is replaced, and commits do not wait for it."""
        beside = Path(f"{self.path}-addresses")
        try:
            self._attach(beside)
        except StoreDamaged:
            with suppress(StoreError):
                self.change("DETACH DATABASE addresses")
            for end in ("", "-wal", "-shm"):
                Path(f"{beside}{end}").unlink(missing_ok=True)
            self._attach(beside)

    def _attach(self, beside: Path) -> None:
        try:
            os.close(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise StoreUnavailable(
                f"{beside} cannot be used: {error.strerror}.", hint="It must be writable for this user."
            ) from error
        self.change("ATTACH DATABASE ? AS addresses", (str(beside),))
        self.read("PRAGMA addresses.secure_delete = ON")
        self.read("PRAGMA addresses.journal_mode = WAL")
        self.read("PRAGMA addresses.synchronous = NORMAL")
        self.read(self.hash_tables)
