"""A database as a source: whatever is wrong with it makes its values missing with the reason, and it is only read."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from telemetry_core.engines import database
from telemetry_core.engines.sql import Connection, Unread
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import License, MeterRow, Snapshot
from tests.support.clock import RealClock
from tests.support.engine_tables import EVERYTHING, SIGNATURE, configured, make_slow, read, started, while_reading
from tests.support.postgresql import OUR_SESSIONS, PostgreSQL
from tests.support.waiting import until

pytestmark = pytest.mark.engine


def test_a_database_without_an_engines_tables_says_which_table_is_not_there(postgresql: PostgreSQL) -> None:
    found = read(postgresql.url(postgresql.database()))
    reason = "there is no table ACT_GE_PROPERTY in the database (see the settings schema and table-prefix)"
    assert found.problems["installation"] == reason
    assert "ACT_RU_METER_LOG" in found.problems["metrics"]
    assert (found.installation, found.rows, found.license_key) == (None, None, None)
    assert found.database is not None


def test_a_table_without_rights_is_missing_alone(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(
        tables, "CREATE ROLE reader LOGIN PASSWORD 'secret'", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
        "REVOKE SELECT ON act_ru_meter_log FROM reader",
    )  # fmt: skip
    found = read(postgresql.url(tables, "reader", "secret"))
    reason = "the user has no right to read ACT_RU_METER_LOG (GRANT SELECT ON ACT_RU_METER_LOG)"
    assert found.problems == {"metrics": reason}
    assert found.installation is not None
    assert found.license_key == License(raw="ACME;2030-12-31")
    postgresql.execute(tables, "GRANT SELECT ON act_ru_meter_log TO reader",
                       "REVOKE SELECT ON act_ge_bytearray FROM reader",
                       "REVOKE SELECT ON act_ge_schema_log FROM reader")  # fmt: skip
    found = read(postgresql.url(tables, "reader", "secret"))
    assert started(found) == 3
    assert set(found.problems) == {"license-key"}
    postgresql.execute(tables, "DROP OWNED BY reader", "DROP ROLE reader")


def test_a_locked_table_is_waited_for_during_a_third_of_the_time(postgresql: PostgreSQL, tables: str) -> None:
    with postgresql.connect(tables) as other, other.transaction():
        other.execute("LOCK TABLE act_ru_meter_log IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        found = read(postgresql.url(tables), timeout="3s")
    assert found.problems == {"metrics": "ACT_RU_METER_LOG is locked by another session"}
    assert 0.7 < time.monotonic() - begun < 2.5


def test_a_table_that_is_slower_than_the_limit_is_given_up_by_the_server(postgresql: PostgreSQL, tables: str) -> None:
    make_slow(postgresql, tables)
    begun = time.monotonic()
    found = read(postgresql.url(tables), timeout="1s")
    assert found.problems == {"metrics": "ACT_RU_METER_LOG could not be read within 1 s (engines.NAME.timeout)"}
    assert time.monotonic() - begun < 1.9
    busy = f"SELECT count(*) {OUR_SESSIONS}"
    until(lambda: postgresql.execute(tables, busy) == [(0,)], "the session has ended", seconds=30)


def test_a_server_that_is_frozen_is_left_after_the_limit(postgresql: PostgreSQL, tables: str) -> None:
    make_slow(postgresql, tables)
    frozen: list[int] = []

    def freeze(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)
        frozen.append(pid)

    begun = time.monotonic()
    try:
        with while_reading(postgresql, tables, "METER", freeze):
            found = read(postgresql.url(tables), timeout="2s")
    finally:
        os.kill(frozen[0], signal.SIGCONT)
    assert 2 < time.monotonic() - begun < 5
    assert list(found.problems) == ["metrics"]
    assert found.installation is not None


def test_a_server_that_says_nothing_is_left_after_the_limit() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        begun = time.monotonic()
        found = read(f"postgresql://u:hunter2@127.0.0.1:{silent.getsockname()[1]}/x", timeout="1s")
    assert time.monotonic() - begun < 5
    assert set(found.problems) == set(EVERYTHING)
    assert "hunter2" not in str(found)


def test_tables_older_than_7_14_are_left_alone(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(tables, "UPDATE act_ge_schema_log SET version_ = '7.13.6'")
    found = read(postgresql.url(tables))
    reason = "the tables are of release 7.13.6; the oldest that can be read is 7.14"
    assert found.problems == dict.fromkeys(EVERYTHING, reason)
    assert found.rows is None
    postgresql.execute(tables, "DROP TABLE act_ge_schema_log")
    assert read(postgresql.url(tables)).problems["metrics"].startswith("the tables are older than 7.14")


def test_the_newest_entry_of_the_schemas_history_counts_and_its_ids_are_numbers(
    postgresql: PostgreSQL, tables: str
) -> None:
    """Entries of one upgrade have one time; as text 900 comes after 1300 (facts §5.6)."""
    postgresql.execute(
        tables, "DELETE FROM act_ge_schema_log",
        "INSERT INTO act_ge_schema_log VALUES ('300', '2026-01-01', '7.14.0'), ('900', '2026-02-02', '7.20.0'),"
        " ('1300', '2026-02-02', '7.24.0')",
    )  # fmt: skip
    assert read(postgresql.url(tables)).schema_version == "7.24.0"


def test_schema_and_prefix_of_the_tables_come_from_the_configuration(postgresql: PostgreSQL, tables: str) -> None:
    names = ("ge_property", "ge_schema_log", "ge_bytearray", "ru_meter_log")
    moves = [f"ALTER TABLE act_{name} RENAME TO bpm_act_{name}" for name in names]
    moves += [f'ALTER TABLE bpm_act_{name} SET SCHEMA "Orders"' for name in names]
    postgresql.execute(tables, 'CREATE SCHEMA "Orders"', *moves)
    url = postgresql.url(tables)
    assert started(read(url, schema="Orders", table_prefix="BPM_")) == 3
    assert "no table bpm_ACT_GE_PROPERTY" in read(url, table_prefix="bpm_").problems["installation"]
    postgresql.execute(tables, 'ALTER SCHEMA "Orders" RENAME TO orders')
    assert started(read(url, table_prefix="ORDERS.BPM_")) == 3


@pytest.mark.parametrize("prefix", ["x; DROP TABLE y", 'a"', "a.b.c", "-- "])
def test_a_prefix_that_is_no_part_of_a_name_is_refused(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="not the prefix of a table's name"):
        read("postgresql://127.0.0.1:1/x", table_prefix=prefix)


def test_the_password_comes_from_the_url_or_a_file_and_a_wrong_one_is_shown_nowhere(
    postgresql: PostgreSQL, tables: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(PostgreSQL.password, encoding="utf-8")
    file.chmod(0o600)
    found = read(postgresql.url(tables, password=None), database_password_file=str(file))
    assert started(found) == 3
    wrong = read(postgresql.url(tables, password="hunter2"))
    assert wrong.problems == dict.fromkeys(EVERYTHING, "the database does not let this user in")
    assert "hunter2" not in str(wrong)
    nowhere = read(postgresql.url("nowhere"))
    assert nowhere.problems["metrics"] == "the server has no database of this name"


def test_the_signature_of_a_licence_is_not_in_what_is_read(postgresql: PostgreSQL, tables: str) -> None:
    assert SIGNATURE not in str(read(postgresql.url(tables)))
    postgresql.execute(
        tables, f"UPDATE act_ge_bytearray SET bytes_ = '{'c2lnbmF0dXJl' * 8}' WHERE name_ LIKE '%license%'"
    )
    found = read(postgresql.url(tables))
    assert found.license_key is None
    assert found.problems["license-key"].startswith("withheld")


def test_nothing_is_taken_of_a_database_that_has_another_installation(postgresql: PostgreSQL, tables: str) -> None:
    url = postgresql.url(tables)
    own = read(url).installation
    assert own is not None
    assert started(read(url, expected=own)) == 3
    other = read(url, expected="0c39daee-56d5-4cbb-96f5-3e226fa3eb87")
    reason = f"the database is of another installation ({own})"
    assert other.problems == dict.fromkeys(EVERYTHING, reason)
    assert (other.installation, other.rows) == (None, None)


def test_a_schema_that_came_from_camunda_to_operaton_has_two_installations(postgresql: PostgreSQL, tables: str) -> None:
    url = postgresql.url(tables)
    camunda = read(url).installation
    postgresql.execute(tables, "INSERT INTO act_ge_property VALUES ('operaton.installation.id', 'newer', 1)")
    assert read(url).installation == "newer"
    assert read(url, expected=camunda).installation == camunda


def test_counts_that_are_negative_or_null_are_none(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(
        tables,
        "INSERT INTO act_ru_meter_log (id_, name_, value_, milliseconds_) VALUES ('a', 'root-process-instance-start',"
        " -7, 5), ('b', 'root-process-instance-start', NULL, 6), ('c', 'something-else', 9, 7)",
    )
    found = read(postgresql.url(tables))
    assert started(found) == 3
    assert found.rows is not None
    assert {row.id for row in found.rows.rows} >= {"a", "b"}
    assert "something-else" not in {row.name for row in found.rows.rows}


def test_the_connection_cannot_write(postgresql: PostgreSQL, tables: str) -> None:
    with (
        Connection(configured(postgresql.url(tables)), RealClock()) as connection,
        pytest.raises(Unread, match="read-only transaction"),
    ):
        connection.rows(sa.select(sa.table("act_ge_property", sa.column("name_"))).with_for_update(), "x")


def test_a_reading_is_ten_statements_and_only_the_rows_from_the_base_on(postgresql: PostgreSQL, tables: str) -> None:
    """SQLAlchemy asks four things of each new server; six are ours, with the licence."""
    mark = len(postgresql.log())
    newest = max(row.at for row in rows_of(read(postgresql.url(tables))))
    statements = [
        line
        for line in postgresql.log()[mark:].splitlines()
        if " LOG:  statement: " in line or " LOG:  execute " in line
    ]
    asked = [line for line in statements if not line.endswith(("BEGIN READ ONLY", "ROLLBACK"))]
    assert len(asked) == 10, asked
    assert len(statements) - len(asked) == 4
    later = database.read(configured(postgresql.url(tables)), newest + 1, RealClock(), expected=None)
    assert rows_of(later) == ()


def test_sqlalchemy_is_loaded_only_where_a_database_is_read() -> None:
    code = "import sys; from telemetry_core import administration, reporting; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def rows_of(snapshot: Snapshot) -> tuple[MeterRow, ...]:
    assert snapshot.rows is not None
    return snapshot.rows.rows
