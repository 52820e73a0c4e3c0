"""The connection to the SQLite file: opened for its owner alone, every error translated, changes in transactions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path
from typing import ClassVar, Self

from telemetry_core import files
from telemetry_core.errors import StoreDamaged, StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Database, Row, closed_on_failure, foreign
from telemetry_core.store.dialects import SQLITE

APPLICATION_ID = 0x7E1E3E79
"""What SQLite keeps in the header of the file, so that no other program's database is taken for a store."""

MARKS = frozenset({APPLICATION_ID, 0x7E1E3E7C})
"""Of the reporter, and of the receiving service."""

KEEP_IT = "Keep the file, and restore it from a backup if you have one."

_WAIT_SECONDS = 10.0
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "corrupt")


def set_aside(path: Path, now: Millis) -> Path:
    """Rename a file, and the journal that belongs to it, so that it is kept and another can take its place.

    Raises:
        StoreUnavailable: This user cannot.
    """
    stamp = datetime.fromtimestamp(now // 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}.damaged-{stamp}{more}") for more in chain([""], (f".{n}" for n in count(2))))
    kept = next(name for name in names if not name.exists())
    try:
        for end in ("-journal", ""):  # the journal first: a new file of the old name must never find it
            with suppress(FileNotFoundError):
                Path(f"{path}{end}").rename(f"{kept}{end}")
        files.sync(path.parent)
    except OSError as error:
        raise _unavailable(path, error.strerror or str(error)) from error
    return kept


class File(Database):
    """One open file."""

    dialect = SQLITE
    application_id: ClassVar[int] = APPLICATION_ID

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path)
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open the file for reading and writing; make it where it is not there, without tables.

        Raises:
            StoreUnavailable: This user cannot.
            StoreDamaged: It is no store, or broken.
        """
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise _unavailable(path, error.strerror or str(error)) from error
        database = cls._open(path, f"{path.absolute().as_uri()}?mode=rw")
        with closed_on_failure(database):
            database._mark_as_store()
        return database

    @classmethod
    def existing(cls, path: Path) -> Self | None:
        """Open the file as far as this user may, and change nothing of it; None where there is none.

        Raises:
            StoreUnavailable: There is one that this user cannot read.
            StoreDamaged: It is no store, or broken.
        """
        try:
            if path.stat().st_size == 0:
                return None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unavailable(path, error.strerror or str(error)) from error
        mode = "rw" if os.access(path, os.W_OK) else "ro"  # a journal that a killed process left can be rolled back
        return cls._open(path, f"{path.absolute().as_uri()}?mode={mode}")

    @classmethod
    def nowhere(cls) -> Self:
        """An empty one in memory."""
        return cls._open(Path(), ":memory:")

    @classmethod
    def _open(cls, path: Path, uri: str) -> Self:
        with _translated(path):
            connection = sqlite3.connect(
                uri, uri=uri != ":memory:", timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
        connection.text_factory = lambda text: text.decode("utf-8", "replace")  # a flipped bit is the digest's to find
        database = cls(path, connection)
        with closed_on_failure(database):
            database.read("PRAGMA synchronous = FULL")
            database.read("PRAGMA secure_delete = ON")  # what is removed is gone from the file
            database._refuse_foreign()
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

    def check(self) -> None:
        """Let SQLite compare its pages and indexes."""
        found = str(self.read("PRAGMA integrity_check(1)")[0][0])
        if found != "ok":
            raise StoreDamaged(f"The store {self.path} is damaged: {found}.", hint=KEEP_IT)

    def _refuse_foreign(self) -> None:
        """Refuse to touch a file that is another program's."""
        mark = self._mark()
        if mark == self.application_id:
            return
        if mark in MARKS:
            raise foreign(self.path)
        if self.read("SELECT 1 FROM sqlite_master") and self._mark() != self.application_id:  # marked before filled
            raise StoreDamaged(
                f"{self.path} is a database, but no store of telemetry.", hint="Name another with TELEMETRY_STORE."
            )

    def _mark_as_store(self) -> None:
        if self._mark() != self.application_id:
            self.change(f"PRAGMA application_id = {self.application_id}")

    def _mark(self) -> object:
        return self.read("PRAGMA application_id")[0][0]

    def _keep_copy(self, version: int) -> None:
        """Keep the store as it is, beside it, before anything of it is changed; a copy that has its name is whole."""
        copy = self.path.with_name(f"{self.path.name}.v{version}")
        try:
            if not copy.exists():
                self._copy_to(copy)
        except (OSError, StoreUnavailable) as error:
            if not copy.exists():  # another process has made it, and has removed what it took for a killed one's
                raise _unavailable(self.path, str(error)) from error
        from shutil import rmtree

        for left in copy.parent.glob(f"{copy.name}.part-*"):
            rmtree(left, ignore_errors=True)

    def _copy_to(self, copy: Path) -> None:
        from tempfile import TemporaryDirectory

        with TemporaryDirectory(prefix=f"{copy.name}.part-", dir=copy.parent) as directory:
            part = Path(directory) / copy.name
            self.change("VACUUM INTO ?", (str(part),))
            part.chmod(0o600)
            files.sync(part)
            part.replace(copy)
        files.sync(copy.parent)

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
                hint=KEEP_IT,
            ) from error
        raise _unavailable(path, text) from error


def _unavailable(path: Path, reason: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The store {path} cannot be used: {reason}.",
        hint="Run as the user that owns it (often: sudo telemetry ...), or name another with TELEMETRY_STORE.",
    )
