"""What a store needs of its database, whichever it is: statements, transactions, and the migrations to this release."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from telemetry_core.config import Url
from telemetry_core.errors import StoreTooNew
from telemetry_core.model import Millis
from telemetry_core.store.dialects import Dialect

_MIGRATIONS = Path(__file__).parent / "migrations"

Row = tuple[object, ...]
Place = Path | Url


class Database(ABC):
    """One open database; its errors are those of the one tree."""

    dialect: Dialect

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
    def _keep_copy(self, version: int) -> None:
        """Keep the store of an older release as it is, where that can be done, before anything of it is changed."""

    @abstractmethod
    def _make_room(self) -> None:
        """Make the place for the tables where there are none; inside the transaction of the first migration."""

    def version(self) -> int:
        """The number of the last migration, 0 where there was none."""
        if not self.read(self.dialect.has_migrations):
            return 0
        version = self.read(f"SELECT max(version) FROM {self.dialect.migrations}")[0][0]  # noqa: S608  # a constant
        return version if isinstance(version, int) else 0

    def migrate(self, now: Millis) -> None:
        """Bring the store to this release, in one transaction: of many who try at once, one does.

        Raises:
            StoreTooNew: A newer release has written it.
        """
        scripts = {int(file.stem): file for file in sorted(_MIGRATIONS.glob("*.sql"))}
        newest = max(scripts)
        version = self._known_version(newest)
        if version == newest:
            return
        if version > 0:
            self._keep_copy(version)
        with self.transaction():
            version = self._known_version(newest)
            if version == 0:
                self._make_room()
            for number in range(version + 1, newest + 1):
                for statement in self.dialect.definitions(scripts[number].read_text(encoding="utf-8")):
                    self.change(statement)
                self.change("INSERT INTO migration (version, applied_at) VALUES (?, ?)", (number, now))

    def _known_version(self, newest: int) -> int:
        version = self.version()
        if version > newest:
            raise StoreTooNew(
                f"The store {self.place} was written by a newer release.", hint="Install that release, or a newer one."
            )
        return version
