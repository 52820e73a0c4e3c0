"""The engine's database on a real MariaDB: what real engines keep there, and what can be wrong with it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from telemetry_core.engines.sql import Connection, Unread
from telemetry_core.model import License, Snapshot
from tests.engines import Engine
from tests.support import mariadb
from tests.support.clock import RealClock
from tests.support.engine_tables import configured, read, started

pytestmark = [pytest.mark.engine, pytest.mark.family]
METER = "INSERT INTO ACT_RU_METER_LOG (ID_, NAME_, VALUE_, MILLISECONDS_) VALUES ('x', 'root-process-instance-start', "


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    reason = mariadb.missing()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)
    with mariadb.running() as url:
        yield url


@pytest.fixture(scope="module")
def tables(server: str) -> str:
    """What a real 7.17.0 made and filled; the tests after that change it and change it back."""
    with Engine.start("camunda-7.17.0", database=server) as engine:
        engine.set_license("c2lnbmF0dXJl;ACME;2030-12-31")
        engine.start_process(3)
        engine.flush()
        found = read(server)
        holds(found, engine)
    assert (found.schema_version, found.license_key) == ("7.17.0", License(raw="ACME;2030-12-31"))
    return server


def holds(found: Snapshot, engine: Engine) -> None:
    """What we read is what the engine says."""
    said = engine.telemetry_data()
    assert found.problems == {}
    assert found.installation == said["installation"]
    assert found.database is not None
    assert found.database.vendor == "MariaDB"
    assert {"vendor": "MariaDB", "version": found.database.version} == said["product"]["internals"]["database"]
    assert found.rows is not None
    sums = {name: sum(row.value for row in found.rows.rows if row.name == name) for name in found.rows.names}
    assert sums == {name: engine.metric(name) for name in found.rows.names}
    assert started(found) == 3


def test_mariadb_with_7_17_is_only_read_and_within_its_limit(tables: str) -> None:
    with Connection(configured(tables, timeout="1s"), RealClock()) as connection:
        with pytest.raises(Unread, match="could not be read within 1 s"):
            connection.rows(sa.select(sa.func.sleep(30)), "x")
        table = sa.table("ACT_GE_PROPERTY", sa.column("NAME_"))
        with pytest.raises(Unread, match=r"(?i)read.only"):
            connection.rows(sa.select(table.c["NAME_"]).with_for_update(), "x")


def test_mariadb_with_operaton_says_what_the_engine_says(server: str) -> None:
    url = server.removesuffix("engine") + "operaton"
    with Engine.start("operaton-1.0.3", database=url) as engine:
        engine.start_process(3)
        engine.evaluate_decision(2)
        engine.flush()
        found = read(url)
        holds(found, engine)
    assert (found.schema_version, found.license_key) == ("7.24.0", None)


def test_a_database_without_tables_and_a_wrong_password_say_so(server: str) -> None:
    wrong = read(server.replace(mariadb.PASSWORD, "hunter2"))
    assert wrong.problems["metrics"] == "the database does not let this user in"
    assert read(server + "x").problems["metrics"] == "the database does not let this user in"
    administrator = server.replace(mariadb.USER, mariadb.ADMINISTRATOR, 1).removesuffix("engine")
    assert read(administrator + "nowhere").problems["metrics"] == "the server has no database of this name"
    assert "there is no table ACT_RU_METER_LOG" in read(administrator + "mysql").problems["metrics"]


def test_a_table_without_rights_is_missing_alone(tables: str) -> None:
    names = ("ACT_GE_PROPERTY", "ACT_GE_SCHEMA_LOG", "ACT_GE_BYTEARRAY")
    grants = [f"GRANT SELECT ON {name} TO reader@'127.0.0.1'" for name in names]
    mariadb.execute(tables, "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'secret'", *grants)
    found = read(tables.replace(f"{mariadb.USER}:{mariadb.PASSWORD}", "reader:secret"))
    reason = "the user has no right to read ACT_RU_METER_LOG (GRANT SELECT ON ACT_RU_METER_LOG)"
    assert found.problems == {"metrics": reason}
    mariadb.execute(tables, "DROP USER reader@'127.0.0.1'")


def test_a_locked_table_is_waited_for_during_a_third_of_the_time(tables: str) -> None:
    other = mariadb.connect(tables)
    try:
        other.cursor().execute("LOCK TABLES ACT_RU_METER_LOG WRITE")
        begun = time.monotonic()
        found = read(tables, timeout="3s")
        assert time.monotonic() - begun < 2.5
    finally:
        other.close()
    assert found.problems == {"metrics": "ACT_RU_METER_LOG is locked by another session"}


@pytest.mark.parametrize(
    ("kill", "reason"),
    [
        ("KILL QUERY", "ACT_RU_METER_LOG could not be read: an administrator of the database ended the statement"),
        ("KILL CONNECTION", "ACT_RU_METER_LOG could not be read: the connection to the database was lost"),
    ],
)
def test_a_statement_or_session_that_an_administrator_ends_says_so(tables: str, kill: str, reason: str) -> None:
    mariadb.execute(tables, "RENAME TABLE ACT_RU_METER_LOG TO FAST",
                    "CREATE VIEW ACT_RU_METER_LOG AS SELECT * FROM FAST WHERE SLEEP(5) = 0")  # fmt: skip
    query = f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{mariadb.USER}' AND INFO LIKE '%METER_LOG%'"

    def end() -> None:
        limit = time.monotonic() + 8
        while time.monotonic() < limit and not (sessions := mariadb.execute(tables, query)):
            time.sleep(0.05)
        mariadb.execute(tables, f"{kill} {sessions[0][0]}")

    helper = threading.Thread(target=end)
    helper.start()
    try:
        found = read(tables, timeout="9s")
    finally:
        helper.join()
        mariadb.execute(tables, "DROP VIEW ACT_RU_METER_LOG", "RENAME TABLE FAST TO ACT_RU_METER_LOG")
    assert found.problems == {"metrics": reason}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("VALUE_ decimal(30, 0)", "9223372036854775808, 5", "ACT_RU_METER_LOG has a VALUE_ that is no number"),
        ("VALUE_ varchar(64)", "'seven', 5", "ACT_RU_METER_LOG has a VALUE_ that is no number"),
        ("MILLISECONDS_ varchar(64)", "1, '7 at noon'", "ACT_RU_METER_LOG has a MILLISECONDS_ that is no number"),
    ],
)
def test_counts_and_times_that_no_engine_writes_make_metrics_missing(
    tables: str, column: str, value: str, reason: str
) -> None:
    mariadb.execute(tables, f"ALTER TABLE ACT_RU_METER_LOG MODIFY {column}", f"{METER}{value})")
    found = read(tables)
    name = column.split()[0]
    mariadb.execute(tables, "DELETE FROM ACT_RU_METER_LOG WHERE ID_ = 'x'",
                    f"ALTER TABLE ACT_RU_METER_LOG MODIFY {name} bigint")  # fmt: skip
    assert set(found.problems) == {"metrics"}
    assert found.problems["metrics"].startswith(reason)
    assert started(read(tables)) == 3


def test_a_licence_of_ten_megabytes_is_not_fetched(tables: str) -> None:
    where = "WHERE NAME_ LIKE '%license%'"
    mariadb.execute(tables, "CREATE TABLE KEPT AS SELECT ID_, BYTES_ FROM ACT_GE_BYTEARRAY",
                    f"UPDATE ACT_GE_BYTEARRAY SET BYTES_ = REPEAT('A', 10000000) {where}")  # fmt: skip
    before = sent(tables)
    found = read(tables)
    assert sent(tables) - before < 1_000_000
    mariadb.execute(tables, "UPDATE ACT_GE_BYTEARRAY b JOIN KEPT k ON k.ID_ = b.ID_ SET b.BYTES_ = k.BYTES_",
                    "DROP TABLE KEPT")  # fmt: skip
    assert found.problems == {"license-key": "ACT_GE_BYTEARRAY has no licence text of up to 64 KiB"}
    assert read(tables).license_key == License(raw="ACME;2030-12-31")


def sent(url: str) -> int:
    return int(str(mariadb.execute(url, "SHOW GLOBAL STATUS LIKE 'Bytes_sent'")[0][1]))
