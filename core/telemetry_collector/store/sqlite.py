"""The store in a file of SQLite: a write-ahead log, every commit on the disk; hashes of addresses lie beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from telemetry_collector.store.database import MIGRATIONS, READABLE_FROM, CollectorDatabase
from telemetry_collector.store.statements import Lists
from telemetry_core.errors import StoreDamaged, StoreError, StoreUnavailable
from telemetry_core.store.database import Place, closed_on_failure
from telemetry_core.store.sqlite import File

Identity = tuple[int, int]

_LOG_PAGES = 4000
"""Of the write-ahead log, after which they are written to the file: each index page changes often before that."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """What lay where when the store was opened; its log lies beside the file itself, wherever the links to it lie."""

    real: Path
    file: Identity | None
    log: Path
    log_file: Identity | None


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
    _opened: _Opened | None = None
    #: Files whose log was removed under this process; who reads them since has made an empty one.
    _torn: ClassVar[set[Path]] = set()

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open the file for writing; make it where it is not there, without tables.

        Raises:
            StoreError: This user cannot, or it is no store of this service, or broken.
        """
        real = Path(os.path.realpath(path))
        log = Path(f"{real}-wal")
        # In this order: the log is made before `-shm` and removed after it, so that who opens it now is never mistaken.
        is_torn = real in cls._torn or (identity(Path(f"{real}-shm")) is not None and identity(log) is None)
        database = super().create(path)
        with closed_on_failure(database):
            if is_torn:
                database._require_alone(log)
                cls._torn.discard(real)
            database.read("PRAGMA journal_mode = WAL")
            database.read(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
            database._attach_hashes()
            database.read(cls.dialect.tables)  # the log is opened by the first read
            database._opened = _Opened(real, identity(path), log, identity(log))
        return database

    def close(self) -> None:
        """End it. Where it lies there no more, the next one in its place must never find the log of this one."""
        with suppress(StoreError):
            self._keep_log()
            self._put_back()
        super().close()
        self._opened = None

    def look(self) -> None:
        """See that the file and its log still lie where the next one who opens the store will look."""
        opened = self._opened
        if opened is None:
            return
        if identity(self.path) != opened.file:
            raise gone(self.path, log=self._keep_log())
        if opened.log_file is not None and identity(opened.log) != opened.log_file:
            self._torn.add(opened.real)
            raise StoreUnavailable(
                f"The write-ahead log {opened.log} is gone.",
                hint="It is a part of the store, which goes on when nobody else has it open: end what reads it.",
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """As in any store; and what was committed must lie where the next one who opens the store will look."""
        is_outer = not self._connection.in_transaction
        with super().transaction():
            yield
        if is_outer:
            self.look()

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

    def _keep_log(self) -> Path | None:
        """Move the log aside where the file no longer lies beside it; where it is then, if it was.

        To be done while both are open: until then nothing else has their identities.
        """
        opened = self._opened
        if opened is None or opened.log_file is None or identity(opened.real) == opened.file:
            return None
        if identity(opened.log) != opened.log_file:
            return None
        kept = Path(f"{opened.log}.lost")
        try:
            opened.log.replace(kept)
            Path(f"{opened.real}-shm").unlink(missing_ok=True)
        except OSError:
            return None
        return kept

    def _require_alone(self, log: Path) -> None:
        """Refuse to go on with a log that was removed, where others have it open still: they would mix up both.

        In order, the log is made before `-shm` and removed after it.
        """
        try:
            self.read("PRAGMA main.journal_mode = DELETE")  # it cannot be had while anybody else has the file open
        except StoreUnavailable:
            if not _has_content(log):
                with suppress(OSError):
                    log.unlink()  # made just now; whoever comes next must see this too
            raise

    def _put_back(self) -> None:
        """Write to the file what is in a log that was removed: it is open still, but nobody else finds it."""
        opened = self._opened
        if opened is None or identity(opened.real) != opened.file or identity(opened.log) == opened.log_file:
            return
        if not _has_content(opened.log):  # else somebody has written meanwhile, of which this log knows nothing
            # SQLite does not do it by itself at the end while somebody else has the file open.
            self.read("PRAGMA main.wal_checkpoint(FULL)")

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


def identity(path: Path) -> Identity | None:
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


def gone(place: Place, *, log: Path | None = None) -> StoreUnavailable:
    """The error for a store that was there before; its log, where that is kept, has what came last."""
    kept = "" if log is None else f" Its log is kept as {log}."
    return StoreUnavailable(
        f"The store {place} is gone.", hint=f"Restore it, or start the service again to begin with an empty one.{kept}"
    )


def _has_content(path: Path) -> bool:
    with _usable(path), suppress(FileNotFoundError):
        return path.stat().st_size > 0
    return False


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(f"{path} cannot be used: {error.strerror}.", hint="It must be writable for this user.")
