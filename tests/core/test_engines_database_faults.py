"""What can be wrong with a real database: always a missing value with its reason, in time, and the run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from telemetry_core.model import License
from tests.support.engine_tables import EVERYTHING, SIGNATURE, make_slow, read, started, while_reading
from tests.support.postgresql import PostgreSQL

pytestmark = pytest.mark.engine
METER = "INSERT INTO act_ru_meter_log (id_, name_, value_, milliseconds_) VALUES ('x', 'root-process-instance-start', "


def end(postgresql: PostgreSQL, how: str, pid: int) -> None:
    """As the administrator of the server does: `cancel` a statement, or `terminate` a session."""
    postgresql.execute("postgres", f"SELECT pg_{how}_backend({pid})")


def test_a_statement_that_an_administrator_ends_says_so_and_the_rest_is_read(
    postgresql: PostgreSQL, tables: str
) -> None:
    make_slow(postgresql, tables)
    with while_reading(postgresql, tables, "METER", lambda pid: end(postgresql, "cancel", pid)):
        found = read(postgresql.url(tables), timeout="9s")
    reason = "ACT_RU_METER_LOG could not be read: an administrator of the database ended the statement"
    assert found.problems == {"metrics": reason}
    assert found.license_key == License(raw="ACME;2030-12-31")


def test_a_session_that_an_administrator_ends_is_not_opened_again(postgresql: PostgreSQL, tables: str) -> None:
    """What was read before stands; here the schema's history is read in the middle."""
    mark = len(postgresql.log())
    postgresql.execute(
        tables, "ALTER TABLE act_ge_schema_log RENAME TO METER_log",
        "CREATE VIEW act_ge_schema_log AS SELECT METER_log.* FROM METER_log, pg_sleep(60)",
    )  # fmt: skip
    begun = time.monotonic()
    with while_reading(postgresql, tables, "GE_SCHEMA_LOG", lambda pid: end(postgresql, "terminate", pid)):
        found = read(postgresql.url(tables), timeout="20s")
    assert time.monotonic() - begun < 15
    assert found.installation is not None
    assert set(found.problems) == {"database", "license-key", "metrics"}
    assert found.problems["metrics"] == "ACT_RU_METER_LOG could not be read: the connection to the database was lost"
    opened = [line for line in postgresql.log()[mark:].splitlines() if "current_setting" in line]
    assert opened == []


def test_a_server_that_goes_away_in_the_middle_makes_the_rest_missing(template: str, postgresql: PostgreSQL) -> None:
    """One of its own, which is stopped at once, as by a power cut."""
    from tests.support import postgresql as servers

    with servers.running() as server:
        name = server.database()
        server.execute(
            name, "CREATE TABLE act_ge_property (name_ text, value_ text)",
            "INSERT INTO act_ge_property VALUES ('camunda.installation.id', 'known')",
            "CREATE VIEW act_ge_schema_log AS SELECT now() AS timestamp_, '1' AS id_, pg_sleep(60)::text AS version_",
        )  # fmt: skip
        begun = time.monotonic()
        with while_reading(server, name, "GE_SCHEMA_LOG", lambda _: server.stop_at_once()):
            found = read(server.url(name), timeout="20s")
    assert time.monotonic() - begun < 15
    assert found.installation == "known"
    assert set(found.problems) == {"database", "metrics"}


