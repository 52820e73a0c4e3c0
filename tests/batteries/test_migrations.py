"""A program that is killed while it brings a store of an earlier release up to date: nothing is lost or half."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from telemetry_core.config import Url
from telemetry_core.store import Place, Store
from tests.batteries import tracing
from tests.batteries.tally import some
from tests.batteries.world import World, periodic
from tests.support.clock import START
from tests.support.dose import DOSE
from tests.support.postgresql import PostgreSQL
from tests.support.stores import downgrade

pytestmark = pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))

EARLIER = (1, 2, 3)
NEWEST = 4
#: Where something reaches the disk or the server.
CALLS = ("pwrite64", "write", "fsync", "fdatasync", "ftruncate", "unlink", "unlinkat", "rename", "rmdir", "mkdir")
#: With DO_NOT_TRACK it opens the store to write, and writes nothing more; with an option it looks at no stamp.
COMMAND = ("send", "--all")


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    tracing.end()


def content(place: Place) -> tuple[object, ...]:
    """What must outlive a migration; it checks every digest and both chains."""
    with Store.for_reading(place, START) as store:
        return (
            store.verify(),
            store.reports.newest_first(),
            [store.reports.attempts(report.id) for report in store.reports.newest_first()],
            store.consents.history(),
        )


def version(place: Place) -> int:
    with Store.for_reading(place, START) as store:
        return store._database.version()


def begun(world: World) -> None:
    """A store in use: decided, sent, and a report waiting."""
    periodic(world)
    world.desk.keep()
    world.program.variables["DO_NOT_TRACK"] = "1"


def world_of_before(world: World, earlier: int) -> Path:
    """A store as a release before this one has left it."""
    begun(world)
    path = world.program.store
    (path.parent / "telemetry.db.marker").unlink()
    downgrade(path, earlier)
    return path


@pytest.mark.parametrize("earlier", EARLIER)
def test_a_store_of_an_earlier_release_is_brought_up_to_date_with_a_copy_kept(earlier: int) -> None:
    with World.running() as world:
        path = world_of_before(world, earlier)
        before = content(path)
        assert world.program(*COMMAND).status == 0
        assert version(path) == NEWEST
        assert (version(copy_of(path, earlier)), content(copy_of(path, earlier))) == (earlier, before)
        assert copy_of(path, earlier).stat().st_mode & 0o777 == 0o600
        assert world.program("history", "--verify").status == 0


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("earlier", EARLIER)
def test_killed_at_any_moment_of_a_migration_it_goes_on_from_there(earlier: int) -> None:
    with World.running() as world:
        path = world_of_before(world, earlier)
        found = tracing.points(world.program, COMMAND, CALLS)
        assert version(path) > earlier
    killed = 0
    for point in some(found, min(len(found), 8 * DOSE), random.Random(earlier)):
        with World.running() as world:
            path = world_of_before(world, earlier)
            before = content(path)
            killed += tracing.harmed(world.program, COMMAND, point, "signal=KILL").happened
            if copy_of(path, earlier).exists():
                assert content(copy_of(path, earlier)) == before
            assert (version(path) in (earlier, NEWEST), content(path)) == (True, before)
            assert world.program(*COMMAND).status == 0
            assert (version(path), content(path)) == (NEWEST, before)
            assert content(copy_of(path, earlier)) == before
            assert [left.name for left in path.parent.glob("*.part-*")] == []
    assert killed >= 4


@pytest.mark.parametrize("earlier", [1, *(pytest.param(later, marks=pytest.mark.family) for later in EARLIER[1:])])
def test_killed_at_any_statement_on_a_server_it_leaves_the_old_store_or_the_new_one(
    earlier: int, shared_place: Url, world_on: Callable[[Url], World]
) -> None:
    world = world_on(shared_place)
    downgrade(shared_place, earlier)
    before = content(shared_place)
    kills = 0
    for number in range(1, 200):
        done = tracing.harmed(world.program, COMMAND, tracing.Point("sendto", number), "signal=KILL")
        if not done.happened:
            break
        kills += 1
        assert (version(shared_place) in (earlier, NEWEST), content(shared_place)) == (True, before)
        if version(shared_place) == NEWEST:
            break
    assert kills >= 5
    assert world.program(*COMMAND).status == 0
    assert (version(shared_place), content(shared_place)) == (NEWEST, before)


@pytest.fixture
def world_on() -> Iterator[Callable[[Url], World]]:
    """Makes a world whose store is on a server."""
    with ExitStack() as stack:

        def make(place: Url) -> World:
            world = stack.enter_context(World.running())
            password = world.program.directory / "password"
            password.touch(mode=0o600)
            password.write_text(PostgreSQL.password, encoding="utf-8")
            world.program.variables |= {
                "TELEMETRY_STORE": place.text.replace("://", f"://{place.username}@"),
                "TELEMETRY_STORE_PASSWORD_FILE": str(password),
            }
            world.desk.place = place
            begun(world)
            return world

        yield make


def copy_of(path: Path, earlier: int) -> Path:
    return path.with_name(f"{path.name}.v{earlier}")
