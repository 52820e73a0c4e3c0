"""The file of the store, or its write-ahead log, that is removed or replaced while the collector uses it."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import time
from collections import Counter
from pathlib import Path

import pytest

from telemetry_collector.store import Store
from telemetry_collector.store import sqlite as sqlite_store
from tests.collector.test_trouble import refused_for_now, wait_for
from tests.support.collected import back_up, execute
from tests.support.collecting import Collector, exported, report, secrets
from tests.support.program import Program
from tests.support.waiting import until


def test_nothing_is_answered_as_stored_that_went_into_a_file_that_was_removed(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        assert collector.send(report(), "before").status == 202
        kept = back_up(program.store, program.store.with_name("kept.db"))
        for one in program.store.parent.glob(f"{program.store.name}*"):
            one.unlink()
        assert refused_for_now(collector.send(report(installation="other"), "while"))
        assert refused_for_now(collector.send(report(installation="other"), "while")), "no empty store is begun"
        assert collector.ask("GET", "/health/ready").status == 503
        kept.rename(program.store)
        wait_for(200, collector)
        assert collector.send(report(), "before").json["duplicate"] is True
        assert collector.send(report(installation="other"), "while").json["duplicate"] is False
        assert collector.end() == 0
    assert [one["id"] for one in exported(program)] == ["before", "while"]
    assert collector.errors.count(b"\n") == 1
    assert b"is gone" in collector.errors


def test_a_store_that_is_removed_while_nothing_comes_is_not_ready(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        program.store.unlink()
        wait_for(503, collector)


def test_keys_of_addresses_go_in_time_also_while_the_store_is_away(program: Program) -> None:
    program.configure('[collector]\nkey-period = "4s"\n')
    with Collector(program) as collector:
        before = set(secrets(program))
        program.store.unlink()
        wait_for(503, collector)
        until(lambda: not before & set(secrets(program)), "all are others", seconds=20)


def test_who_opens_the_store_while_a_service_starts_is_no_sign_of_a_log_that_was_removed(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one opens it, and its log is made, between two looks of the one that starts."""
    program.config.touch()
    with Store.for_writing(program.store, 0):
        pass
    looked = sqlite_store.identity
    opened: list[sqlite3.Connection] = []

    def look(path: Path) -> sqlite_store.Identity | None:
        found = looked(path)
        if not opened:
            opened.append(sqlite3.connect(program.store))
            opened[0].execute("SELECT count(*) FROM receipt").fetchall()
        return found

    monkeypatch.setattr(sqlite_store, "identity", look)
    with Store.for_writing(program.store, 0) as store:
        store.beat(1)
    opened[0].close()


def test_a_copy_that_is_moved_over_the_store_while_it_is_used_is_gone_on_with_as_it_is(program: Program) -> None:
    """The log of the file that lay there before is none of the copy's."""
    program.config.touch()
    with Collector(program) as collector:
        assert collector.send(report(), "before").status == 202
        copy = back_up(program.store, program.store.with_name("copy.db"))
        for number in range(30):
            assert collector.send(report(installation=str(number)), f"lost-{number}").status == 202
        copy.replace(program.store)
        answered = collector.send(report(installation="other"), "while")
        is_stored = not refused_for_now(answered)  # where the service, which looks once a second, was first
        wait_for(200, collector)
        assert [one["id"] for one in exported(program)] == ["before", "while"][: 1 + is_stored]
        assert collector.send(report(installation="other"), "while").json["duplicate"] is is_stored
        assert [one["id"] for one in exported(program)] == ["before", "while"]
    assert execute(program.store, "PRAGMA integrity_check") == [("ok",)]


def fill(collector: Collector, name: str, count: int) -> None:
    """Reports with keys that begin with a name, all stored."""
    keyed = [(f"{name}-{number}", report(installation=f"{name} {number}")) for number in range(count)]
    for start in range(0, count, 100):
        assert collector.send_batch(*keyed[start : start + 100]).status == 202


def exported_names(program: Program) -> Counter[str]:
    """How many reports there are of each name that `fill` was given."""
    return Counter(one["id"].rpartition("-")[0] for one in exported(program))


@pytest.mark.parametrize("is_emptied", [True, False])
@pytest.mark.parametrize("notices_by", ["report", "looking"])
def test_a_copy_that_is_put_where_the_store_was_removed_is_never_mixed_with_its_log(
    program: Program, tmp_path: Path, *, is_emptied: bool, notices_by: str
) -> None:
    program.config.touch()
    copy = tmp_path / "copy.db"
    with Collector(program) as collector:
        fill(collector, "kept", 300)
        if is_emptied:
            execute(program.store, "PRAGMA wal_checkpoint")
        back_up(program.store, copy)
        fill(collector, "lost", 100)
        program.store.unlink()
        if notices_by == "report":
            assert refused_for_now(collector.send(report(), "while"))
        time.sleep(2.5)
        shutil.copy(copy, program.store)
        wait_for(200, collector)
        assert exported_names(program) == {"kept": 300}
        assert execute(program.store, "PRAGMA integrity_check") == [("ok",)]
        fill(collector, "after", 10)
        assert collector.end() == 0
    assert exported_names(program) == {"kept": 300, "after": 10}
    assert execute(copy, "PRAGMA integrity_check") == [("ok",)]
    assert collector.errors.count(b"\n") == 1
    assert b"telemetry.db-wal.lost" in collector.errors
    assert Path(f"{program.store}-wal.lost").stat().st_size > 0