def test_a_licence_of_ten_megabytes_is_not_fetched(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(
        tables,
        "UPDATE act_ge_bytearray SET bytes_ = decode(repeat('41', 10000000), 'hex') WHERE name_ LIKE '%license%'",
    )
    mark = fetched(postgresql, tables)
    found = read(postgresql.url(tables))
    assert found.problems == {"license-key": "ACT_GE_BYTEARRAY has no licence text of up to 64 KiB"}
    assert started(found) == 3
    assert fetched(postgresql, tables) - mark < 5


def fetched(postgresql: PostgreSQL, name: str) -> int:
    """Blocks of long values that were read: PostgreSQL keeps them in a table of its own."""
    query = "SELECT coalesce(sum(toast_blks_hit + toast_blks_read), 0)::bigint FROM pg_statio_user_tables"
    postgresql.execute(name, "SELECT pg_stat_clear_snapshot()")
    time.sleep(0.1)
    return int(str(postgresql.execute(name, query)[0][0]))


@pytest.mark.parametrize("garbage", ["'no version'", "NULL", "''", "repeat('7.', 100)", "'7.24.0' || chr(27) || '[2J'"])
def test_a_history_of_the_schema_that_says_no_version_is_unknown_alone(
    postgresql: PostgreSQL, tables: str, garbage: str
) -> None:
    postgresql.execute(
        tables, "DELETE FROM act_ge_schema_log", f"INSERT INTO act_ge_schema_log VALUES ('x', now(), {garbage})"
    )
    found = read(postgresql.url(tables))
    assert (found.schema_version, found.problems) == (None, {})
    assert started(found) == 3


def test_times_that_no_calendar_has_make_the_schemas_version_unknown(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(tables, "UPDATE act_ge_schema_log SET timestamp_ = 'infinity'")
    found = read(postgresql.url(tables))
    assert (found.schema_version, found.problems) == (None, {})
    assert started(found) == 3


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("value_ TYPE numeric", "9223372036854775808, 5", "has a VALUE_ that is no number of an engine"),
        ("value_ TYPE numeric", "1.5, 5", "has a VALUE_ that is no number of an engine"),
        ("value_ TYPE numeric", "'NaN', 5", "has a VALUE_ that is no number of an engine"),
        ("value_ TYPE float8", "1e300, 5", "has a VALUE_ that is no number of an engine"),
        ("value_ TYPE text", "'seven', 5", "has a VALUE_ that is no number of an engine"),
        ("milliseconds_ TYPE numeric", "1, 1e30", "has a MILLISECONDS_ that is no number of an engine"),
        ("milliseconds_ TYPE text", "1, 'noon'", "is not as engines from 7.14 on have it"),
    ],
)
def test_counts_and_times_that_no_engine_writes_make_metrics_missing(
    postgresql: PostgreSQL, tables: str, column: str, value: str, reason: str
) -> None:
    postgresql.execute(tables, f"ALTER TABLE act_ru_meter_log ALTER {column}", f"{METER}{value})")
    found = read(postgresql.url(tables))
    assert found.problems == {"metrics": f"ACT_RU_METER_LOG {reason}"}
    assert found.rows is None


def test_the_largest_count_of_an_engine_is_read(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(tables, f"{METER}9223372036854775807, 5)")
    assert started(read(postgresql.url(tables))) == 3 + 2**63 - 1


def test_a_licence_that_a_property_names_and_that_is_not_there_says_so(postgresql: PostgreSQL, tables: str) -> None:
    postgresql.execute(tables, "DELETE FROM act_ge_bytearray WHERE name_ LIKE '%license%'")
    assert set(read(postgresql.url(tables)).problems) == {"license-key"}


@pytest.mark.parametrize("spoil", ["SELECT 1", "CREATE TABLE act_ge_property (name_ text)"])
def test_a_database_of_something_else_says_what_is_not_as_engines_have_it(postgresql: PostgreSQL, spoil: str) -> None:
    name = postgresql.database()
    postgresql.execute(name, spoil)
    found = read(postgresql.url(name))
    assert set(found.problems) == set(EVERYTHING) - {"database"}


def test_no_reason_repeats_a_licence(postgresql: PostgreSQL, tables: str) -> None:
    spoils: list[Callable[[], object]] = [
        lambda: postgresql.execute(tables, "ALTER TABLE act_ge_bytearray ALTER bytes_ TYPE text"),
        lambda: postgresql.execute(tables, "DROP TABLE act_ge_bytearray CASCADE"),
    ]
    for spoil in spoils:
        spoil()
        found = read(postgresql.url(tables))
        assert set(found.problems) == {"license-key"}
        assert SIGNATURE not in str(found)
