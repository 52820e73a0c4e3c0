"""One connection to an engine's database: read-only transactions, every statement and the whole limited in time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from telemetry_core import files
from telemetry_core.config import Engine
from telemetry_core.engines import sql_errors
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Clock

if TYPE_CHECKING:
    import sqlalchemy as sa

    Query: TypeAlias = sa.Select[*tuple[Any, ...]]
    Row: TypeAlias = sa.Row[*tuple[Any, ...]]

_DRIVERS = {  # scheme of the URL: SQLAlchemy's dialect and driver, and our extra that brings the driver
    "postgresql": ("postgresql+psycopg", "postgresql"),
    "postgres": ("postgresql+psycopg", "postgresql"),
    "mysql": ("mysql+pymysql", "mysql"),
    "mariadb": ("mysql+pymysql", "mysql"),
}
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
        self._watchdog = _Watchdog(self._limit + _GRACE)
        self._pool = _pool(engine, _arguments(engine, self._limit), self._watchdog)

    def __enter__(self) -> Connection:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._connection = self._pool.connect().execution_options(postgresql_readonly=True)
        except SQLAlchemyError as error:
            self._watchdog.stop()
            raise Unread(sql_errors.explain(error, "", seconds=self._limit)) from None
        return self

    def __exit__(self, *_: object) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        self._watchdog.stop()
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

        try:
            if not self._connection.in_transaction():
                self._begin()
            return self._connection.execute(statement).all()
        except SQLAlchemyError as error:
            self._give_up()
            reason = sql_errors.explain(error, table, seconds=self._limit)
            raise Unread(reason, absent=sql_errors.says_absent(error)) from None

    def version(self) -> tuple[str, str]:
        """Vendor and version as the engine's JDBC driver says them (facts §5.7)."""
        import sqlalchemy as sa

        dialect = self._connection.dialect
        if dialect.name == "postgresql":
            setting = sa.func.current_setting("server_version")
            return "PostgreSQL", str(self.rows(sa.select(setting), "server_version")[0][0])
        vendor = "MariaDB" if getattr(dialect, "is_mariadb", False) else "MySQL"
        return vendor, str(self.rows(sa.select(sa.func.version()), "version()")[0][0])

    def _begin(self) -> None:
        """Begin a transaction with what is left of the time; a lock is waited for during a third of it."""
        left = max(self._ends_at - self._clock.monotonic(), 0.001)
        if self._connection.dialect.name == "postgresql":
            limits = f"set_config('statement_timeout', '{round(left * 1000)}ms', true)"
            limits += f", set_config('lock_timeout', '{max(round(left * 333), 1)}ms', true)"
            self._connection.exec_driver_sql(f"SELECT {limits}")  # as SET LOCAL, in one statement
            return
        maria = getattr(self._connection.dialect, "is_mariadb", False)
        limit = f"max_statement_time = {left:.3f}" if maria else f"max_execution_time = {max(round(left * 1000), 1)}"
        lock = max(round(left / 3), 1)
        self._connection.exec_driver_sql(f"SET SESSION {limit}, lock_wait_timeout = {lock}")
        self._connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        self._connection.rollback()

    def _give_up(self) -> None:
        """End a failed transaction, so that the next statement has one of its own."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            self._connection.rollback()
        except SQLAlchemyError:
            self._connection.invalidate()


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


def _arguments(engine: Engine, limit: float) -> Mapping[str, object]:
    """Arguments of the driver; psycopg takes whole seconds, at least 2, and no statement is prepared for a pooler."""
    seconds = max(round(limit), 1)
    if _driver(engine)[0].startswith("postgresql"):
        return {"connect_timeout": max(seconds, 2), "prepare_threshold": None, "application_name": "telemetry"}
    return {"connect_timeout": seconds, "read_timeout": seconds + 1, "write_timeout": seconds + 1}


def _driver(engine: Engine) -> tuple[str, str]:
    scheme = "" if engine.database is None else engine.database.text.partition("://")[0].partition("+")[0]
    if scheme not in _DRIVERS:
        raise ConfigurationError(
            f"engines.{engine.entry}.database: there is no driver for {scheme}.",
            hint=f"Known are: {', '.join(_DRIVERS)}.",
        )
    return _DRIVERS[scheme]


def _pool(engine: Engine, arguments: Mapping[str, object], watchdog: _Watchdog) -> sa.Engine:
    driver, extra = _driver(engine)
    database = engine.database
    password = None if engine.database_password_file is None else files.read_secret(engine.database_password_file)
    if database is None:
        raise ConfigurationError(f"Engine {engine.entry} has no database.")
    password = password or database.password
    try:
        import sqlalchemy as sa

        url = sa.make_url(driver + "://" + database.text.partition("://")[2])
        url = url.set(username=database.username, password=None if password is None else password.reveal())
        postgresql: dict[str, Any] = {"use_native_hstore": False} if extra == "postgresql" else {}
        pool = sa.create_engine(url, poolclass=sa.NullPool, connect_args=dict(arguments), **postgresql)
    except ImportError:
        raise ConfigurationError(
            f"engines.{engine.entry}.database: its driver is not installed.",
            hint=f"Install it with: pip install 'telemetry-admin[database,{extra}]'",
        ) from None
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError(
            f"engines.{engine.entry}.database is not a URL of a database.",
            hint='Write it as "postgresql://user@host:5432/name".',
        ) from None
    if extra == "postgresql":
        sa.event.listen(pool, "connect", lambda connection, _: _restrict(connection, watchdog), insert=True)
    return pool


def _restrict(connection: _Psycopg, watchdog: _Watchdog) -> None:
    """Before SQLAlchemy asks the server anything."""
    connection.read_only = True
    watchdog.watch(connection)
