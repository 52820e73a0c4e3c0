"""The store: made once, brought up to date, told from the reporter's, backed up and restored; on both databases."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import threading
from pathlib import Path

import pytest

from telemetry_collector.model import Ruling
from telemetry_collector.store import Store
from telemetry_core.config import Url
from telemetry_core.errors import StoreDamaged, StoreForeign, StoreTooNew, StoreUnavailable
from telemetry_core.store import Place
from telemetry_core.store import Store as ReportersStore
from tests.support import postgresql as servers
from tests.support.collected import NOW, back_up, execute, filled, ids, submission
from tests.support.collecting import Collector, exported, report
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.stores import url_of
from tests.support.waiting import until


def test_what_is_committed_is_there_for_whoever_opens_it_next(place: Place) -> None:
    filled(place, "a", "b")
    filled(place, "c")
    assert ids(place) == ["a", "b", "c"]


def test_reports_of_all_months_are_given_out_oldest_first(place: Place) -> None:
    day = 24 * 3600 * 1000
    for number in range(0, 100, 20):
        filled(place, f"key-{number}", at=NOW + number * day)
    assert ids(place) == [f"key-{number}" for number in range(0, 100, 20)]
    tables = [name for name in _tables(place) if name.startswith("body_")]
    assert sorted(tables) == ["body_2026_11", "body_2026_12", "body_2027_01", "body_2027_02"]


def test_a_large_batch_is_one_commit(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        verdicts = store.commit([submission(f"key-{number % 1500}") for number in range(3000)])
    assert [one.ruling for one in verdicts] == [Ruling.STORED] * 1500 + [Ruling.DUPLICATE] * 1500
    assert len(ids(place)) == 1500


def test_of_several_collectors_that_get_the_same_report_at_once_one_stores_it(place: Place) -> None:
    filled(place)
    rulings: list[Ruling] = []

    def take() -> None:
        with Store.for_writing(place, NOW) as store:
            for number in range(20):
                rulings.extend(one.ruling for one in store.commit([submission(f"key-{number}")]))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (rulings.count(Ruling.STORED), rulings.count(Ruling.DUPLICATE)) == (20, 60)
    assert sorted(ids(place)) == sorted(f"key-{number}" for number in range(20))


def test_a_file_is_for_its_owner_alone_and_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "new" / "collector.db"
    with Store.for_writing(path, NOW) as store:
        store.commit([submission("a")])
        assert store._database.read("PRAGMA journal_mode") == [("wal",)]
        assert store._database.read("PRAGMA synchronous") == [(2,)]
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_broken_file_of_hashes_is_replaced_and_the_reports_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    filled(path, "a")
    Path(f"{path}-addresses").write_bytes(b"no database" * 1000)
    filled(path, "b")
    assert ids(path) == ["a", "b"]


def test_each_program_refuses_the_others_store(ready: Program, place: Place) -> None:
    ReportersStore.for_writing(place, NOW).__exit__()
    before = _fingerprint(place)
    for words in (("collector", "serve"), ("collector", "export")):
        refused = ready(*words)
        assert (refused.status, "of its other program" in refused.errors) == (8, True)
    with pytest.raises(StoreForeign):
        Store.for_writing(place, NOW)
    assert _fingerprint(place) == before
    assert ready("history").status == 0


def test_the_reporter_refuses_the_collectors_store_and_sets_nothing_aside(ready: Program, place: Place) -> None:
    filled(place, "a")
    for words in (("status",), ("send",), ("enable", "--yes"), ("disable",), ("history",)):
        refused = ready(*words)
        assert (refused.status, "of its other program" in refused.errors) == (8, True), words
    with pytest.raises(StoreForeign):
        ReportersStore.for_writing(place, NOW)
    assert ids(place) == ["a"]
    if isinstance(place, Path):
        assert not list(place.parent.glob("*.damaged*"))


def test_another_programs_database_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    connection.close()
    with pytest.raises(StoreDamaged, match=r"no store of telemetry"):
        Store.for_writing(path, NOW)


def test_a_store_of_a_newer_release_is_refused_and_one_it_may_read_is_read(place: Place) -> None:
    filled(place, "a")
    execute(place, "INSERT INTO migration (version, applied_at, readable_from) VALUES (99, 0, 1)")
    assert ids(place) == ["a"]
    with pytest.raises(StoreTooNew):
        Store.for_writing(place, NOW)
    execute(place, "UPDATE migration SET readable_from = 98 WHERE version = 99")
    with pytest.raises(StoreTooNew):
        Store.for_reading(place)


def test_migrations_run_once(place: Place) -> None:
    for _ in range(3):
        filled(place)
    assert execute(place, "SELECT version, readable_from FROM migration") == [(1, 1)]


def test_a_service_does_not_go_on_with_an_empty_store_in_the_place_of_a_lost_one(place: Place) -> None:
    with pytest.raises(StoreUnavailable, match=r"is gone"):
        Store.for_writing(place, NOW, again=True)
    filled(place)
    Store.for_writing(place, NOW, again=True).close()


def test_a_copy_that_vacuum_makes_while_it_runs_is_a_backup(program: Program, tmp_path: Path) -> None:
    """As docs/collector.md says it, for a file."""
    program.config.touch()
    copy = tmp_path / "backup.db"
    with Collector(program) as collector:
        collector.send(report(), "a")
        back_up(program.store, copy)
        collector.send(report(installation="other"), "b")
    for end in ("", "-wal", "-shm"):
        Path(f"{program.store}{end}").unlink(missing_ok=True)
    shutil.copy(copy, program.store)
    with Collector(program) as collector:
        assert [one["id"] for one in exported(program)] == ["a"]
        assert collector.send(report(), "a").json["duplicate"] is True
        assert collector.send(report(installation="other"), "b").json["duplicate"] is False
    assert "addresses" not in str(sqlite3.connect(copy).execute("SELECT name FROM sqlite_master").fetchall())


def test_a_dump_of_the_schema_is_a_backup(program: Program, postgresql: PostgreSQL, tmp_path: Path) -> None:
    """As docs/collector.md says it, for PostgreSQL."""
    program.config.touch()
    database = postgresql.database()
    program.variables["TELEMETRY_STORE"] = postgresql.url(database)
    dump = tmp_path / "backup.dump"
    with Collector(program) as collector:
        collector.send(report(), "a")
        options = ["--format=custom", "--schema=telemetry_collector", "--no-unlogged-table-data"]
        _run("pg_dump", *options, f"--file={dump}", postgresql.url(database))
    postgresql.execute(database, "DROP SCHEMA telemetry_collector CASCADE")
    _run("pg_restore", f"--dbname={postgresql.url(database)}", str(dump))
    with Collector(program) as collector:
        assert [one["id"] for one in exported(program)] == ["a"]
        assert collector.send(report(), "a").json["duplicate"] is True


def test_a_user_without_the_right_to_a_schema_is_told_the_statement(postgresql: PostgreSQL, program: Program) -> None:
    database = postgresql.database()
    postgresql.execute(database, "CREATE ROLE poor LOGIN PASSWORD 'poor'")
    program.config.touch()
    refused = program("collector", "serve", "--store", postgresql.url(database, "poor", "poor"))
    assert refused.status == 8
    assert 'CREATE SCHEMA telemetry_collector AUTHORIZATION "poor";' in refused.errors


def test_a_place_that_is_none_is_a_mistake_of_the_command_line(program: Program) -> None:
    program.config.touch()
    refused = program("collector", "export", "--store", "mysql://x/y")
    assert (refused.status, "--store is not" in refused.errors) == (2, True)
    refused = program("collector", "export", variables={"TELEMETRY_STORE": "mysql://x/y"})
    assert refused.status == 2


def test_without_a_name_it_is_collector_db_in_the_state_directory(program: Program, tmp_path: Path) -> None:
    program.config.touch()
    program.variables |= {"TELEMETRY_STORE": "", "TELEMETRY_STATE_DIRECTORY": str(tmp_path / "here")}
    with Collector(program) as collector:
        collector.send(report(), "a")
        names = {one.name for one in (tmp_path / "here").iterdir()}
    assert {"collector.db", "collector.db-wal", "collector.keys"} <= names


def _tables(place: Place) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if isinstance(place, Url):
        query = "SELECT relname FROM pg_class JOIN pg_namespace ON relnamespace = pg_namespace.oid"
        query += " WHERE nspname = 'telemetry_collector' AND relkind = 'r'"
    return sorted(str(name) for (name,) in execute(place, query))


def _fingerprint(place: Place) -> object:
    if isinstance(place, Path):
        return {one.name: one.read_bytes() for one in place.parent.iterdir() if one.is_file()}
    return _tables(place)


def _run(name: str, *arguments: str) -> None:
    found = servers.program(name)
    assert found is not None
    subprocess.run([found, *arguments], check=True, env={"PATH": os.environ["PATH"]})


def test_a_new_server_looks_for_what_is_held_by_index_from_the_first_report_on(postgresql: PostgreSQL) -> None:
    """Statements are prepared when the table is empty, and their plans stay until the server has looked at it again."""
    database = postgresql.database()
    with Store.for_writing(url_of(postgresql, database), NOW) as store:
        for number in range(30):
            store.commit([submission(f"key-{number}-{one}") for one in range(20)])
    read = "SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = 'receipt'"
    inserted = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'receipt'"
    until(lambda: postgresql.execute(database, inserted) == [(600,)], "the server has counted")
    assert postgresql.execute(database, read) == [(0,)]
