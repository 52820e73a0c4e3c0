"""Where reports are kept: in a file of SQLite or a schema of PostgreSQL, by the same statements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from telemetry_collector import judging
from telemetry_collector.judging import Known
from telemetry_collector.limits import Buckets
from telemetry_collector.model import History, Ruling, State, Submission, Verdict
from telemetry_collector.report import DECODER
from telemetry_collector.store.bodies import Bodies
from telemetry_collector.store.database import CollectorDatabase
from telemetry_collector.store.decisions import Decision, Decisions
from telemetry_collector.store.evidence import Evidence
from telemetry_collector.store.fleet import Fleet
from telemetry_collector.store.hashes import Hashes
from telemetry_collector.store.listing import Listing, Stored, Wanted
from telemetry_collector.store.receipts import Receipts
from telemetry_collector.store.sqlite import CollectorFile, gone, identity
from telemetry_collector.store.totals import Totals
from telemetry_collector.suspicion import FLOOD_BURST, FLOOD_RATE, calls_for_history
from telemetry_core.config import Url
from telemetry_core.errors import StoreUnavailable
from telemetry_core.model import Millis
from telemetry_core.store.database import Place, closed_on_failure

__all__ = ["Decision", "Kept", "Store", "Stored", "Wanted", "gone"]

_PAGE = 500


class Kept(msgspec.Struct, frozen=True):
    """A stored report with its body."""

    id: str
    received_at: Millis
    state: State
    reason: str
    sha256: str
    body: bytes


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, database: CollectorDatabase) -> None:
        self._database = database
        self.place = database.place
        self.bodies = Bodies(database)
        self.hashes = Hashes(database)
        self.totals = Totals(database)
        self._evidence = Evidence(self.bodies, self.hashes)
        self.fleet = Fleet(database, self.bodies)
        self.listing = Listing(database)
        self._receipts = Receipts(database)
        self.decisions = Decisions(database, self._receipts, self.bodies, self.fleet)
        self._floods = Buckets(rate=FLOOD_RATE, burst=FLOOD_BURST)

    @classmethod
    def for_writing(cls, place: Place, now: Millis, *, again: bool = False) -> Store:
        """Open the store, and make it where there is none.

        Args:
            place: A file, made 0600 in a directory 0700; or a database of PostgreSQL, where a schema
                `telemetry_collector` is made for it.
            now: For the record of migrations.
            again: It was there before, and is not made anew: a service that goes on with an empty store would count
                everything a second time.

        Raises:
            StoreError: This user cannot, or it is another store than that of this service, or damaged, or too new.
            ConfigurationError: The driver of the database is not installed.
        """
        if again and isinstance(place, Path) and identity(place) is None:
            raise gone(place)
        database = _connect(place) if isinstance(place, Url) else CollectorFile.create(place)
        with closed_on_failure(database):
            if again and not database.has_store():
                raise gone(place)
            database.migrate(now, lambda: None)
            store = cls(database)
            store.bodies.note_made()
            store.hashes.note_made()
            store._forget_lost()
        return store

    @classmethod
    def for_deciding(cls, place: Place, now: Millis) -> Store:
        """Open the store for decisions, beside a service that may be writing it; one that is not there is not made.

        Raises:
            StoreError: There is none, or this user cannot.
            ConfigurationError: The driver of the database is not installed.
        """
        if isinstance(place, Path) and identity(place) is None:
            raise StoreUnavailable(
                f"There is no store at {place}.", hint="Name it with --store; `telemetry collector serve` makes it."
            )
        return cls.for_writing(place, now, again=True)

    @classmethod
    def for_reading(cls, place: Place) -> Store | None:
        """Open the store as far as this user may; None where there is none.

        Raises:
            StoreError: There is one that cannot be read.
            ConfigurationError: The driver of the database is not installed.
        """
        database = _connect(place) if isinstance(place, Url) else CollectorFile.existing(place)
        if database is None:
            return None
        with closed_on_failure(database):
            if database.has_store():
                return cls(database)
        database.close()
        return None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self._database.close()

    def commit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """Judge submissions and store what is new, in one transaction; what is returned is on the disk.

        Raises:
            StoreError: Nothing of it was stored, or nobody knows.
        """
        with self._database.together():
            held, next_number = self._receipts.matching(submissions)
            known = Known(
                self._evidence.beside(held, submissions),
                next_number,
                histories=self._histories(submissions),
                is_flooding=lambda installation, now: self._floods.take(installation, now) > 0,
            )
            verdicts = judging.judge_all(submissions, known)
            new = [
                (verdict.held, submission)
                for verdict, submission in zip(verdicts, submissions, strict=True)
                if verdict.ruling is Ruling.STORED
            ]
            self._receipts.add(verdicts)
            self.bodies.add((held.number, held.received_at, one.body) for held, one in new)
            self.hashes.add((held.number, one.hashes[0]) for held, one in new if one.hashes)
        return verdicts

    def _histories(self, submissions: Sequence[Submission]) -> Mapping[str, History]:
        """What installations have sent before, where that can make a difference, up to this moment."""
        wanted = {one.installation for one in submissions if one.installation and calls_for_history(one.facts)}
        if not wanted:
            return {}
        self.fleet.follow()
        return self.fleet.histories(wanted)

    def _forget_lost(self) -> None:
        """Forget hashes of a store that is lost: the reports of this one get the same numbers again."""
        with self._database.transaction():
            ((newest,),) = self._database.read("SELECT coalesce(max(number), 0) FROM receipt")
            self.hashes.forget_after(int(str(newest)))

    def beat(self, now: Millis) -> None:
        """Commit something, to see whether that can be done.

        Raises:
            StoreError: It cannot.
        """
        with self._database.transaction():
            self._database.change(
                "INSERT INTO heartbeat (number, beaten_at) VALUES (1, ?)"
                " ON CONFLICT (number) DO UPDATE SET beaten_at = excluded.beaten_at",
                (now,),
            )
            self._database.beat_hashes()

    def look(self) -> None:
        """See whether the store is still in its place; it costs next to nothing.

        Raises:
            StoreUnavailable: It was removed or replaced.
        """
        self._database.look()

    def reports(self) -> Iterator[Kept]:
        """Every report whose body is still there, the oldest first, read by and by.

        Raises:
            StoreError: The store cannot be read.
        """
        columns = "receipt.number, id, received_at, state, reason, sha256"
        for month in self.bodies.months():
            after = 0
            while page := list(self.bodies.joined(columns, month, after, _PAGE)):
                for (number, name, received_at, state, reason, sha256), body in page:
                    after = int(str(number))
                    yield Kept(str(name), int(str(received_at)), State(str(state)), str(reason), str(sha256), body)

    def sum_up(self, month: str) -> bool:
        """Put some bodies of a month into the daily totals, and drop its table where there is none, as one change.

        Returns:
            False where that table is to be dropped, but is read by somebody: it is to be tried again later.

        Raises:
            StoreError: Nothing of it was done.
        """
        with self._database.transaction():
            if month not in self.bodies.months():
                return True  # another collector was faster
            page = list(self.bodies.joined("receipt.number, received_at, state", month, 0, _PAGE))
            counted = [(int(str(row[1])), body) for row, body in page if row[2] == State.COUNTED]
            self.totals.add((received_at, DECODER.decode(body)) for received_at, body in counted)
            return self.bodies.remove(month, [int(str(row[0])) for row, _ in page])


def _connect(place: Url) -> CollectorDatabase:
    from telemetry_collector.store.postgresql import CollectorServer

    return CollectorServer.connect(place)
