"""The connection to a PostgreSQL server that several nodes share: whole transactions, each limited in time by itself.

Nothing is set for a session, so that a pooler may give each transaction another one.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self

from telemetry_core.config import Url
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Millis
from telemetry_core.store import postgresql_errors
from telemetry_core.store.database import Database, Row
from telemetry_core.store.dialects import POSTGRESQL

if TYPE_CHECKING:
    from psycopg import Connection

SCHEMA = "telemetry"
"""The schema of the store's tables."""

_LIMITS = (
    "; SET LOCAL search_path = {schema}, pg_temp"
    "; SET LOCAL statement_timeout = '10s'"
    "; SET LOCAL lock_timeout = '10s'"
    "; SET LOCAL idle_in_transaction_session_timeout = '30s'"  # a node that stands still lets the others go on
)
_READ = "BEGIN ISOLATION LEVEL READ COMMITTED" + _LIMITS
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ" + _LIMITS
DURABLE = "SELECT set_config('synchronous_commit', 'local', true) WHERE current_setting('synchronous_commit') = 'off'"
"""At the beginning of a transaction: its end waits for the disk."""

ALONE = "SELECT pg_advisory_xact_lock(2115911289, 1)"
"""One who writes at a time, as with SQLite: whatever is read after it still holds when it is written. The lock is the
transaction's and ends with it. Read committed, so that what is read after waiting for it is what others have left."""

_WRITE = f"{_READ}; {DURABLE}; {ALONE}"
PATIENCE = 40.0
"""Seconds for a whole transaction; more than the server's own limits."""

_SILENT_SERVER = {  # seconds, and milliseconds, until one that is gone without a word is given up
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


class Server(Database):
    """One connection to a server."""

    dialect = POSTGRESQL
    schema: ClassVar[str] = SCHEMA

    def __init__(self, url: Url, connection: Connection[Row]) -> None:
        super().__init__(url)
        self._url = url
        self._connection = connection

    @classmethod
    def connect(cls, url: Url) -> Self:
        """Connect; without a password in the URL, libpq's own places are asked for one.

        Raises:
            ConfigurationError: The driver is not installed, or the URL has what no connection can be made from.
            StoreUnavailable: The server gives no connection.
        """
        try:
            import psycopg
            from psycopg.conninfo import conninfo_to_dict
        except ImportError:
            raise ConfigurationError(
                "store: the driver for PostgreSQL is not installed.",
                hint="Install it with: pip install 'telemetry-admin[postgresql]'",
            ) from None
        try:
            said = conninfo_to_dict(url.text)
        except psycopg.Error:
            raise ConfigurationError(
                f"store: {url} is not a URL of a database.", hint='Write it as "postgresql://user@host:5432/name".'
            ) from None
        password = None if url.password is None else url.password.reveal()
        arguments: dict[str, Any] = {**_SILENT_SERVER, "fallback_application_name": "telemetry", **said}
        arguments |= {key: value for key, value in (("user", url.username), ("password", password)) if value}
        with translated(url, cls.schema):
            return cls(url, psycopg.connect("", autocommit=True, prepare_threshold=None, **arguments))

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def read(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with self._inside(_READ), translated(self._url, self.schema):
            return self._connection.execute(self.dialect.statement(statement).encode(), values or None).fetchall()

    def change(self, statement: str, values: Sequence[object] = ()) -> int:
        """Run a statement, in a transaction of the caller or in one of its own; the number of rows it changed."""
        with self.transaction(), translated(self._url, self.schema):
            return self._connection.execute(self.dialect.statement(statement).encode(), values or None).rowcount

    def transaction(self) -> AbstractContextManager[None]:
        """All changes inside are made, or none; other nodes that want to change something wait for its end."""
        return self._inside(_WRITE)

    def snapshot(self) -> AbstractContextManager[None]:
        """All reads inside see the same moment."""
        return self._inside(_SNAPSHOT)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Cut the connection to a server, or a pooler, that does not answer: its own limits cannot end that."""
        timer = threading.Timer(PATIENCE, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        import psycopg

        with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _inside(self, begin: str) -> Iterator[None]:
        from psycopg.pq import TransactionStatus

        inside = (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
            TransactionStatus.ACTIVE,
        )  # the last in a pipeline
        if self._connection.info.transaction_status in inside:
            yield
            return
        with self._watched():
            try:
                with translated(self._url, self.schema):
                    self._connection.execute(begin.format(schema=self.schema).encode(), prepare=False)
                yield
                with translated(self._url, self.schema):
                    self._connection.execute("COMMIT")
            except BaseException:
                self._give_up()
                raise

    def _give_up(self) -> None:
        """End a transaction without its changes; a connection that does not even do that is closed, which does."""
        import psycopg

        try:
            self._connection.execute("ROLLBACK")
        except psycopg.Error:
            with suppress(psycopg.Error):
                self._connection.close()

    def check(self) -> None:
        """PostgreSQL looks at what it reads by itself."""

    def identity(self) -> object:
        """What tells this schema from another of the same name; None where there is none."""
        found = self.read("SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ?", (self.schema,))
        return found[0][0] if found else None

    def set_aside(self, identity: object, now: Millis) -> str | None:
        """Rename the schema, so that it is kept and another can take its place; None where that was done already.

        Args:
            identity: Of the schema that is meant.
            now: For its new name.

        Raises:
            StoreUnavailable: The schema is not this user's.
        """
        with self.transaction():
            if self.identity() != identity:
                return None
            kept = f"{self.schema}_damaged_{now}_{identity}"
            self.change(f"ALTER SCHEMA {self.schema} RENAME TO {kept}")
        return kept

    def _keep_copy(self, version: int) -> None:
        """The server's own backups are for that; a migration that fails leaves everything as it was."""

    def _make_room(self) -> None:
        """A schema of our own, unless the administrator has made it; never among the tables of others."""
        if self.identity() is None:
            self.change(f"CREATE SCHEMA {self.schema}")


@contextmanager
def translated(url: Url, schema: str) -> Iterator[None]:
    """Make the store's errors of the driver's."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise postgresql_errors.explain(error, url, schema) from None  # not from it: it knows the password
