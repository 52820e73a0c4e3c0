"""The store in a file of SQLite: a write-ahead log, every commit on the disk; hashes of addresses lie beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Self

from telemetry_collector.store.database import MIGRATIONS, READABLE_FROM, CollectorDatabase
from telemetry_collector.store.statements import Lists
from telemetry_core.errors import StoreDamaged, StoreError, StoreUnavailable
from telemetry_core.store.database import Place, closed_on_failure
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
    _opened: tuple[int, int] | None = None
    _log_opened: tuple[int, int] | None = None

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
            database.read(cls.dialect.tables)  # the log is opened by the first read
            database._opened, database._log_opened = identity(path), identity(database._log)
        return database

    def close(self) -> None:
        """End it. Where another file has taken its place, that one must never find the log of this one."""
        is_left = False
        with suppress(StoreError):
            is_replaced = identity(self.path) not in (self._opened, None)
            is_left = is_replaced and self._log_opened is not None and identity(self._log) == self._log_opened
        super().close()
        if is_left:
            with suppress(OSError):
                self._log.unlink()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As in any store; and what was committed must lie where the next one who opens the store will look."""
        is_outer = not self._connection.in_transaction
        with super().transaction():
            yield
        if is_outer and self._opened is not None and identity(self.path) != self._opened:
            raise gone(self.path)

    def together(self) -> AbstractContextManager[None]:
        """A transaction as any other: to a file it is not far."""
        return self.transaction()

    def drop(self, table: str) -> bool:
        """Drop a table; who reads it goes on to read it as it was."""
        self.change(f"DROP TABLE IF EXISTS {table}")
        return True

    def beat_hashes(self) -> None:
        """Write to their file; it does not matter what."""
        self.change("PRAGMA addresses.user_version = 1")

    def sweep_hashes(self) -> bool:
        """Empty the write-ahead log; dropped pages are zeros already, since `secure_delete` is on."""
        ((wait,),) = self.read("PRAGMA busy_timeout")
        self.read("PRAGMA busy_timeout = 0")
        try:
            ((is_busy, *_),) = self.read("PRAGMA addresses.wal_checkpoint(TRUNCATE)")
        finally:
            self.read(f"PRAGMA busy_timeout = {wait}")
        return not is_busy

    @property
    def _log(self) -> Path:
        return Path(f"{self.path}-wal")

    def _attach_hashes(self) -> None:
        """The file of hashes; nothing hangs on it, so a broken one is replaced, and commits do not wait for it."""
        beside = Path(f"{self.path}-addresses")
        try:
            self._attach(beside)
        except StoreDamaged:
            with suppress(StoreError):
                self.change("DETACH DATABASE addresses")
            with _usable(beside):
                for end in ("", "-wal", "-shm"):
                    Path(f"{beside}{end}").unlink(missing_ok=True)
            self._attach(beside)

    def _attach(self, beside: Path) -> None:
        with _usable(beside):
            os.close(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.change("ATTACH DATABASE ? AS addresses", (str(beside),))
        self.read("PRAGMA addresses.secure_delete = ON")
        self.read("PRAGMA addresses.journal_mode = WAL")
        self.read("PRAGMA addresses.synchronous = NORMAL")
        ((found,),) = self.read("PRAGMA addresses.quick_check(1)")
        if found != "ok":
            raise StoreDamaged(f"{beside} is damaged: {found}.")


def identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another one in the same place; None where none is.

    Raises:
        StoreUnavailable: This user cannot look.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(path, error) from error
    return found.st_dev, found.st_ino


def gone(place: Place) -> StoreUnavailable:
    """The error for a store that was there before."""
    return StoreUnavailable(
        f"The store {place} is gone.", hint="Restore it, or start the service again to begin with an empty one."
    )


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path} cannot be used: {error.strerror}.", hint="It must be writable for this user.")
