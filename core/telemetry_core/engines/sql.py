"""One connection to an engine's database: read-only transactions, every statement and the whole limited in time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from telemetry_core import files
from telemetry_core.config import Engine
from telemetry_core.engines import dialects, sql_errors
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Clock

if TYPE_CHECKING:
    import sqlalchemy as sa

    from telemetry_core.engines.dialects import Dialect, Query, Row

_Result = TypeVar("_Result")

_SILENT = "the database does not answer any more"
_GRACE = 1.0
"""Seconds after which a server that did not end a statement itself is left."""


class Unread(Exception):
    """Not of the tree, `database.read` makes missing values of it: the text says why something could not be read.

    Attributes:
        absent: Whether there is no such table at all.
    """

    def __init__(self, reason: str, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


class _Psycopg(Protocol):
    """The part of psycopg's connection that is used here."""

    read_only: bool | None

    def fileno(self) -> int:
        """Its socket."""


class Connection:
    """A connection to the database of an engine's entry. Use it as a context manager.

    Raises:
        ConfigurationError: The URL has no known scheme, its driver is not installed, or the password cannot be read.
        Unread: The server gives no connection in time.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._clock = clock
        self._limit = engine.timeout / 1000
        self._ends_at = clock.monotonic() + self._limit
        self._dialect = dialects.of(engine)
        self._watchdog = _Watchdog(self._limit + _GRACE)
        self._pool = _pool(engine, self._dialect, self._watchdog)
        self._lost = ""

    def __enter__(self) -> Connection:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            connection = self._in_time(self._pool.connect)
        except (SQLAlchemyError, TimeoutError) as error:
            self._watchdog.stop()
            raise Unread(sql_errors.explain(error, "", seconds=self._limit)) from None
        self._connection = connection.execution_options(postgresql_readonly=True)
        return self

    def __exit__(self, *_: object) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        self._watchdog.stop()
        if self._lost == _SILENT:
            return  # the thread that still waits has the connection
        try:
            self._connection.close()
        except SQLAlchemyError:
            self._connection.invalidate()  # the server is gone; there is nothing to roll back
        self._pool.dispose()

    def rows(self, statement: Query, table: str) -> Sequence[Row]:
        """What a statement gives.

        Args:
            statement: Bounded by its own condition or limit.
            table: What it reads, for the reason of a failure.

        Raises:
            Unread: It fails, or takes longer than what is left of the time.
        """
        from sqlalchemy.exc import SQLAlchemyError

        if self._lost:
            raise Unread(f"{table} could not be read: {self._lost}")
        try:
            return self._in_time(lambda: self._execute(statement))
        except (SQLAlchemyError, TimeoutError) as error:
            self._give_up(error)
            reason = sql_errors.explain(error, table, seconds=self._limit)
            raise Unread(reason, absent=sql_errors.says_absent(error)) from None

    def version(self) -> tuple[str, str]:
        """Vendor and version of the server.

        Raises:
            Unread: As for rows.
        """
        return self._dialect.version(self._connection.dialect, self.rows)

    def _execute(self, statement: Query) -> Sequence[Row]:
        if not self._connection.in_transaction():
            self._dialect.begin(self._connection, max(self._ends_at - self._clock.monotonic(), 0.001))
        return self._connection.execute(statement).all()

    def _in_time(self, work: Callable[[], _Result]) -> _Result:
        """What work gives. Of a driver that can hang it is not waited for; its thread ends with it or the process.

        Raises:
            TimeoutError: It takes longer than what is left of the time, and a second.
        """
        if not self._dialect.hangs:
            return work()
        outcome: Future[_Result] = Future()

        def run() -> None:
            try:
                outcome.set_result(work())
            except BaseException as error:  # noqa: BLE001  # it is raised again where it is waited for
                outcome.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        return outcome.result(max(self._ends_at - self._clock.monotonic(), 0) + _GRACE)

    def _give_up(self, error: Exception) -> None:
        """End a failed transaction, so that the next statement has one of its own; a lost connection is not renewed."""
        from sqlalchemy.exc import SQLAlchemyError

        if isinstance(error, TimeoutError):
            self._lost = _SILENT
            return
        try:
            self._connection.rollback()
        except SQLAlchemyError:
            self._connection.invalidate()
        if self._connection.invalidated:
            self._lost = "the connection to the database was lost"


class _Watchdog:
    """Shuts the socket of a server that does not answer any more: its own time limits cannot end that."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._bite)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._connection: _Psycopg | None = None

    def watch(self, connection: _Psycopg) -> None:
        """Begin."""
        self._connection = connection
        self._timer.start()

    def stop(self) -> None:
        """End, before the socket's number can be somebody else's."""
        with self._lock:
            self._connection = None
        self._timer.cancel()

    def _bite(self) -> None:
        with self._lock:
            if self._connection is None:
                return
            with socket.socket(fileno=os.dup(self._connection.fileno())) as same:
                same.shutdown(socket.SHUT_RDWR)


def _pool(engine: Engine, dialect: Dialect, watchdog: _Watchdog) -> sa.Engine:
    database = engine.database
    password = None if engine.database_password_file is None else files.read_secret(engine.database_password_file)
    if database is None:
        raise ConfigurationError(f"Engine {engine.entry} has no database.")
    password = password or database.password
    try:
        import sqlalchemy as sa

        url = sa.make_url(dialect.driver + "://" + database.text.partition("://")[2])
        url = url.set(username=database.username, password=None if password is None else password.reveal())
        postgresql: dict[str, Any] = {"use_native_hstore": False} if dialect.extra == "postgresql" else {}
        arguments = dict(dialect.arguments(max(round(engine.timeout / 1000), 1)))
        pool = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments, **postgresql)
    except ImportError:
        raise ConfigurationError(
            f"engines.{engine.entry}.database: its driver is not installed.",
            hint=f"Install it with: pip install 'telemetry-admin[database,{dialect.extra}]'",
        ) from None
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError(
            f"engines.{engine.entry}.database is not a URL of a database.",
            hint='Write it as "postgresql://user@host:5432/name".',
        ) from None
    if dialect.extra == "postgresql":
        sa.event.listen(pool, "connect", lambda connection, _: _restrict(connection, watchdog), insert=True)
    return pool


def _restrict(connection: _Psycopg, watchdog: _Watchdog) -> None:
    """Before SQLAlchemy asks the server anything."""
    connection.read_only = True
    watchdog.watch(connection)
