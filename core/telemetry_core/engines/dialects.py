"""What kinds of databases differ in: driver, limits of time, read-only transactions, and how they say their version."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from telemetry_core.config import Engine
from telemetry_core.errors import ConfigurationError

if TYPE_CHECKING:
    import sqlalchemy as sa

    Query: TypeAlias = sa.Select[*tuple[Any, ...]]
    Row: TypeAlias = sa.Row[*tuple[Any, ...]]
    Ask: TypeAlias = Callable[[Query, str], Sequence[Row]]


class Dialect(ABC):
    """One kind of database.

    Attributes:
        driver: SQLAlchemy's dialect and driver.
        extra: The one of ours that brings the driver.
        length: The function that gives the length of a binary value.
        hangs: Whether the driver can wait for ever, or much longer than it is told, for a server that says nothing.
    """

    driver: ClassVar[str]
    extra: ClassVar[str]
    length: ClassVar[str] = "octet_length"
    hangs: ClassVar[bool] = False

    @abstractmethod
    def arguments(self, seconds: int) -> Mapping[str, object]:
        """Arguments of the driver for a whole number of seconds."""

    @abstractmethod
    def begin(self, connection: sa.Connection, left: float) -> None:
        """Begin a read-only transaction with the seconds that are left; a lock is waited for during a third of them."""

    @abstractmethod
    def version(self, server: sa.Dialect, ask: Ask) -> tuple[str, str]:
        """Vendor and version as the engine's JDBC driver says them (facts §5.7)."""


class PostgreSQL(Dialect):
    """By psycopg, which takes whole seconds, at least 2; no statement is prepared, for a pooler."""

    driver, extra = "postgresql+psycopg", "postgresql"

    def arguments(self, seconds: int) -> Mapping[str, object]:
        """As in Dialect."""
        return {"connect_timeout": max(seconds, 2), "prepare_threshold": None, "application_name": "telemetry"}

    def begin(self, connection: sa.Connection, left: float) -> None:
        """As SET LOCAL, in one statement; psycopg has begun READ ONLY."""
        limits = f"set_config('statement_timeout', '{round(left * 1000)}ms', true)"
        limits += f", set_config('lock_timeout', '{max(round(left * 333), 1)}ms', true)"
        connection.exec_driver_sql(f"SELECT {limits}")

    def version(self, server: sa.Dialect, ask: Ask) -> tuple[str, str]:  # noqa: ARG002  # one version asks alike
        """What JDBC says too, the distribution's name included."""
        import sqlalchemy as sa

        setting = sa.func.current_setting("server_version")
        return "PostgreSQL", str(ask(sa.select(setting), "server_version")[0][0])


class MySQL(Dialect):
    """MariaDB and MySQL, by pymysql."""

    driver, extra = "mysql+pymysql", "mysql"

    def arguments(self, seconds: int) -> Mapping[str, object]:
        """As in Dialect."""
        return {"connect_timeout": seconds, "read_timeout": seconds + 1, "write_timeout": seconds + 1}

    def begin(self, connection: sa.Connection, left: float) -> None:
        """The two have names of their own for the limit of a statement; the next transaction begins READ ONLY."""
        maria = getattr(connection.dialect, "is_mariadb", False)
        limit = f"max_statement_time = {left:.3f}" if maria else f"max_execution_time = {max(round(left * 1000), 1)}"
        lock = max(round(left / 3), 1)
        connection.exec_driver_sql(f"SET SESSION {limit}, lock_wait_timeout = {lock}")
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.rollback()

    def version(self, server: sa.Dialect, ask: Ask) -> tuple[str, str]:
        """What JDBC says too."""
        import sqlalchemy as sa

        vendor = "MariaDB" if getattr(server, "is_mariadb", False) else "MySQL"
        return vendor, str(ask(sa.select(sa.func.version()), "version()")[0][0])


class Oracle(Dialect):
    """By oracledb without Oracle's client; it has no limit for a server that takes the connection and says nothing."""

    driver, extra = "oracle+oracledb", "oracle"
    length = "dbms_lob.getlength"
    hangs = True

    def arguments(self, seconds: int) -> Mapping[str, object]:
        """As in Dialect."""
        return {"tcp_connect_timeout": float(seconds)}

    def begin(self, connection: sa.Connection, left: float) -> None:
        """Every round trip is limited by the driver; a query waits for no lock."""
        driver: Any = connection.connection.driver_connection
        driver.call_timeout = max(round(left * 1000), 1)
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def version(self, server: sa.Dialect, ask: Ask) -> tuple[str, str]:
        """The banner, of which JDBC's text is made; before 18c its second line, the exact version, is not in it."""
        import sqlalchemy as sa

        column = "BANNER_FULL" if (getattr(server, "server_version_info", None) or (0,)) >= (18,) else "BANNER"
        table = sa.table(sa.quoted_name("V$VERSION", quote=False), sa.column(sa.quoted_name(column, quote=False)))
        return "Oracle", str(ask(sa.select(*table.c), "V$VERSION")[0][0])


class SQLServer(Dialect):
    """By pymssql, whose wheels need no ODBC driver of the system; it tries a silent server more than once.

    There are no read-only transactions: only SELECT is ever sent, each transaction is rolled back, and the user should
    have no other right.
    """

    driver, extra = "mssql+pymssql", "mssql"
    length = "datalength"
    hangs = True

    def arguments(self, seconds: int) -> Mapping[str, object]:
        """As in Dialect."""
        return {"login_timeout": seconds, "timeout": seconds, "appname": "telemetry"}

    def begin(self, connection: sa.Connection, left: float) -> None:
        """The limit of a statement is the connection's, given with the driver's arguments."""
        connection.exec_driver_sql(f"SET LOCK_TIMEOUT {max(round(left * 333), 1)}")

    def version(self, server: sa.Dialect, ask: Ask) -> tuple[str, str]:  # noqa: ARG002  # one version asks alike
        """As JDBC writes it, `15.00.2000` for the server's own 15.0.2000.5."""
        import sqlalchemy as sa

        # As text, because pymssql cannot read the type (sql_variant) that the function gives.
        said = sa.cast(sa.func.serverproperty("ProductVersion"), sa.String(128))
        major, minor, build = [*str(ask(sa.select(said), "ProductVersion")[0][0]).split("."), "0", "0"][:3]
        return "Microsoft SQL Server", f"{major}.{minor:0>2}.{build}"


_SCHEMES: Mapping[str, type[Dialect]] = {
    "postgresql": PostgreSQL,
    "postgres": PostgreSQL,
    "mysql": MySQL,
    "mariadb": MySQL,
    "oracle": Oracle,
    "mssql": SQLServer,
}
_OTHERS = {"h2": "H2", "db2": "DB2"}


def of(engine: Engine) -> Dialect:
    """The dialect of an engine's database, by the scheme of its URL.

    Raises:
        ConfigurationError: There is none for it.
    """
    scheme = "" if engine.database is None else engine.database.text.partition("://")[0].partition("+")[0]
    if scheme in _SCHEMES:
        return _SCHEMES[scheme]()
    if name := _OTHERS.get(scheme):
        raise ConfigurationError(
            f"engines.{engine.entry}.database: databases of {name} cannot be read.",
            hint=f"Leave engines.{engine.entry}.database out: the engine is then read over its REST API alone.",
        )
    raise ConfigurationError(
        f"engines.{engine.entry}.database: there is no driver for {scheme}.",
        hint=f"Known are: {', '.join(_SCHEMES)}.",
    )
