"""`telemetry_core.store.sqlite`: who may use the file, what is done in it whole or not at all, and what it is not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry_core.errors import StoreDamaged, StoreTooNew, StoreUnavailable
from telemetry_core.store import Store
from telemetry_core.store.sqlite import File
from tests.support.clock import START
from tests.support.unprivileged import unprivileged, visible_directory

HINT = "Run as the user that owns it (often: sudo telemetry ...), or name another with TELEMETRY_STORE."


def mode(path: Path) -> str:
    return f"{path.stat().st_mode & 0o7777:04o}"


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def names(path: Path) -> set[str]:
    return {found.name for found in path.iterdir()}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_new_store_is_its_owners_alone_in_a_directory_that_is_too(mask: int, tmp_path: Path) -> None:
    path = tmp_path / "new" / "telemetry.db"
    with umask(mask), Store.for_writing(path, START) as store:
        store.properties.put("", "a", "b")
    assert (mode(path.parent), mode(path)) == ("0700", "0600")


def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    with Store.for_writing(tmp_path / "telemetry.db", START):
        assert (mode(tmp_path), mode(tmp_path / "telemetry.db")) == ("0750", "0600")


def test_what_is_written_reaches_the_disk_before_it_counts(tmp_path: Path) -> None:
    Store.for_writing(tmp_path / "telemetry.db", START).__exit__()
    for database in (File.create(tmp_path / "telemetry.db"), File.existing(tmp_path / "telemetry.db")):
        full = 2
        assert database is not None
        assert database.read("PRAGMA synchronous") == [(full,)]
        assert database.read("PRAGMA busy_timeout") == [(10_000,)]
        database.close()


def test_a_name_that_looks_like_part_of_an_address_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "a b?mode=memory#ü%41" / "telemetry.db"
    with Store.for_writing(path, START) as store:
        store.properties.put("", "kept", "yes")
    with Store.for_reading(path, START) as store:
        assert store.properties.get("", "kept") == "yes"
    assert names(tmp_path) == {"a b?mode=memory#ü%41"}


def test_reading_a_store_that_is_not_there_shows_an_empty_one_and_makes_nothing(tmp_path: Path) -> None:
    for path in (tmp_path / "telemetry.db", tmp_path / "no" / "where" / "telemetry.db"):
        with Store.for_reading(path, START) as store:
            assert store.consents.history() == []
            assert store.reports.newest_first() == []
            assert store.properties.get("", "first-run") is None
    assert list(tmp_path.iterdir()) == []


def test_a_transaction_is_rolled_back_whole_on_an_exception(tmp_path: Path) -> None:
    with Store.for_writing(tmp_path / "telemetry.db", START) as store:
        store.properties.put("", "before", "1")
        with pytest.raises(KeyboardInterrupt), store.transaction():
            store.properties.put("", "before", "2")
            store.properties.put("", "inside", "1")
            raise KeyboardInterrupt
        assert store.properties.get("", "before") == "1"
        assert store.properties.get("", "inside") is None
        with store.transaction():
            store.properties.put("", "after", "1")
    with Store.for_reading(tmp_path / "telemetry.db", START) as store:
        assert store.properties.get("", "after") == "1"


def test_a_transaction_inside_another_is_part_of_it(tmp_path: Path) -> None:
    with Store.for_writing(tmp_path / "telemetry.db", START) as store:
        with pytest.raises(KeyError), store.transaction():
            with store.transaction():
                store.properties.put("", "inner", "1")
            raise KeyError
        assert store.properties.get("", "inner") is None


def test_another_connection_sees_nothing_of_a_transaction_before_its_end(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with Store.for_writing(path, START) as store, Store.for_reading(path, START) as other:
        with store.transaction():
            store.properties.put("", "a", "1")
            assert other.properties.get("", "a") is None
        assert other.properties.get("", "a") == "1"


def test_opening_a_store_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    Store.for_writing(path, START).__exit__()
    before = path.read_bytes()
    Store.for_writing(path, START + 1).__exit__()
    Store.for_reading(path, START + 2).__exit__()
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"garbage", b"\0" * 5000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_store_is_damaged_and_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    path.write_bytes(content)
    for opening in (Store.for_writing, Store.for_reading):
        with pytest.raises(StoreDamaged) as raised:
            opening(path, START)
        assert raised.value.exit_status == 8
        assert raised.value.message.startswith(f"The store {path} is damaged: ")
        assert raised.value.hint == "Keep the file, and restore it from a backup if you have one."
    assert path.read_bytes() == content
    assert names(tmp_path) == {"telemetry.db"}


def test_a_page_that_was_overwritten_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    with Store.for_writing(path, START) as store:
        store.properties.put("", "large", "x" * 100_000)
    content = bytearray(path.read_bytes())
    content[-50_000:-40_000] = b"\x55" * 10_000
    path.write_bytes(content)
    with Store.for_reading(path, START) as store, pytest.raises(StoreDamaged, match="malformed"):
        store.properties.get("", "large")


def test_a_store_without_its_tables_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    Store.for_writing(path, START).__exit__()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE consent")
    connection.close()
    with Store.for_reading(path, START) as store, pytest.raises(StoreDamaged, match="no such table: consent"):
        store.consents.history()


def test_a_store_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    Store.for_writing(path, START).__exit__()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO migration (version, applied_at) VALUES (1000, 0)")
    connection.close()
    before = path.read_bytes()
    for opening in (Store.for_writing, Store.for_reading):
        with pytest.raises(StoreTooNew) as raised:
            opening(path, START)
        assert raised.value.exit_status == 8
        assert raised.value.message == f"The store {path} was written by a newer release."
    assert path.read_bytes() == before


def test_a_directory_in_the_place_of_the_store_is_no_store(tmp_path: Path) -> None:
    for opening in (Store.for_writing, Store.for_reading):
        with pytest.raises(StoreUnavailable) as raised:
            opening(tmp_path, START)
        assert raised.value.message.startswith(f"The store {tmp_path} cannot be used: ")
        assert (raised.value.hint, raised.value.exit_status) == (HINT, 8)


def test_a_store_below_a_file_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match=r"Not a directory|File exists"):
        Store.for_writing(tmp_path / "file" / "telemetry.db", START)


def test_a_store_that_this_user_may_not_read_is_unavailable_and_no_second_one_is_made() -> None:
    with visible_directory() as directory:
        path = directory / "telemetry.db"
        Store.for_writing(path, START).__exit__()
        path.chmod(0o000)
        for opening in (Store.for_writing, Store.for_reading):
            with unprivileged(), pytest.raises(StoreUnavailable) as raised:
                opening(path, START)
            assert raised.value.message.startswith(f"The store {path} cannot be used: ")
            assert raised.value.hint == HINT
        assert names(directory) == {"telemetry.db", "telemetry.db.marker"}


def test_a_store_in_a_directory_that_this_user_may_not_enter_is_unavailable_and_not_absent() -> None:
    with visible_directory() as directory:
        path = directory / "closed" / "telemetry.db"
        Store.for_writing(path, START).__exit__()
        path.parent.chmod(0o000)
        try:
            with unprivileged(), pytest.raises(StoreUnavailable, match="Permission denied"):
                Store.for_reading(path, START)
        finally:
            path.parent.chmod(0o700)


def test_a_store_that_this_user_may_only_read_is_read_and_cannot_be_changed() -> None:
    with visible_directory() as directory:
        path = directory / "telemetry.db"
        with Store.for_writing(path, START) as store:
            store.properties.put("", "a", "1")
        path.chmod(0o444)
        with unprivileged(), Store.for_reading(path, START) as store:
            assert store.properties.get("", "a") == "1"
            with pytest.raises(StoreUnavailable, match="readonly"):
                store.properties.put("", "a", "2")
