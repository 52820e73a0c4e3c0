"""What a store needs of its database, whichever it is: statements, transactions, and the migrations to this release."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ClassVar

from telemetry_core.config import Url
from telemetry_core.errors import StoreDamaged, StoreError, StoreForeign, StoreTooNew
from telemetry_core.model import Millis
from telemetry_core.store.dialects import Dialect

Row = tuple[object, ...]
Place = Path | Url


class Database(ABC):
    """One open database; its errors are those of the one tree.

    Attributes:
        migrations: The directory of the numbered scripts.
        readable_from: The newest migration of the release before this one (of this one as long as it is the first):
            what it can read.
    """

    dialect: Dialect
    migrations: ClassVar[Path] = Path(__file__).parent / "migrations"
    readable_from: ClassVar[int] = 4

    def __init__(self, place: Place) -> None:
        self.place = place

    @abstractmethod
    def close(self) -> None:
        """End it."""

    @abstractmethod
    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""

    @abstractmethod
    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement, in a transaction of the caller or in one of its own; the number of rows it changed."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are made, or none, and nobody else changes anything from its first read to its end.

        Inside another transaction it is part of that one.
        """

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """All reads inside see the same moment."""

    @abstractmethod
    def check(self) -> None:
        """Let the database look for damage in what it keeps beside our rows.

        Raises:
            StoreDamaged: It has found some.
        """

    @abstractmethod
    def _keep_copy(self, version: int) -> None:
        """Keep the store of an older release as it is, where that can be done, before anything of it is changed."""

    @abstractmethod
    def _make_room(self) -> None:
        """Make the place for the tables where there are none; inside the transaction of the first migration."""

    def version(self) -> int:
        """The number of the last migration, 0 where there is no store yet.

        Raises:
            StoreDamaged: There are tables, but not that of migrations.
            StoreForeign: It is the store of the other program.
        """
        tables = [str(name) for (name,) in self.read(self.dialect.tables)]
        if self.dialect.foreign in tables:
            raise foreign(self.place)
        if "migration" not in tables:
            if tables:
                raise StoreDamaged(
                    f"{self.place} has tables, but no store of telemetry.",
                    hint="If it is another program's, name another place with TELEMETRY_STORE.",
                )
            return 0
        version = self.read(f"SELECT max(version) FROM {self.dialect.migrations}")[0][0]  # noqa: S608  # a constant
        return version if isinstance(version, int) else 0

    def migrate(self, now: Millis, begun: Callable[[], None]) -> bool:
        """Bring the store to this release, in one transaction: of many who try at once, one does.

        Args:
            now: For the record.
            begun: Called in that transaction where there was no store before.

        Returns:
            Whether there was none before.

        Raises:
            StoreTooNew: A newer release has written it.
        """
        scripts = self._scripts()
        newest = max(scripts)
        version = self._version_to_write(newest)
        if version == newest:
            return False
        if version > 0:
            self._keep_copy(version)
        with self.transaction():
            version = self._version_to_write(newest)
            if version == 0:
                self._make_room()
            for number in range(version + 1, newest + 1):
                for statement in self.dialect.definitions(scripts[number].read_text(encoding="utf-8")):
                    self.change(statement)
                self.change("INSERT INTO migration (version, applied_at) VALUES (?, ?)", (number, now))
            self.change("UPDATE migration SET readable_from = ? WHERE version = ?", (self.readable_from, newest))
            if version == 0:
                begun()
        return version == 0

    def has_store(self) -> bool:
        """Whether there is a store in it, which this release can read: it is older, or one release newer at most.

        Raises:
            StoreDamaged: There are tables, but not that of migrations.
            StoreTooNew: It is newer.
        """
        newest, version = max(self._scripts()), self.version()
        if version > newest:
            found = self.read("SELECT readable_from FROM migration WHERE version = ?", (version,))
            if not isinstance(found[0][0], int) or found[0][0] > newest:
                raise self._too_new()
        return version > 0

    def _version_to_write(self, newest: int) -> int:
        version = self.version()
        if version > newest:
            raise self._too_new()
        return version

    def _scripts(self) -> dict[int, Path]:
        return {int(file.stem): file for file in sorted(self.migrations.glob("*.sql"))}

    def _too_new(self) -> StoreTooNew:
        return StoreTooNew(
            f"The store {self.place} was written by a newer release.", hint="Install that release, or a newer one."
        )


@contextmanager
def closed_on_failure(database: Database) -> Iterator[None]:
    """End a database that could not be made ready."""
    try:
        yield
    except StoreError:
        database.close()
        raise


def foreign(place: Place) -> StoreForeign:
    """The error for a store that is the other program's; there are two, so that its name need not be said."""
    return StoreForeign(
        f"{place} is a store of telemetry, but of its other program: reporter and receiving service have one each.",
        hint="Name another with TELEMETRY_STORE, or `telemetry collector --store` for the receiving service.",
    )
