"""The connection to the SQLite file: opened for its owner alone, every error translated, changes in transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from telemetry_core.errors import StoreDamaged, StoreError, StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Database, Row
from telemetry_core.store.dialects import SQLITE

APPLICATION_ID = 0x7E1E3E79
"""What SQLite keeps in the header of the file, so that no other program's database is taken for a store."""

_WAIT_SECONDS = 10.0
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "corrupt")


class File(Database):
    """One open file."""

    dialect = SQLITE

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path)
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path, now: Millis) -> File:
        """Open the file for reading and writing; make it where it is not there, and bring it to this release.

        Raises:
            StoreUnavailable: This user cannot.
            StoreDamaged: It is no store, or broken.
            StoreTooNew: A newer release has written it.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise _unavailable(path, error.strerror or str(error)) from error
        return cls._open(path, f"{path.absolute().as_uri()}?mode=rw", now)

    @classmethod
    def existing(cls, path: Path, now: Millis) -> File:
        """Open the file as far as this user may; where there is none, an empty store in memory stands for it.

        Raises:
            StoreUnavailable: There is one that this user cannot read.
            StoreDamaged: It is no store, or broken.
            StoreTooNew: A newer release has written it.
        """
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return cls._open(path, ":memory:", now)
        except OSError as error:
            raise _unavailable(path, error.strerror or str(error)) from error
        mode = "rw" if os.access(path, os.W_OK) else "ro"
        return cls._open(path, f"{path.absolute().as_uri()}?mode={mode}", now)

    @classmethod
    def nowhere(cls, now: Millis) -> File:
        """An empty store in memory."""
        return cls._open(Path(), ":memory:", now)

    @classmethod
    def _open(cls, path: Path, uri: str, now: Millis) -> File:
        with _translated(path):
            connection = sqlite3.connect(
                uri, uri=uri != ":memory:", timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        connection.text_factory = lambda text: text.decode("utf-8", "replace")  # a flipped bit is the digest's to find
        database = cls(path, connection)
        try:
            database.read("PRAGMA synchronous = FULL")
            database.read("PRAGMA secure_delete = ON")  # what is removed is gone from the file
            database._refuse_foreign()
            if database.version() == 0 or not uri.endswith("mode=ro"):
                database.migrate(now)
        except StoreError:
            connection.close()
            raise
        return database

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with _translated(self.path):
            return self._connection.execute(statement, values).fetchall()

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement, in a transaction of the caller or in one of its own; the number of rows it changed."""
        with _translated(self.path):
            return self._connection.execute(statement, values).rowcount

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are made, or none; other processes that want to change something wait for its end."""
        return self._inside("BEGIN IMMEDIATE")

    def snapshot(self) -> AbstractContextManager[None]:
        """All reads inside see the same moment."""
        return self._inside("BEGIN")

    @contextmanager
    def _inside(self, begin: str) -> Iterator[None]:
        if self._connection.in_transaction:
            yield
            return
        self.change(begin)
        try:
            yield
            self.change("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise

    def _refuse_foreign(self) -> None:
        """Mark a new file as a store, and refuse to touch one that is another program's."""
        if self._mark() == APPLICATION_ID:
            return
        if self.read("SELECT 1 FROM sqlite_master") and self._mark() != APPLICATION_ID:  # marked before it is filled
            raise StoreDamaged(
                f"{self.path} is a database, but no store of telemetry.", hint="Name another with TELEMETRY_STORE."
            )
        self.change(f"PRAGMA application_id = {APPLICATION_ID}")

    def _mark(self) -> object:
        return self.read("PRAGMA application_id")[0][0]

    def _keep_copy(self, version: int) -> None:
        """Keep the store as it is, beside it, before anything of it is changed."""
        copy = self.path.with_name(f"{self.path.name}.v{version}")
        if copy.exists():
            return
        self.change("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o600)

    def _make_room(self) -> None:
        """The file is the room."""


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if any(sign in text for sign in _DAMAGE):
            raise StoreDamaged(
                f"The store {path} is damaged: {text}.",
                hint="Keep the file, and restore it from a backup if you have one.",
            ) from error
        raise _unavailable(path, text) from error


def _unavailable(path: Path, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The store {path} cannot be used: {reason}.",
        hint="Run as the user that owns it (often: sudo telemetry ...), or name another with TELEMETRY_STORE.",
    )
