"""Kinds of databases: which statements they are asked, and that none of their drivers waits for ever or falls over.

Oracle and SQL Server are tested by their statements and at servers that are none; no server of theirs was there.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
import sqlalchemy as sa

from telemetry_core.engines import METRICS, database, dialects
from telemetry_core.errors import ConfigurationError
from tests.support.engine_tables import EVERYTHING, configured, read

# oracledb leaves its socket to the garbage collector where a server goes away before the login.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
ORACLE, SQL_SERVER = "oracle://u@127.0.0.1/?service_name=orders", "mssql://u@127.0.0.1/orders"
LATEST = {ORACLE: (19, 3), SQL_SERVER: (15, 0)}
PROPERTIES = "SELECT BPM_ACT_GE_PROPERTY.NAME_, BPM_ACT_GE_PROPERTY.VALUE_ FROM BPM_ACT_GE_PROPERTY WHERE NAMES"
LOG = "LOG.TIMESTAMP_, LOG.ID_, LOG.VERSION_ FROM LOG"
LICENSE = "SELECT BYTES.BYTES_ FROM BYTES WHERE BYTES.ID_ = :ID_1 AND"
METERS = (
    "METER.ID_, METER.NAME_, METER.VALUE_, METER.MILLISECONDS_ FROM METER"
    " WHERE METER.MILLISECONDS_ >= :MILLISECONDS_1 AND METER.NAME_ IN (:NAME_1_1, :NAME_1_2, :NAME_1_3, :NAME_1_4)"
    " ORDER BY METER.MILLISECONDS_"
)


def dialect_of(url: str) -> Any:
    """SQLAlchemy's own, as after its first contact with a server."""
    found: Any = sa.make_url(dialects.of(configured(url)).driver + "://").get_dialect()()
    found.server_version_info = LATEST[url]
    return found


def text(url: str, statement: dialects.Query) -> str:
    compiled = statement.compile(dialect=dialect_of(url), compile_kwargs={"render_postcompile": True})
    return " ".join(str(compiled).split())


def statements(url: str) -> tuple[str, ...]:
    tables = database.Tables(configured(url, table_prefix="BPM_"))
    found = (tables.properties(), tables.schema_log(), tables.license_text("7"), tables.meter_rows(5))
    return tuple(text(url, statement) for statement in found)


def shortened(found: str) -> str:
    """Names as the constants above have them."""
    for name, short in (("RU_METER_LOG", "METER"), ("GE_SCHEMA_LOG", "LOG"), ("GE_BYTEARRAY", "BYTES")):
        found = found.replace(f"BPM_ACT_{name}", short)
    return found.partition("WHERE BPM_ACT_GE_PROPERTY")[0] + ("WHERE NAMES" if "PROPERTY" in found else "")


def test_oracle_is_asked_with_its_own_row_limits_functions_and_names_without_quotes() -> None:
    assert [shortened(found) for found in statements(ORACLE)] == [
        PROPERTIES,
        f"SELECT {LOG} FETCH FIRST 1000 ROWS ONLY",
        f"{LICENSE} dbms_lob.getlength(BYTES.BYTES_) <= :getlength_1",
        f"SELECT {METERS} FETCH FIRST 200000 ROWS ONLY",
    ]


def test_sql_server_is_asked_with_its_own_row_limits_functions_and_names_without_quotes() -> None:
    assert [shortened(found) for found in statements(SQL_SERVER)] == [
        PROPERTIES,
        f"SELECT TOP 1000 {LOG}",
        f"{LICENSE} datalength(BYTES.BYTES_) <= :datalength_1",
        f"SELECT TOP 200000 {METERS}",
    ]


@pytest.mark.parametrize("url", [ORACLE, SQL_SERVER])
def test_every_value_is_bound_and_a_schema_of_the_configuration_is_exact(url: str) -> None:
    tables = database.Tables(configured(url, schema="Orders", table_prefix="BPM_"))
    compiled = tables.meter_rows(5).compile(dialect=dialect_of(url), compile_kwargs={"render_postcompile": True})
    assert set(compiled.params.values()) == {5, *METRICS}
    assert not [value for value in compiled.params.values() if f"'{value}'" in str(compiled)]
    quoted = '"Orders".BPM_ACT' if url == ORACLE else "[Orders].BPM_ACT"
    assert quoted in str(compiled)


