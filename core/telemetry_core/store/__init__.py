"""What must outlive a process: consent, bases, reports and outcomes, in a file or on a server that nodes share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_core.config import Url
from telemetry_core.errors import AlreadySending, StoreDamaged, StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Database, Place, closed_on_failure
from telemetry_core.store.leases import Lease, Leases
from telemetry_core.store.marker import Marker
from telemetry_core.store.reports import Reports
from telemetry_core.store.sqlite import File, set_aside
from telemetry_core.store.tables import Consents, Contacts, Ledgers, Licenses, Properties

if TYPE_CHECKING:
    from telemetry_core.store.postgresql import Server

__all__ = ["Lease", "Place", "Store"]

_LOST = "lost"


class Store:
    """An open store. Use it as a context manager.

    Attributes:
        place: Where it is.
        begun_anew: Whether this opening has put it in the place of one that is lost.
    """

    def __init__(self, database: Database, *, begun_anew: bool = False) -> None:
        self._database = database
        self.begun_anew = begun_anew
        self.place = database.place
        self.properties = Properties(database)
        self.licenses = Licenses(database)
        self.consents = Consents(database)
        self.contacts = Contacts(database)
        self.ledgers = Ledgers(database)
        self.reports = Reports(database)
        self.leases = Leases(database)

    @classmethod
    def for_writing(cls, place: Place, now: Millis, *, markers: Path | None = None) -> Store:
        """Open the store, and make it where there is none; one that was there before is noted as lost (DESIGN §6).

        Args:
            place: A file, which is made 0600 in a directory 0700; or a database of PostgreSQL, where a schema
                `telemetry` is made for it.
            now: For the record of what was made.
            markers: Where the marker of a store on a server is kept on this host; None for nowhere.

        Raises:
            StoreError: This user cannot, or it is no store, or it is damaged or too new.
            ConfigurationError: The driver of the database is not installed.
        """
        marker = Marker.of(place, markers)
        database = _connect(place) if isinstance(place, Url) else File.create(place)
        with closed_on_failure(database):
            begun_anew = _bring_up_to_date(database, now, was_there=marker.is_there)
            with suppress(StoreUnavailable) if isinstance(place, Url) else nullcontext():
                marker.make()  # of a store on a server it is a help of this host, not a part
        return cls(database, begun_anew=begun_anew)

    @classmethod
    def for_reading(cls, place: Place, now: Millis, *, markers: Path | None = None) -> Store:
        """Open the store as far as this user may; an empty one where there is none, and none is made.

        Raises:
            StoreError: There is one that cannot be read.
            ConfigurationError: The driver of the database is not installed.
        """
        database = _existing(place)
        if database is not None:
            return cls(database)
        empty = File.nowhere()
        _bring_up_to_date(empty, now, was_there=Marker.of(place, markers).is_there)
        return cls(empty)

    @classmethod
    def set_aside(cls, place: Place, now: Millis, *, markers: Path | None = None) -> str | None:
        """Put a damaged store out of the way, where it is kept, and begin another one in its place.

        Returns:
            The new name of its file or schema; None where nothing is damaged (another process has done it), or where no
            store of ours is known to have been: then it may be another program's.

        Raises:
            AlreadySending: Another process is sending from it.
            StoreError: This user cannot.
        """
        if not Marker.of(place, markers).is_there:
            return None
        kept = cls._moved(place, now)
        if kept is not None:
            cls.for_writing(place, now, markers=markers).__exit__()
        return kept

    @classmethod
    def _moved(cls, place: Place, now: Millis) -> str | None:
        if isinstance(place, Path):
            with _locked(place):
                return None if cls._is_sound(place) else str(set_aside(place, now))
        server = _connect(place)
        try:
            identity = server.identity()
            return None if cls._is_sound(place) else server.set_aside(identity, now)
        finally:
            server.close()

    @classmethod
    def _is_sound(cls, place: Place) -> bool:
        try:
            database = _existing(place)
            if database is not None:
                with cls(database) as store:
                    store.verify()
        except StoreDamaged:
            return False
        return True

    @cached_property
    def lost_at(self) -> Millis | None:
        """When it was noticed that the store before this one is lost; None where this is the first.

        That never changes of a store, and each look at the consent asks it.
        """
        text = self.properties.get("", _LOST)
        return None if text is None else int(text)

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
        self._database.check()
        with self._database.snapshot():
            self.properties.verify()
            self.ledgers.verify()
            self.contacts.verify()
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


def _connect(place: Url) -> Server:
    from telemetry_core.store.postgresql import Server

    return Server.connect(place)


def _existing(place: Place) -> Database | None:
    """The database as it is; None where there is none with a store in it.

    Raises:
        StoreError: There is one that this user, or this release, cannot read.
    """
    if not isinstance(place, Url):
        file = File.existing(place)
        if file is None:
            return None
        database: Database = file
    else:
        database = _connect(place)
    with closed_on_failure(database):
        if database.has_store():
            return database
    database.close()
    return None


def _bring_up_to_date(database: Database, now: Millis, *, was_there: bool) -> bool:
    """Bring a store to this release; True where it is a new one in the place of one that is lost."""

    def begun() -> None:
        if was_there:
            Properties(database).put("", _LOST, str(now))

    return database.migrate(now, begun) and was_there


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
