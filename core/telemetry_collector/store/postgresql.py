"""The store in a schema of PostgreSQL, which several collectors may share; its log has no hash of an address."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import fields
from typing import TYPE_CHECKING, ClassVar

from telemetry_collector.store.database import MIGRATIONS, READABLE_FROM, CollectorDatabase
from telemetry_collector.store.statements import Arrays
from telemetry_core.store.database import closed_on_failure
from telemetry_core.store.dialects import Dialect, of_schema
from telemetry_core.store.postgresql import ALONE, DURABLE, PATIENCE, Server, translated

if TYPE_CHECKING:
    from psycopg import Connection

    from telemetry_core.config import Url
    from telemetry_core.store.database import Row

SCHEMA = "telemetry_collector"

_PREPARED_AFTER = 5
"""Uses of a statement, after which the server keeps it prepared: the same few are all there is to do."""

_BEGIN = (  # as the reporter's store begins to write, but each statement by itself
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    f"SELECT set_config('search_path', '{SCHEMA}, pg_temp', true), set_config('statement_timeout', '10s', true),"
    " set_config('lock_timeout', '10s', true), set_config('idle_in_transaction_session_timeout', '30s', true),"
    " set_config('enable_seqscan', 'off', true)",  # it knows nothing of a new table, and plans would stay for long
    DURABLE,
    ALONE,
)


class _Wide(Dialect):
    """Numbers of reports may be larger than PostgreSQL's INTEGER."""

    def definitions(self, script: str) -> Iterator[str]:
        """The statements of a migration."""
        return super().definitions(script.replace("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"))


_PLAIN = of_schema(SCHEMA, "telemetry")


class CollectorServer(Server, CollectorDatabase):
    """One connection to a server; its schema is the service's."""

    dialect = _Wide(**{one.name: getattr(_PLAIN, one.name) for one in fields(Dialect)})
    schema = SCHEMA
    migrations = MIGRATIONS
    readable_from = READABLE_FROM
    hash_table: ClassVar[str] = (  # with no statistics of its hashes: they would have values, and are logged
        "DO $$ BEGIN IF to_regclass('{name}') IS NULL THEN"
        " CREATE UNLOGGED TABLE {name} (report BIGINT PRIMARY KEY, hash TEXT NOT NULL);"
        " ALTER TABLE {name} ALTER COLUMN hash SET STATISTICS 0; END IF; END $$"
    )
    hash_tables: ClassVar[str] = _PLAIN.tables
    many = Arrays()

    def __init__(self, url: Url, connection: Connection[Row]) -> None:
        super().__init__(url, connection)
        self._is_together = False
        self._seconds = 0
        self._begun_at: int | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="watch", daemon=True).start()
        with closed_on_failure(self), translated(url, self.schema), self._watched():
            connection.prepare_threshold = _PREPARED_AFTER if _is_direct(connection) else None

    def close(self) -> None:
        """End it."""
        self._closed.set()
        super().close()

    @contextmanager
    def together(self) -> Iterator[None]:
        """A transaction of two exchanges: its beginning goes with its first read, its end with its changes."""
        self._is_together = True
        with self._watched():
            try:
                with translated(self._url, self.schema), self._connection.pipeline():
                    for statement in _BEGIN:
                        self._connection.execute(statement)
                    yield
                    self._connection.execute("COMMIT")
            except BaseException:
                self._give_up()
                raise
            finally:
                self._is_together = False

    @contextmanager
    def _inside(self, begin: str) -> Iterator[None]:
        with nullcontext() if self._is_together else super()._inside(begin):
            yield

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """As in any store, but without a thread for each transaction: here there are hundreds in a second."""
        self._begun_at = self._seconds
        try:
            yield
        finally:
            self._begun_at = None

    def _watch(self) -> None:
        while not self._closed.wait(1):
            self._seconds += 1
            begun_at = self._begun_at
            if begun_at is not None and self._seconds - begun_at > PATIENCE:
                self._cut()

    def drop(self, table: str) -> bool:
        """Drop a table unless somebody reads it, as pg_dump does to its end; who waited would hold the lock of all."""
        with self.transaction():
            self.change(
                f"DO $$ BEGIN LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT; DROP TABLE {table};"
                " EXCEPTION WHEN lock_not_available OR undefined_table THEN NULL; END $$"
            )
            return self.read("SELECT to_regclass(?) IS NULL", (table,)) == [(True,)]

    def beat_hashes(self) -> None:
        """They are where the reports are."""

    def sweep_hashes(self) -> bool:
        """The server has removed the files of the tables; the log never had them."""
        return True


def _is_direct(connection: Connection[Row]) -> bool:
    """Whether it is one to the server: a pooler's has another number, and may lack what was prepared before."""
    return connection.execute("SELECT pg_backend_pid()").fetchone() == (connection.info.backend_pid,)
