"""Tables of hashes and of months that go while somebody reads them, or was killed: they go later, and nobody waits."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry_collector import retention
from telemetry_collector.model import Hash
from telemetry_collector.store import Store
from telemetry_core.store import Place
from tests.support import pgbouncer
from tests.support.collected import NOW, execute, filled, ids, submission
from tests.support.collecting import Collector, report, secrets
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.stores import url_of
from tests.support.waiting import until

HOUR = 3600 * 1000
DAY = 24 * HOUR
WEEK = 7 * DAY
ADDRESS = Hash(NOW, "ab" * 32)


def with_hash(path: Path) -> Store:
    store = Store.for_writing(path, NOW)
    store.commit([submission("a", address=ADDRESS)])
    return store


def lies_in(path: Path) -> list[str]:
    found = [one for one in path.parent.iterdir() if ADDRESS.value.encode() in one.read_bytes()]
    return sorted(one.name for one in found)


def test_a_log_of_hashes_that_somebody_reads_is_emptied_later_and_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    with with_hash(path) as store, sqlite3.connect(f"{path}-addresses", isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM sqlite_master").fetchall()
        begun = time.monotonic()
        assert not store.hashes.forget(NOW)
        assert time.monotonic() - begun < 5  # SQLite would wait for ten
        assert lies_in(path) == ["collector.db-addresses-wal"]
        reader.execute("ROLLBACK")
        assert store.hashes.forget(NOW)
        assert lies_in(path) == []
    reader.close()


def test_a_log_of_hashes_that_a_killed_service_left_is_emptied_by_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    (tmp_path / "left").mkdir()
    with with_hash(path) as store:
        store._database.change(f"DROP TABLE address_{NOW}")
        for one in tmp_path.glob("collector.db*"):
            shutil.copy(one, tmp_path / "left")
    left = tmp_path / "left" / "collector.db"
    assert lies_in(left) == ["collector.db-addresses-wal"]
    with Store.for_writing(left, NOW) as store:
        assert store.hashes.forget(0)
        assert lies_in(left) == []


def test_hashes_of_a_key_that_has_left_the_file_go_with_it_however_young_they_are(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        for number, period in enumerate((NOW, NOW + 1, NOW + 2)):
            store.commit([submission(str(number), address=Hash(period, "ab" * 32))])
        assert store.hashes.forget(0, {NOW + 1})
        assert sorted(store.hashes._periods()) == [NOW, NOW + 2]


def test_after_the_period_was_made_longer_hashes_go_with_their_key_all_the_same(program: Program) -> None:
    addresses = Path(f"{program.store}-addresses")
    names = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    program.configure('[collector]\nkey-period = "1h"\n')
    with Collector(program, ahead=0) as collector:
        assert collector.send(report(installation="first")).status == 202
        collector.put_ahead(HOUR)
        until(lambda: len(secrets(program)) == 2, "a new key", seconds=20)
        assert collector.send(report(installation="second")).status == 202
    oldest, _ = execute(addresses, names)
    program.configure('[collector]\nkey-period = "1d"\n')
    with Collector(program, ahead=HOUR) as collector:
        assert oldest in execute(addresses, names)
        collector.put_ahead(HOUR + DAY)
        until(lambda: oldest not in execute(addresses, names), "gone with its key", seconds=20)
        assert collector.end() == 0
    assert collector.errors == b""


@contextmanager
def reading(server: PostgreSQL, database: str, table: str) -> Iterator[None]:
    """Somebody who reads a table for long, as pg_dump does."""
    with server.connect(database) as connection, connection.transaction():
        connection.execute(f"LOCK TABLE telemetry_collector.{table} IN ACCESS SHARE MODE".encode())
        yield


def tables(server: PostgreSQL, database: str, prefix: str) -> list[str]:
    query = f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '{prefix}\\_%' ORDER BY relname"
    return [str(name) for (name,) in server.execute(database, query)]


def test_who_reads_hashes_on_postgresql_while_their_key_goes_keeps_nobody_waiting(
    program: Program, postgresql: PostgreSQL
) -> None:
    database = postgresql.database()
    program.variables["TELEMETRY_STORE"] = postgresql.url(database)
    program.config.touch()
    with Collector(program, ahead=0) as collector:
        assert collector.send(report(), "first").status == 202
        (table,) = tables(postgresql, database, "address")
        collector.put_ahead(WEEK)
        until(lambda: len(secrets(program)) == 2, "a new key", seconds=20)
        with reading(postgresql, database, table):
            collector.put_ahead(2 * WEEK)  # the key of the table goes
            for number in range(80):  # over 8 seconds
                begun = time.monotonic()
                assert collector.send(report(installation=str(number)), str(number)).status == 202
                assert time.monotonic() - begun < 5
                time.sleep(0.1)
            assert table in tables(postgresql, database, "address")
        until(lambda: table not in tables(postgresql, database, "address"), "dropped", seconds=20)
        assert collector.end() == 0
    assert collector.errors == b""


def test_who_reads_a_month_on_postgresql_while_it_goes_keeps_nobody_waiting(postgresql: PostgreSQL) -> None:
    database = postgresql.database()
    place = url_of(postgresql, database)
    filled(place, "a")
    later = NOW + 900 * DAY
    with Store.for_writing(place, NOW) as store:
        with reading(postgresql, database, "body_2026_11"):
            begun = time.monotonic()
            while retention.step(store, later):
                pass
            assert time.monotonic() - begun < 3
            assert retention.is_due(store, later)
            assert tables(postgresql, database, "body") == ["body_2026_11"]
            store.commit([submission("b")])
        while retention.step(store, later):
            pass
        assert not retention.is_due(store, later)
        assert tables(postgresql, database, "body") == []
        assert [(one.reports) for _, one in store.totals.all()] == [1, 1]


@pytest.mark.skipif(pgbouncer.missing() is not None, reason="PgBouncer is not installed")
def test_collectors_may_share_a_database_behind_a_pooler(program: Program, postgresql: PostgreSQL) -> None:
    database = postgresql.database()
    program.config.touch()
    with pgbouncer.pooled(postgresql, database) as url:
        program.variables["TELEMETRY_STORE"] = url.text.replace("://", "://postgres:root%20pass%2Fword@")
        with Collector(program) as one, Collector(program) as other:
            for number in range(20):
                for collector in (one, other):
                    answer = collector.send(report(installation=str(number)), str(number))
                    assert (answer.status, answer.json["duplicate"]) == (202, collector is other)
            assert one.end() == other.end() == 0
        assert one.errors + other.errors == b""
    assert len(ids(url_of(postgresql, database))) == 20
