"""Files of the collector that are damaged, exposed or out of reach while it uses them; what is left of lost ones."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry_collector.store import Store
from telemetry_collector.writer import Writer
from telemetry_core.errors import StoreUnavailable, TelemetryError
from telemetry_core.store import Place
from tests.collector.test_trouble import Opening
from tests.support.collected import NOW, back_up, execute, filled, ids, submission
from tests.support.collecting import Collector, exported, report
from tests.support.program import Program
from tests.support.unprivileged import NOBODY, unprivileged, visible_directory
from tests.support.waiting import until


@pytest.mark.parametrize("is_restored", [True, False])
def test_hashes_that_were_left_of_a_lost_store_do_not_stop_the_next_one(
    program: Program, tmp_path: Path, *, is_restored: bool
) -> None:
    program.config.touch()
    with Collector(program) as collector:
        assert collector.send(report(), "a").status == 202
        back_up(program.store, tmp_path / "copy.db")
        assert [collector.send(report(installation=str(number)), str(number)).status for number in range(3)] == [
            202
        ] * 3
    for end in ("", "-wal", "-shm"):
        Path(f"{program.store}{end}").unlink(missing_ok=True)
    if is_restored:
        shutil.copy(tmp_path / "copy.db", program.store)
    with Collector(program) as collector:
        assert [collector.send(report(installation=str(number)), str(number)).status for number in range(3)] == [
            202
        ] * 3
        assert collector.end() == 0
    assert collector.errors == b""


def test_a_store_whose_hashes_cannot_be_written_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "collector.db"
    with Store.for_writing(path, NOW) as store, sqlite3.connect(f"{path}-addresses", isolation_level=None) as other:
        store.beat(NOW)
        store._database.read("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            store.beat(NOW)
        other.execute("ROLLBACK")
        store.beat(NOW)
    other.close()


class Noting(Opening):
    """An opening that keeps what it is told."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.noted: list[TelemetryError] = []

    def note(self, problem: TelemetryError) -> None:
        self.noted.append(problem)


async def become(writer: Writer, *, ready: bool) -> None:
    limit = time.monotonic() + 30
    while await writer.is_ready() != ready:
        assert time.monotonic() < limit
        await asyncio.sleep(0.05)


def test_after_a_directory_that_could_not_be_entered_the_writer_goes_on() -> None:
    with visible_directory() as directory, unprivileged_owner(directory):
        opening = Noting(directory / "state" / "collector.db")

        async def all_of_it() -> None:
            writer = Writer(opening, Store.for_writing(opening.place, NOW))
            writer.start()
            await become(writer, ready=True)
            await writer.commit([submission("before")])
            (directory / "state").chmod(0)
            await become(writer, ready=False)
            await asyncio.sleep(2.5)  # it is tried again, in vain
            (directory / "state").chmod(0o700)
            await become(writer, ready=True)
            assert (await writer.commit([submission("after")]))[0].ruling == "stored"
            await writer.end()

        asyncio.run(all_of_it())
        assert opening.bugs == 0
        assert ["Permission denied" in one.message for one in opening.noted] == [True]
        assert ids(opening.place) == ["before", "after"]


@contextmanager
def unprivileged_owner(directory: Path) -> Iterator[None]:
    """A while as nobody, in a directory of nobody's own."""
    if os.geteuid() == 0:
        os.chown(directory, NOBODY, NOBODY)
    with unprivileged():
        yield


def test_a_place_that_cannot_be_looked_at_is_an_error_of_the_store() -> None:
    with visible_directory() as directory:
        path = directory / "closed" / "collector.db"
        filled(path, "a")
        with path_closed(path.parent), unprivileged():
            for opening in (Store.for_deciding, lambda place, now: Store.for_writing(place, now, again=True)):
                with pytest.raises(StoreUnavailable, match="Permission denied"):
                    opening(path, NOW)


@contextmanager
def path_closed(directory: Path) -> Iterator[None]:
    """A directory that nobody but root may enter."""
    directory.chmod(0)
    try:
        yield
    finally:
        directory.chmod(0o700)


class Stumbling(Noting):
    """An opening with a bug that nobody knows yet, and a store that it can open after all."""

    left = 2

    def store(self, *, again: bool) -> Store:
        self.left -= 1
        if self.left >= 0:
            raise ZeroDivisionError
        return super().store(again=again)


def test_a_writer_outlives_an_opening_that_fails_as_nobody_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry_collector.writer._RETRY_SECONDS", 0.1)
    opening = Stumbling(tmp_path / "collector.db")

    def lose(store: Store) -> None:
        raise StoreUnavailable("planted")

    async def all_of_it() -> None:
        writer = Writer(opening, Store.for_writing(opening.place, NOW))
        writer.start()
        await become(writer, ready=True)
        with pytest.raises(StoreUnavailable):
            await writer.call(lose)
        await become(writer, ready=True)
        assert (await writer.commit([submission("a")]))[0].ruling == "stored"
        await writer.end()

    asyncio.run(all_of_it())
    assert opening.bugs == 1, "said once for as long as it lasts"


def test_damaged_pages_of_the_hashes_cost_the_hashes_alone(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        sent = [collector.send(report(installation=str(number))).status for number in range(300)]
        assert sent == [202] * 300
    addresses = Path(f"{program.store}-addresses")
    content = addresses.read_bytes()
    assert len(content) > 3 * 4096
    addresses.write_bytes(content[:4096] + os.urandom(len(content) - 4096))
    with Collector(program) as collector:
        sent = [collector.send(report(installation=f"after {number}")).status for number in range(4)]
        assert sent == [202] * 4
        assert collector.end() == 0
    assert len(exported(program)) == 304
    assert collector.errors == b""


def test_a_key_file_that_others_can_read_is_said_once_and_the_rest_is_tended(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        keys = program.store.parent / "collector.keys"
        keys.chmod(0o644)
        time.sleep(2.5)
        assert collector.send(report(), "a").status == 202
        until(lambda: execute(program.store, "SELECT up_to FROM followed") == [(1,)], "the fleet is followed")
        time.sleep(1.5)
        assert collector.end() == 0
    assert collector.errors.count(b"chmod") == 1


def test_a_key_file_that_is_exposed_again_is_said_again(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        keys = program.store.parent / "collector.keys"
        for mode in (0o644, 0o600, 0o644):
            keys.chmod(mode)
            time.sleep(2.5)
        assert collector.end() == 0
    assert collector.errors.count(b"chmod") == 2
