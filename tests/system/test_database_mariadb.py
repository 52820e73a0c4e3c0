"""The engine's database on a real MariaDB."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from telemetry_core.config import Engine as Configured
from telemetry_core.config import Layers, load
from telemetry_core.engines import database
from telemetry_core.engines.sql import Connection, Unread
from telemetry_core.model import License
from tests.engines import Engine
from tests.support import mariadb
from tests.support.clock import RealClock

pytestmark = [pytest.mark.engine, pytest.mark.family]


@pytest.fixture
def server() -> Iterator[str]:
    reason = mariadb.missing()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)
    with mariadb.running() as url:
        yield url


def configured(url: str, timeout: str = "15s") -> Configured:
    variables = {"TELEMETRY_ENGINES__ORDERS__DATABASE": url, "TELEMETRY_ENGINES__ORDERS__TIMEOUT": timeout}
    return load(Layers(environment=variables)).engines[0]


@pytest.mark.parametrize("release", ["camunda-7.17.0", "operaton-1.0.3"])
def test_mariadb_says_what_the_engine_says_and_is_only_read(server: str, release: str) -> None:
    with Engine.start(release, database=server) as engine:
        licensed = engine.release.license_key
        if licensed:
            engine.set_license("c2lnbmF0dXJl;ACME;2030-12-31")
        engine.start_process(3)
        engine.flush()
        found = database.read(configured(server), 0, RealClock(), expected=None)
        said = engine.telemetry_data()
    assert found.problems == {}
    assert found.installation == said["installation"]
    assert found.schema_version == ("7.17.0" if licensed else "7.24.0")
    assert found.license_key == (License(raw="ACME;2030-12-31") if licensed else None)
    assert found.database is not None
    assert found.database.vendor == "MariaDB"
    assert found.database.version == said["product"]["internals"]["database"]["version"]
    assert found.rows is not None
    assert sum(row.value for row in found.rows.rows if row.name == "root-process-instance-start") == 3
    entry = configured(server, "1s")
    with Connection(entry, RealClock()) as connection:
        with pytest.raises(Unread, match="could not be read within 1 s"):
            connection.rows(sa.select(sa.func.sleep(30)), "x")
        table = sa.table("ACT_GE_PROPERTY", sa.column("NAME_"))
        with pytest.raises(Unread, match=r"(?i)read.only"):
            connection.rows(sa.select(table.c["NAME_"]).with_for_update(), "x")


def test_a_database_without_tables_and_a_wrong_password_say_so(server: str) -> None:
    wrong = database.read(configured(server.replace(mariadb.PASSWORD, "hunter2")), 0, RealClock(), expected=None)
    assert wrong.problems["metrics"] == "the database does not let this user in"
    nowhere = database.read(configured(server + "x"), 0, RealClock(), expected=None)
    assert nowhere.problems["metrics"] == "the database does not let this user in"
