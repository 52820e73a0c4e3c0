"""`telemetry_core.store`: a store that is gone or damaged is told from a first run, and what is damaged is kept."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from telemetry_core.config import Url
from telemetry_core.errors import AlreadySending, StoreDamaged, StoreTooNew, StoreUnavailable
from telemetry_core.store import Place, Store
from telemetry_core.store.sqlite import set_aside
from tests.core.store.test_rows import DECISION
from tests.support.clock import START
from tests.support.delivering import periodic
from tests.support.stores import connected, downgrade, tamper
from tests.support.unprivileged import unprivileged, visible_directory

LATER = START + 86_400_000


def filled(place: Place, markers: Path) -> None:
    """A store with a decision and a report."""
    with Store.for_writing(place, START, markers=markers) as store:
        store.consents.append(DECISION)
        assert store.reports.open(periodic())


def destroy(place: Place) -> None:
    """What an accident does."""
    if isinstance(place, Path):
        place.unlink()
        return
    with connected(place) as server:
        server.execute("DROP SCHEMA telemetry CASCADE")


def flip(place: Place) -> None:
    """A bit in the consent's history is not as it was written."""
    with Store.for_writing(place, START) as store:
        tamper(store, "UPDATE consent SET decision = replace(decision, 'enabled', 'enbaled')")


def test_the_first_store_is_no_lost_one(place: Place, tmp_path: Path) -> None:
    for now in (START, LATER):
        with Store.for_writing(place, now, markers=tmp_path) as store:
            assert (store.lost_at, store.begun_anew) == (None, False)
        with Store.for_reading(place, now, markers=tmp_path) as store:
            assert store.lost_at is None


def test_a_store_that_is_gone_is_a_lost_one_for_ever_after(place: Place, tmp_path: Path) -> None:
    filled(place, tmp_path)
    destroy(place)
    with Store.for_reading(place, LATER, markers=tmp_path) as store:
        assert (store.lost_at, store.consents.history()) == (LATER, [])
    with Store.for_writing(place, LATER, markers=tmp_path) as store:
        assert (store.lost_at, store.begun_anew) == (LATER, True)
    with Store.for_writing(place, LATER + 1, markers=tmp_path) as store:
        assert (store.lost_at, store.begun_anew) == (LATER, False)


