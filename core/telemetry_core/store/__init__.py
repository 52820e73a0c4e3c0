"""What must outlive a process: consent, bases, reports and outcomes, in a file or on a server that nodes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from telemetry_core.config import Url
from telemetry_core.errors import AlreadySending, StoreError, StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Database, Place
from telemetry_core.store.leases import Lease, Leases
from telemetry_core.store.reports import Reports
from telemetry_core.store.sqlite import File
from telemetry_core.store.tables import Consents, Contacts, Ledgers, Licenses, Properties

__all__ = ["Lease", "Place", "Store"]


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.place = database.place
        self.properties = Properties(database)
        self.licenses = Licenses(database)
        self.consents = Consents(database)
        self.contacts = Contacts(database)
        self.ledgers = Ledgers(database)
        self.reports = Reports(database)
        self.leases = Leases(database)

    @classmethod
    def for_writing(cls, place: Place, now: Millis) -> Store:
        """Open the store, and make it where there is none.

        Args:
            place: A file, which is made 0600 in a directory 0700; or a database of PostgreSQL, where a schema
                `telemetry` is made for it.
            now: For the record of what was made.

        Raises:
            StoreError: This user cannot, or it is no store, or it is damaged or too new.
            ConfigurationError: The driver of the database is not installed.
        """
        if not isinstance(place, Url):
            return cls(File.create(place, now))
        server = _connect(place)
        with _closed_on_failure(server):
            server.migrate(now)
        return cls(server)

    @classmethod
    def for_reading(cls, place: Place, now: Millis) -> Store:
        """Open the store as far as this user may; an empty one where there is none, and none is made.

        Raises:
            StoreError: There is one that cannot be read.
            ConfigurationError: The driver of the database is not installed.
        """
        if not isinstance(place, Url):
            return cls(File.existing(place, now))
        server = _connect(place)
        with _closed_on_failure(server):
            if server.version() > 0:
                server.migrate(now)
                return cls(server)
        server.close()
        return cls(File.nowhere(now))

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are made, or none, and nobody else changes anything meanwhile."""
        return self._database.transaction()

    def verify(self) -> tuple[int, int]:
        """Check both chains and everything that has a digest; how many decisions and documents there are.

        Raises:
            StoreDamaged: Something is gone, or not as it was written.
        """
        with self._database.snapshot():
            self.properties.verify()
            self.ledgers.verify()
            return len(self.consents.history()), self.reports.verify()

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Hold the kernel's lock of those who send from a file; it ends with the process, however that ends.

        A store on a server has none: nodes send for several installations at once, and what keeps two of them from
        sending the same report is its lease.

        Raises:
            AlreadySending: Another process holds it.
            StoreUnavailable: The lock's file cannot be made.
        """
        if isinstance(self.place, Path):
            with _locked(self.place):
                yield
        else:
            yield


def _connect(place: Url) -> Database:
    from telemetry_core.store.postgresql import Server

    return Server.connect(place)


@contextmanager
def _closed_on_failure(database: Database) -> Iterator[None]:
    try:
        yield
    except StoreError:
        database.close()
        raise


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(path.name + ".lock"), mode=0o600, blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise AlreadySending("Another process is sending.", hint="Nothing is to be done; it will finish.") from None
    except OSError as error:
        raise StoreUnavailable(
            f"The lock beside the store {path} cannot be made: {error.strerror}.",
            hint="The directory of the store must be writable for this user.",
        ) from error
    try:
        yield
    finally:
        with suppress(OSError):  # what was done is done, and the kernel lets it go with the process
            lock.release()
