"""The stamp: it holds while all is as it was, for a while, and for nobody else."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from telemetry_core import paths, stamp, system

NOW = 1_795_000_000_000
HOUR = 3_600_000
VARIABLES = {"TELEMETRY_ENDPOINT": "https://telemetry.example.com/pings", "HOME": "/home/ada", "LANG": "C"}


@dataclass(frozen=True)
class Ground:
    """What a stamp is made from: a configuration with drop-ins, a policy that is not there, a store."""

    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / "telemetry.toml"

    @property
    def drop_in(self) -> Path:
        return self.directory / "telemetry.d" / "10-endpoint.toml"

    @property
    def policy(self) -> Path:
        return self.directory / "policy.toml"

    @property
    def store(self) -> Path:
        return self.directory / "telemetry.db"

    @property
    def stamp(self) -> str:
        return f"{self.store}.stamp"

    def lay(self) -> None:
        self.drop_in.parent.mkdir()
        self.config.write_text("period = 1")
        self.drop_in.write_text("period = 2")
        for path in (self.config, self.drop_in, self.drop_in.parent):
            os.utime(path, (1, 1))  # as things are that have settled
        self.change("CREATE TABLE one (name)")

    def change(self, statement: str = "INSERT INTO one VALUES ('x')") -> None:
        with closing(sqlite3.connect(self.store)) as connection, connection:
            connection.execute(statement)

    def leave(self, *, told: str = "as told", not_before: int = NOW + HOUR) -> None:
        files = (self.config, self.drop_in.parent, self.drop_in, self.policy)
        watched = [("file", stamp.identity(str(path)), str(path)) for path in files]
        watched.append(("store", stamp.identity(str(self.store), is_store=True), str(self.store)))
        stamp.leave(self.stamp, told, written_at=NOW, not_before=not_before, watched=watched)

    def holds(self, *, told: str = "as told", now: int = NOW) -> bool:
        return stamp.holds(self.stamp, told, now)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    laid = Ground(tmp_path)
    laid.lay()
    laid.leave()
    return laid


def in_place(path: Path, text: str) -> None:
    """Change a file's content and nothing else that can be put back."""
    before = path.stat()
    while path.stat().st_ctime_ns == before.st_ctime_ns:  # not within the same tick: that is a test of its own
        with path.open("r+") as stream:
            stream.write(text)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def anew(path: Path, text: str) -> None:
    """Put another file in its place."""
    other = path.with_suffix(".other")
    other.write_text(text)
    other.replace(path)


def round_and_round(path: Path) -> None:
    """Make a link of a file that leads nowhere but to itself."""
    path.unlink()
    path.symlink_to(path)


CHANGES: dict[str, Callable[[Ground], object]] = {
    "a setting is edited": lambda one: one.config.write_text("period = 1h"),
    "a setting is edited, with the old length and time": lambda one: in_place(one.config, "period = 9"),
    "another configuration is put in its place": lambda one: anew(one.config, "period = 1"),
    "the configuration is removed": lambda one: one.config.unlink(),
    "a drop-in is edited": lambda one: in_place(one.drop_in, "period = 9"),
    "a drop-in is added": lambda one: (one.drop_in.parent / "20-more.toml").write_text(""),
    "a drop-in is removed": lambda one: one.drop_in.unlink(),
    "a drop-in is renamed": lambda one: one.drop_in.rename(one.drop_in.with_name("90-late.toml")),
    "the directory of the drop-ins is gone": lambda one: one.drop_in.parent.rename(one.directory / "elsewhere"),
    "a policy appears": lambda one: one.policy.write_text(""),
    "a transaction changes the store": lambda one: one.change(),
    "the store is gone": lambda one: one.store.unlink(),
    "the store is emptied": lambda one: one.store.write_bytes(b""),
    "an older store is put in its place": lambda one: anew(one.store, one.store.read_bytes().decode("latin-1")),
    "the store cannot be looked at any more": lambda one: round_and_round(one.store),
    "the stamp is removed": lambda one: Path(one.stamp).unlink(),
}  # fmt: skip


def test_it_holds_from_when_it_was_written_until_something_may_be_due(ground: Ground) -> None:
    assert [ground.holds(now=NOW + after) for after in (-1, 0, HOUR - 1, HOUR)] == [False, True, True, False]


@pytest.mark.parametrize("what", CHANGES)
def test_it_does_not_hold_after(what: str, ground: Ground) -> None:
    assert ground.holds()
    CHANGES[what](ground)
    assert not ground.holds()


def test_a_transaction_within_the_tick_of_the_file_systems_clock_is_seen(ground: Ground) -> None:
    """Times that are as they were are all that a coarse clock would show; SQLite counts by itself."""
    before = stamp.identity(str(ground.store), is_store=True)
    counts = [before.rpartition(":")[2]]
    for _ in range(3):
        ground.change()
        counts.append(stamp.identity(str(ground.store), is_store=True).rpartition(":")[2])
    assert len({*counts}) == 4


def test_it_does_not_hold_for_other_surroundings(ground: Ground) -> None:
    assert not ground.holds(told="otherwise")


