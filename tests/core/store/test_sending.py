"""`telemetry_core.store`: the lock of those who send, and what a killed process leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry_core.errors import AlreadySending, StoreUnavailable
from telemetry_core.store import Store
from tests.support.clock import START
from tests.support.delivering import new_store
from tests.support.unprivileged import unprivileged, visible_directory


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "telemetry.db"


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    with new_store(file) as opened:
        yield opened


@contextmanager
def child(store: Store, doing: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that does something with the store, says so, and then waits to be killed."""
    program = f"""
import sys, time
from pathlib import Path
from telemetry_core.store import Store
with Store.for_writing(Path(sys.argv[1]), {START}) as store:
    {doing}
        print("ready", flush=True)
        time.sleep(60)
"""
    command = [sys.executable, "-c", program, str(store.place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_while_another_process_sends_nobody_else_does(store: Store) -> None:
    with child(store, "with store.sending():"):
        with pytest.raises(AlreadySending) as raised, store.sending():
            pytest.fail("two processes are sending")
        assert raised.value.exit_status == 7


def test_the_lock_is_free_again_when_its_holder_was_killed(store: Store) -> None:
    with child(store, "with store.sending():") as holder:
        holder.kill()
        holder.wait()
        with store.sending():
            pass


def test_the_lock_is_free_again_after_an_error(store: Store) -> None:
    with pytest.raises(KeyError), store.sending():
        raise KeyError
    with store.sending():
        pass


def test_the_lock_holds_within_a_process_too(store: Store) -> None:
    with Store.for_writing(store.place, START) as other:
        with store.sending(), pytest.raises(AlreadySending), other.sending():
            pytest.fail("two are sending")
        with other.sending():
            pass


def test_the_lock_of_one_store_is_none_of_another(store: Store, tmp_path: Path) -> None:
    with (
        Store.for_writing(tmp_path / "other" / "telemetry.db", START) as other,
        store.sending(),
        other.sending(),
    ):
        pass


def test_the_lock_stands_beside_the_store_for_its_owner_alone(store: Store, file: Path) -> None:
    with store.sending():
        lock = file.with_name("telemetry.db.lock")
        assert f"{lock.stat().st_mode & 0o7777:04o}" == "0600"


def test_the_lock_keeps_nobody_from_reading_and_writing(store: Store) -> None:
    with child(store, "with store.sending():"):
        store.properties.put("", "a", "1")
        with Store.for_reading(store.place, START) as other:
            assert other.properties.get("", "a") == "1"


def test_a_lock_that_cannot_be_made_is_said(store: Store, file: Path) -> None:
    file.with_name("telemetry.db.lock").mkdir()
    with pytest.raises(StoreUnavailable) as raised, store.sending():
        pytest.fail("without a lock")
    assert raised.value.message.startswith(f"The lock beside the store {file} cannot be made: ")
    assert raised.value.hint == "The directory of the store must be writable for this user."


def test_a_lock_that_cannot_be_let_go_undoes_nothing(store: Store, file: Path) -> None:
    """Found by the battery of disk errors: EIO at the last `flock` was a traceback."""
    with store.sending():
        names = [(int(one.name), one.readlink().name) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
        os.close(next(number for number, name in names if name == f"{file.name}.lock"))


def test_a_user_who_may_not_write_beside_the_store_cannot_send() -> None:
    with visible_directory() as directory:
        path = directory / "telemetry.db"
        with Store.for_writing(path, START) as store, store.sending():
            pass  # and what is loaded late is loaded now
        path.with_name("telemetry.db.lock").unlink()
        path.chmod(0o644)
        directory.chmod(0o555)
        with (
            unprivileged(),
            Store.for_reading(path, START) as store,
            pytest.raises(StoreUnavailable, match="The lock beside the store"),
            store.sending(),
        ):
            pytest.fail("without a lock")
        directory.chmod(0o755)


def test_a_transaction_of_a_killed_process_was_never_made(store: Store) -> None:
    store.properties.put("", "a", "before")
    doing = "with store.transaction():\n        store.properties.put('', 'a', 'x' * 5_000_000)"
    with child(store, doing) as writer:
        writer.kill()
        writer.wait()
    assert store.properties.get("", "a") == "before"
    store.properties.put("", "a", "after")
    assert store.properties.get("", "a") == "after"