def test_a_file_that_was_emptied_is_a_lost_store_and_reading_leaves_it_empty(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    filled(path, tmp_path)
    path.write_bytes(b"")
    with Store.for_reading(path, LATER) as store:
        assert store.lost_at == LATER
    assert path.read_bytes() == b""
    with Store.for_writing(path, LATER) as store:
        assert store.lost_at == LATER


def test_without_its_marker_a_missing_store_is_a_first_one(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    filled(path, tmp_path)
    path.unlink()
    (tmp_path / "telemetry.db.marker").unlink()
    with Store.for_writing(path, LATER) as store:
        assert store.lost_at is None


def test_a_store_of_before_there_were_markers_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    filled(path, tmp_path)
    (tmp_path / "telemetry.db.marker").unlink()
    filled_again = Store.for_writing(path, LATER)
    assert (filled_again.lost_at, len(filled_again.consents.history())) == (None, 1)
    filled_again.__exit__()
    assert (tmp_path / "telemetry.db.marker").exists()


def test_a_host_that_cannot_keep_the_marker_of_a_shared_store_uses_it_all_the_same(shared_place: Url) -> None:
    with visible_directory() as directory:
        directory.chmod(0o555)
        with unprivileged():
            filled(shared_place, directory / "state")
        assert list(directory.iterdir()) == []


def test_a_damaged_store_is_set_aside_whole_and_another_begins_in_its_place(place: Place, tmp_path: Path) -> None:
    filled(place, tmp_path)
    flip(place)
    before = place.read_bytes() if isinstance(place, Path) else b""
    kept = Store.set_aside(place, LATER, markers=tmp_path)
    assert kept is not None
    with Store.for_writing(place, LATER, markers=tmp_path) as store:
        assert (store.lost_at, store.consents.history(), store.reports.newest_first()) == (LATER, [], [])
    if isinstance(place, Path):
        assert Path(kept).read_bytes() == before
        assert Path(kept).parent == place.parent
        return
    with connected(place) as server:
        assert server.execute(f"SELECT count(*) FROM {kept}.report".encode()).fetchone() == (1,)


def test_of_two_processes_that_find_the_damage_one_sets_it_aside(place: Place, tmp_path: Path) -> None:
    filled(place, tmp_path)
    flip(place)
    assert Store.set_aside(place, LATER, markers=tmp_path) is not None
    filled(place, tmp_path)
    assert Store.set_aside(place, LATER, markers=tmp_path) is None
    with Store.for_reading(place, LATER, markers=tmp_path) as store:
        assert len(store.consents.history()) == 1


def test_a_second_damage_of_the_same_second_does_not_replace_the_first(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    for content in (b"one", b"two", b"three"):
        filled(path, tmp_path)
        path.write_bytes(content)
        assert Store.set_aside(path, LATER) is not None
    kept = {file.read_bytes() for file in tmp_path.glob("telemetry.db.damaged-*")}
    assert kept == {b"one", b"two", b"three"}


def test_the_journal_of_a_damaged_file_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    path.write_bytes(b"garbage")
    journal = tmp_path / "telemetry.db-journal"
    journal.write_bytes(b"what a killed process was about to change")
    kept = set_aside(path, LATER)
    assert not journal.exists()
    assert Path(f"{kept}-journal").read_bytes() == b"what a killed process was about to change"


@pytest.mark.parametrize("content", [b"a letter to my aunt", b""])
def test_what_was_never_a_store_is_not_moved(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(content)
    assert Store.set_aside(path, LATER) is None
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["letter"]


def test_the_database_of_another_program_is_not_moved(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    with pytest.raises(StoreDamaged, match="no store of telemetry"):
        Store.for_writing(path, START)
    assert Store.set_aside(path, LATER) is None
    assert path.exists()


def test_while_another_process_sends_from_it_nothing_is_moved(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    filled(path, tmp_path)
    with Store.for_writing(path, START) as store, store.sending():
        flip(path)
        with pytest.raises(AlreadySending):
            Store.set_aside(path, LATER)
    assert path.exists()


def test_a_store_that_cannot_be_moved_says_so() -> None:
    with visible_directory() as directory:
        path = directory / "telemetry.db"
        filled(path, directory)
        path.write_bytes(b"garbage")
        (directory / "telemetry.db.lock").touch()
        (directory / "telemetry.db.lock").chmod(0o666)
        path.chmod(0o666)
        directory.chmod(0o555)
        with unprivileged(), pytest.raises(StoreUnavailable, match="cannot be used"):
            Store.set_aside(path, LATER)
        directory.chmod(0o755)
        assert path.read_bytes() == b"garbage"


@pytest.mark.parametrize("index", ["report_created", "report_of"])
def test_an_index_that_says_something_else_than_its_table_is_damage(index: str, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    filled(path, tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET rootpage = 2 WHERE name = ?", (index,))
    connection.close()
    with Store.for_reading(path, LATER) as store, pytest.raises(StoreDamaged):
        store.verify()


def test_a_release_before_reads_the_store_of_the_next_one_and_leaves_writing_to_it(place: Place) -> None:
    """DESIGN §6: one release older still reads."""
    with Store.for_writing(place, START) as store:
        store.consents.append(DECISION)
        newest = store._database.version()
        tamper(store, "INSERT INTO migration (version, applied_at, readable_from) VALUES (1000, 0, ?)", newest)
    with Store.for_reading(place, START) as store:
        assert store.consents.history() == [DECISION]
        assert store.verify() == (1, 0)
    with pytest.raises(StoreTooNew):
        Store.for_writing(place, START)
    assert Store.set_aside(place, START, markers=Path("/nonexistent")) is None


def test_older_ones_do_not_read_it(place: Place) -> None:
    with Store.for_writing(place, START) as store:
        newest = store._database.version()
        tamper(store, "INSERT INTO migration (version, applied_at, readable_from) VALUES (1000, 0, ?)", newest + 1)
    for opening in (Store.for_reading, Store.for_writing):
        with pytest.raises(StoreTooNew):
            opening(place, START)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_reading_an_older_store_changes_nothing_of_it(version: int, place: Place, tmp_path: Path) -> None:
    filled(place, tmp_path)
    downgrade(place, version)
    with Store.for_reading(place, LATER) as store:
        assert (len(store.consents.history()), len(store.reports.newest_first())) == (1, 1)
        assert store.verify() == (1, 1)
        assert store._database.version() == version