class Recorder:
    """What a transaction is begun with."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.connection = SimpleNamespace(driver_connection=SimpleNamespace(call_timeout=0))

    def exec_driver_sql(self, statement: str) -> None:
        self.said.append(statement)


def test_a_transaction_is_read_only_where_there_is_such_and_limited_in_time() -> None:
    oracle, sql_server = Recorder(), Recorder()
    dialects.Oracle().begin(cast("sa.Connection", oracle), 1.5)
    dialects.SQLServer().begin(cast("sa.Connection", sql_server), 1.5)
    assert (oracle.said, oracle.connection.driver_connection.call_timeout) == (["SET TRANSACTION READ ONLY"], 1500)
    assert sql_server.said == ["SET LOCK_TIMEOUT 500"]
    assert dialects.SQLServer().arguments(2)["timeout"] == 2


@pytest.mark.parametrize(
    ("url", "server", "answer", "asked", "said"),
    [
        (ORACLE, (19, 3), "Oracle Database 19c\nVersion 19.3", "SELECT V$VERSION.BANNER_FULL FROM V$VERSION",
         ("Oracle", "Oracle Database 19c\nVersion 19.3")),
        (ORACLE, (12, 2), "Oracle Database 12c", "SELECT V$VERSION.BANNER FROM V$VERSION",
         ("Oracle", "Oracle Database 12c")),
        (SQL_SERVER, (15, 0), "15.0.2000.5", "SELECT CAST(serverproperty(:serverproperty_2)",
         ("Microsoft SQL Server", "15.00.2000")),
        (SQL_SERVER, (10, 50), "10.50.1600.1", "SELECT CAST(serverproperty(:serverproperty_2)",
         ("Microsoft SQL Server", "10.50.1600")),
    ],
)  # fmt: skip
def test_the_version_is_asked_as_the_driver_of_java_says_it(
    url: str, server: tuple[int, ...], answer: str, asked: str, said: tuple[str, str]
) -> None:
    heard: list[str] = []

    def ask(statement: dialects.Query, _: str) -> Sequence[dialects.Row]:
        heard.append(text(url, statement))
        return cast("Sequence[dialects.Row]", [(answer,)])

    kind = dialect_of(url)
    kind.server_version_info = server
    assert dialects.of(configured(url)).version(kind, ask) == said
    assert heard[0].startswith(asked)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("db2://u@127.0.0.1/x", "databases of DB2 cannot be read"),
        ("h2://127.0.0.1/x", "databases of H2 cannot be read"),
        ("sqlserver://127.0.0.1/x", "no driver for sqlserver"),
        ("sqlite:///x", "no driver for sqlite"),
    ],
)
def test_a_database_that_cannot_be_read_is_an_error_of_the_configuration(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        read(url)
    assert caught.value.hint


@pytest.mark.parametrize("url", ["jdbc:h2:mem:x", "jdbc:h2:./x", "jdbc:postgresql://db/x", "jdbc:oracle:thin:@h:1:XE"])
def test_a_url_of_java_says_how_it_is_written_here(url: str) -> None:
    with pytest.raises(ConfigurationError, match="not JDBC's"):
        read(url)


URLS = ["postgresql://u:hunter2@127.0.0.1:{}/x", "mariadb://u:hunter2@127.0.0.1:{}/x",
        "oracle://u:hunter2@127.0.0.1:{}/?service_name=x", "mssql://u:hunter2@127.0.0.1:{}/x"]  # fmt: skip


@contextmanager
def server(behaviour: Callable[[socket.socket], object]) -> Iterator[int]:
    """A port on which something is that is no database."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve() -> None:
            try:
                while True:
                    peer, _ = listening.accept()
                    with peer:
                        behaviour(peer)
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def speak_http(peer: socket.socket) -> None:
    peer.settimeout(0.2)
    with suppress(TimeoutError):
        peer.recv(1000)
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" * 5)


@pytest.mark.parametrize("url", URLS)
def test_a_server_that_is_no_database_gives_nothing_but_a_reason(url: str) -> None:
    begun = time.monotonic()
    with server(speak_http) as port:
        found = read(url.format(port), timeout="2s")
    assert time.monotonic() - begun < 4
    assert set(found.problems) == set(EVERYTHING)
    assert "hunter2" not in str(found)


@pytest.mark.parametrize("url", URLS)
def test_a_server_that_takes_the_connection_and_says_nothing_is_left_after_the_limit(url: str) -> None:
    done = threading.Event()
    begun = time.monotonic()
    with server(lambda _: done.wait(20)) as port:
        found = read(url.format(port), timeout="1s")
        took = time.monotonic() - begun
        done.set()
    assert took < 4
    assert set(found.problems) == set(EVERYTHING)
    assert all("gives no connection" in reason for reason in found.problems.values()), found.problems


@pytest.mark.parametrize("url", URLS)
def test_a_port_where_nothing_listens_says_so_at_once(url: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        begun = time.monotonic()
        found = read(url.format(closed.getsockname()[1]), timeout="5s")
    assert time.monotonic() - begun < 3
    assert all("gives no connection" in reason for reason in found.problems.values()), found.problems