@pytest.mark.parametrize(
    "other",
    [
        {"TELEMETRY_ENDPOINT": "https://telemetry.example.org/pings"},
        {"TELEMETRY_ENGINES__ORDERS__REST": "http://127.0.0.1:8080/engine-rest"},
        {"DO_NOT_TRACK": "1"},
        {"HOME": "/root"},
        {"XDG_CONFIG_HOME": "/home/ada/.settings"},
        {"XDG_STATE_HOME": "/home/ada/.state"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_other_variables_are_other_surroundings(other: dict[str, str]) -> None:
    assert stamp.surroundings(VARIABLES | other, 0, "/") != stamp.surroundings(VARIABLES, 0, "/")


def test_other_users_directories_and_releases_are_other_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    here = stamp.surroundings(VARIABLES, 0, "/")
    others = [stamp.surroundings(VARIABLES, 1000, "/"), stamp.surroundings(VARIABLES, 0, "/tmp")]
    monkeypatch.setattr(stamp, "VERSION", "0.2.0")
    assert len({here, *others, stamp.surroundings(VARIABLES, 0, "/")}) == 4


def test_variables_of_other_programs_do_not_matter() -> None:
    assert stamp.surroundings(VARIABLES | {"LANG": "de"}, 0, "/") == stamp.surroundings(VARIABLES, 0, "/")


def test_no_secret_can_be_read_from_it() -> None:
    told = stamp.surroundings({"TELEMETRY_STORE": "postgresql://ada:geheim@db.example.com/telemetry"}, 0, "/")
    assert "geheim" not in told
    assert "example" not in told


def test_names_that_are_no_text_are_surroundings_too() -> None:
    assert stamp.surroundings({"TELEMETRY_STORE": "/\udcff", "HOME": "/a\nb"}, 0, "/\udcff").isascii()


def test_one_that_was_cut_short_does_not_hold(ground: Ground) -> None:
    """As after a crash, which may leave zeros where the rest should be: it is not brought to the disk."""
    whole = Path(ground.stamp).read_bytes()
    for length in range(len(whole)):
        for rest in (b"", b"\0" * (len(whole) - length)):
            Path(ground.stamp).write_bytes(whole[:length] + rest)
            assert not ground.holds(), (length, rest)


def test_it_is_for_its_owner_alone_and_leaves_nothing_beside_it(ground: Ground) -> None:
    assert Path(ground.stamp).stat().st_mode & 0o777 == 0o600
    assert {path.name for path in ground.directory.iterdir()} == {
        "telemetry.toml", "telemetry.d", "telemetry.db", "telemetry.db.stamp",
    }  # fmt: skip


def test_no_directory_is_made_for_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        stamp.leave(str(tmp_path / "none" / "stamp"), "", written_at=0, not_before=1, watched=[])
    assert list(tmp_path.iterdir()) == []


def test_what_others_have_put_where_it_is_written_is_not_followed(ground: Ground) -> None:
    precious = ground.directory / "precious"
    precious.write_text("precious")
    Path(f"{ground.stamp}.new").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        ground.leave()
    assert precious.read_text() == "precious"


def test_a_path_that_no_line_can_hold_is_not_stamped(ground: Ground) -> None:
    Path(ground.stamp).unlink()
    odd = replace(ground, directory=ground.directory / "a\nb")
    odd.directory.mkdir()
    odd.lay()
    odd.leave()
    assert not Path(odd.stamp).exists()


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"TELEMETRY_STORE": "/srv/t.db", "TELEMETRY_STATE_DIRECTORY": "/srv/state"}, "/srv/t.db.stamp"),
        ({"TELEMETRY_STORE": "postgresql://db/t", "TELEMETRY_STATE_DIRECTORY": "/s"}, "/s/telemetry.db.stamp"),
        ({"TELEMETRY_STORE": "", "TELEMETRY_STATE_DIRECTORY": "/s"}, "/s/telemetry.db.stamp"),
    ],
)
def test_it_is_beside_the_store_where_variables_say_where_that_is(variables: dict[str, str], place: str) -> None:
    assert stamp.place(variables, is_root=False) == place


def test_roots_is_in_the_systems_place() -> None:
    assert stamp.place({"HOME": "/root"}, is_root=True) == "/var/lib/telemetry/telemetry.db.stamp"


@pytest.mark.parametrize("more", [{}, {"XDG_STATE_HOME": "/home/ada/states"}])
def test_a_users_own_is_where_the_store_is(
    more: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, names in ((system, ("CONFIG", "STATE")), (paths, ("SYSTEM_CONFIG", "SYSTEM_STATE"))):
        for name in names:
            monkeypatch.setattr(module, name, tmp_path / "none")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    variables = {"HOME": "/home/ada", **more}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert stamp.place(variables, is_root=False) == f"{paths.default_places(is_root=False).store}.stamp"


def test_without_a_home_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "STATE"):
        monkeypatch.setattr(system, name, str(tmp_path / "none"))
    assert stamp.place({}, is_root=False) is None


@pytest.mark.parametrize(("age", "settled"), [(-1000, False), (0, False), (1999, False), (2001, True)])
def test_what_was_changed_within_two_seconds_may_change_again_unseen(age: int, settled: bool) -> None:
    assert stamp.has_settled(f"{(NOW - age) * 1_000_000}:0:1:1", NOW) is settled
    assert stamp.has_settled(stamp.ABSENT, NOW)
