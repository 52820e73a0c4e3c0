"""What must outlive a process: consent, bases, reports and their outcomes, in one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from telemetry_core.errors import AlreadySending, StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Database
from telemetry_core.store.reports import Reports
from telemetry_core.store.tables import Consents, Contacts, Ledgers, Licenses, Properties


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.path = database.path
        self.properties = Properties(database)
        self.licenses = Licenses(database)
        self.consents = Consents(database)
        self.contacts = Contacts(database)
        self.ledgers = Ledgers(database)
        self.reports = Reports(database)

    @classmethod
    def for_writing(cls, path: Path, now: Millis) -> Store:
        """Open the store, and make it where there is none: the file 0600 in a directory 0700.

        Raises:
            StoreError: This user cannot, or it is no store, or it is damaged or too new.
        """
        return cls(Database.create(path, now))

    @classmethod
    def for_reading(cls, path: Path, now: Millis) -> Store:
        """Open the store as far as this user may; an empty one where there is none, and none is made.

        Raises:
            StoreError: There is one that cannot be read.
        """
        return cls(Database.existing(path, now))

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are made, or none."""
        return self._database.transaction()

    def verify(self) -> tuple[int, int]:
        """Check both chains and everything that has a digest; how many decisions and documents there are.

        Raises:
            StoreDamaged: Something is gone, or not as it was written.
        """
        self.properties.verify()
        self.ledgers.verify()
        return len(self.consents.history()), self.reports.verify()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold the kernel's lock of those who send; it ends with the process, however that ends.

        Raises:
            AlreadySending: Another process holds it.
            StoreUnavailable: The lock's file cannot be made.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(self.path.name + ".lock"), mode=0o600, blocking=False)
        try:
            lock.acquire()
        except Timeout:
            raise AlreadySending("Another process is sending.", hint="Nothing is to be done; it will finish.") from None
        except OSError as error:
            raise StoreUnavailable(
                f"The lock beside the store {self.path} cannot be made: {error.strerror}.",
                hint="The directory of the store must be writable for this user.",
            ) from error
        try:
            yield
        finally:
            with suppress(OSError):  # what was done is done, and the kernel lets it go with the process
                lock.release()