def test_a_file_that_was_moved_away_is_whole_with_the_log_that_was_kept_of_it(program: Program, tmp_path: Path) -> None:
    program.config.touch()
    with Collector(program) as collector:
        fill(collector, "kept", 50)
        program.store.rename(tmp_path / "moved.db")
        wait_for(503, collector)
        Path(f"{program.store}-wal.lost").rename(tmp_path / "moved.db-wal")
        assert execute(tmp_path / "moved.db", "SELECT count(*) FROM receipt") == [(50,)]


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_copy_in_the_place_that_a_link_names_is_never_mixed_with_the_log_there(
    program: Program, tmp_path: Path, *, is_removed: bool
) -> None:
    program.config.touch()
    real = tmp_path / "real" / "collector.db"
    real.parent.mkdir()
    program.store.parent.mkdir(exist_ok=True)
    program.store.symlink_to(real)
    with Collector(program) as collector:
        fill(collector, "kept", 100)
        copy = back_up(program.store, real.with_name("copy.db"))
        fill(collector, "lost", 100)
        if is_removed:
            real.unlink()
            wait_for(503, collector)
        copy.replace(real)
        time.sleep(1.5)
        wait_for(200, collector)
        assert exported_names(program) == {"kept": 100}
        fill(collector, "after", 10)
        assert collector.end() == 0
    assert exported_names(program) == {"kept": 100, "after": 10}
    assert execute(real, "PRAGMA integrity_check") == [("ok",)]
    assert Path(f"{real}-wal.lost").exists()


def test_a_link_that_names_another_file_meanwhile_costs_neither_of_them_anything(
    program: Program, tmp_path: Path
) -> None:
    program.config.touch()
    real, other = tmp_path / "real.db", tmp_path / "other.db"
    program.store.parent.mkdir(exist_ok=True)
    program.store.symlink_to(real)
    with Collector(program) as collector:
        fill(collector, "kept", 100)
        back_up(program.store, other)
        fill(collector, "old", 100)
        program.store.unlink()
        program.store.symlink_to(other)
        time.sleep(1.5)
        wait_for(200, collector)
        fill(collector, "new", 10)
        assert collector.end() == 0
    assert exported_names(program) == {"kept": 100, "new": 10}
    assert execute(real, "SELECT count(*) FROM receipt") == [(200,)]


def test_a_copy_that_takes_the_place_while_nothing_comes_may_be_read_soon(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        fill(collector, "kept", 100)
        copy = back_up(program.store, program.store.with_name("copy.db"))
        fill(collector, "lost", 400)
        up_to = "SELECT up_to FROM followed"
        until(lambda: execute(program.store, up_to) == [(500,)], "the fleet is followed")
        copy.replace(program.store)
        time.sleep(2.5)
        assert exported_names(program) == {"kept": 100}
        assert execute(program.store, "PRAGMA integrity_check") == [("ok",)]
        assert collector.ask("GET", "/health/ready").status == 200


@pytest.mark.parametrize("notices_by", ["report", "looking"])
@pytest.mark.parametrize("is_read", [True, False])
def test_what_lay_in_a_log_that_was_removed_is_kept_all_the_same(
    program: Program, *, notices_by: str, is_read: bool
) -> None:
    program.config.touch()
    with Collector(program) as collector:
        fill(collector, "before", 100)
        reader = sqlite3.connect(program.store)
        if is_read:  # who has the log open would write pages of it over those of the next one, when he closes it
            reader.execute("SELECT count(*) FROM receipt").fetchall()
        Path(f"{program.store}-wal").unlink()
        answered = collector.send(report(), "while") if notices_by == "report" else None
        is_stored = answered is not None and not refused_for_now(answered)  # it was noticed by looking before that
        time.sleep(3.5)
        if is_read:
            assert exported_names(program)["before"] == 100, "all of it can be read, and an empty log is made for that"
            time.sleep(2.5)
            assert collector.ask("GET", "/health/ready").status == 503
            reader.close()
        wait_for(200, collector)
        fill(collector, "after", 10)
        os.kill(collector.pid, signal.SIGKILL)
    reader.close()
    with Collector(program) as again:
        is_there = again.send(report(), "while").json["duplicate"]
        assert is_there or not is_stored
        assert not is_there or notices_by == "report"
        assert again.end() == 0
    assert exported_names(program) == {"before": 100, "after": 10, "": 1}
    assert execute(program.store, "PRAGMA integrity_check") == [("ok",)]
    assert collector.errors.count(b"\n") == 1
    assert b"telemetry.db-wal is gone" in collector.errors


@pytest.mark.parametrize("named", ["absolute", "relative", "link"])
def test_whoever_else_uses_the_store_as_he_may_is_no_mishap(program: Program, tmp_path: Path, named: str) -> None:
    program.config.touch()
    program.store.parent.mkdir(exist_ok=True)
    if named == "link":
        program.store.symlink_to(tmp_path / "real.db")
    arguments = ("--store", str(program.store.relative_to(program.directory))) if named == "relative" else ()
    with Collector(program, *arguments) as collector:
        wait_for(200, collector)
        for number in range(4):
            fill(collector, str(number), 50)
            assert collector.send(report(version=f"99.{number}.0"), f"odd-{number}").status == 202
            back_up(program.store, tmp_path / f"{number}.db")
            assert execute(program.store, "PRAGMA wal_checkpoint(TRUNCATE)")[0][0] == 0
            assert len(exported(program, *arguments)) == 51 * (number + 1)
            assert program("collector", "list", *arguments).status == 0
            assert program("collector", "release", f"odd-{number}", *arguments).status == 0
            assert collector.ask("GET", "/health/ready").status == 200
        time.sleep(2)
        assert collector.ask("GET", "/health/ready").status == 200
        assert collector.end() == 0
    assert collector.errors == b""
    assert not list(tmp_path.rglob("*.lost"))
