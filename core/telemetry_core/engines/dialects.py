"""What differs between databases: drivers and their arguments, limits of time, read-only transactions, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of database.

    Attributes:
        driver: SQLAlchemy's dialect and driver.
        extra: Our extra that brings the driver.
        arguments: Of the driver's `connect`, for a limit in seconds.
        begin: What makes the next transaction read-only and limited in time, from seconds that are left; each a
            statement, and whether it ends what it began.
        vendor: As the engine's JDBC driver says it (facts §5.7).
        version: The expression of its version.
    """

    driver: str
    extra: str
    arguments: Callable[[float], Arguments]
    begin: Callable[[float], Iterator[str]]
    vendor: str
    version: str


def _postgresql_arguments(limit: float) -> Arguments:
    """Whole seconds, at least 2, and no statement is prepared for a pooler."""
    seconds = max(round(limit), 2)
    return {"connect_timeout": seconds, "prepare_threshold": None, "application_name": "telemetry"}


def _postgresql_begin(left: float) -> Iterator[str]:
    """As SET LOCAL, in one statement; the driver makes the transaction read-only."""
    limits = f"set_config('statement_timeout', '{round(left * 1000)}ms', true)"
    yield f"SELECT {limits}, set_config('lock_timeout', '{_lock_milliseconds(left)}ms', true)"


def _mysql_arguments(limit: float) -> Arguments:
    seconds = max(round(limit), 1)
    return {"connect_timeout": seconds, "read_timeout": seconds + 1, "write_timeout": seconds + 1}


def _mysql_begin(left: float) -> Iterator[str]:
    yield f"SET SESSION max_execution_time = {max(round(left * 1000), 1)}, {_mysql_lock(left)}"
    yield "SET SESSION TRANSACTION READ ONLY"


def mariadb_begin(left: float) -> Iterator[str]:
    """MariaDB has the limit of MySQL under another name, and in seconds."""
    yield f"SET SESSION max_statement_time = {left:.3f}, {_mysql_lock(left)}"
    yield "SET SESSION TRANSACTION READ ONLY"


def _oracle_begin(_left: float) -> Iterator[str]:
    """The limit of time is the driver's, for each round trip: see `call_timeout` where the connection is made."""
    yield "SET TRANSACTION READ ONLY"


def _mssql_begin(left: float) -> Iterator[str]:
    """SQL Server has no read-only transaction: only the user's rights keep it from writing."""
    yield f"SET LOCK_TIMEOUT {_lock_milliseconds(left)}"


def _lock_milliseconds(left: float) -> int:
    """A lock is waited for during a third of the time."""
    return max(round(left * 333), 1)


def _mysql_lock(left: float) -> str:
    return f"lock_wait_timeout = {max(round(left / 3), 1)}"


_POSTGRESQL = Dialect(
    "postgresql+psycopg",
    "postgresql",
    _postgresql_arguments,
    _postgresql_begin,
    "PostgreSQL",
    "current_setting('server_version')",
)
_MYSQL = Dialect("mysql+pymysql", "mysql", _mysql_arguments, _mysql_begin, "MySQL", "version()")
_ORACLE = Dialect(
    "oracle+oracledb",
    "oracle",
    lambda limit: {"tcp_connect_timeout": limit},
    _oracle_begin,
    "Oracle",
    "(SELECT banner_full FROM v$version)",
)
_MSSQL = Dialect(
    "mssql+pymssql",
    "mssql",
    lambda limit: {"login_timeout": max(round(limit), 1), "timeout": max(round(limit), 1), "tds_version": "7.3"},
    _mssql_begin,
    "Microsoft SQL Server",
    "CAST(SERVERPROPERTY('ProductVersion') AS VARCHAR(128))",
)

#: By the scheme of a URL.
DIALECTS: Mapping[str, Dialect] = {
    "postgresql": _POSTGRESQL,
    "postgres": _POSTGRESQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "oracle": _ORACLE,
    "mssql": _MSSQL,
    "sqlserver": _MSSQL,
}


def version_of(dialect: Dialect) -> sa.Select[Any]:
    """The statement that asks for the version."""
    import sqlalchemy as sa

    return sa.select(sa.literal_column(dialect.version).label("version"))
