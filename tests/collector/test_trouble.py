"""A store in trouble: never a receipt without a commit, reasons and times to come again, and recovery by itself."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from telemetry_admin.host import SystemClock
from telemetry_collector.model import Submission, Verdict
from telemetry_collector.store import Store
from telemetry_collector.writer import Writer
from telemetry_core.errors import StoreUnavailable, TelemetryError
from telemetry_core.store import Place
from tests.support.collected import NOW, ids, submission
from tests.support.collecting import Collector, exported, report
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.web_server import Answered


def wait_for(status: int, collector: Collector) -> None:
    limit = time.monotonic() + 30
    while collector.ask("GET", "/health/ready").status != status:
        assert time.monotonic() < limit
        time.sleep(0.1)


def refused_for_now(answer: Answered) -> bool:
    return (answer.status, answer.json["reason"], int(answer.headers["retry-after"]) > 0) == (503, "store", True)


def test_nothing_is_answered_before_it_is_committed(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector, ThreadPoolExecutor(50) as pool:
        lock = sqlite3.connect(program.store, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        sent = [pool.submit(collector.send, report(count=n), f"key-{n}") for n in range(50)]
        time.sleep(1)
        assert not any(one.done() for one in sent)
        assert collector.ask("GET", "/health/live").status == 200
        assert exported(program) == []
        lock.execute("ROLLBACK")
        assert [one.result().status for one in sent] == [202] * 50
        lock.close()
    assert len(exported(program)) == 50


def test_while_nothing_can_be_written_503_says_when_to_come_again_and_it_recovers(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        assert collector.send(report(), "before").status == 202
        limits = resource.prlimit(collector.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, (4096, limits[1]))
        assert refused_for_now(collector.send(report(installation="other"), "while"))
        wait_for(503, collector)
        assert refused_for_now(collector.send(report(installation="other"), "while"))
        assert collector.ask("GET", "/health/live").status == 200
        resource.prlimit(collector.pid, resource.RLIMIT_FSIZE, limits)
        wait_for(200, collector)
        assert collector.send(report(installation="other"), "while").json["duplicate"] is False
        assert collector.send(report(), "before").json["duplicate"] is True
        assert collector.end() == 0
    assert [one["id"] for one in exported(program)] == ["before", "while"]
    assert collector.errors.count(b"\n") == 1, "one line, however long it lasts"
    assert b"cannot be used" in collector.errors


def test_a_server_that_loses_the_schema_and_has_it_again_is_waited_for(
    program: Program, postgresql: PostgreSQL
) -> None:
    database = postgresql.database()
    program.config.touch()
    program.variables["TELEMETRY_STORE"] = postgresql.url(database)
    with Collector(program) as collector:
        assert collector.send(report(), "before").status == 202
        postgresql.execute(database, "ALTER SCHEMA telemetry_collector RENAME TO away")
        assert refused_for_now(collector.send(report(installation="other"), "while"))
        wait_for(503, collector)
        schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'telemetry_collector'"
        assert postgresql.execute(database, schemas) == [(0,)], "no empty store is begun in its place"
        postgresql.execute(database, "ALTER SCHEMA away RENAME TO telemetry_collector")
        wait_for(200, collector)
        assert collector.send(report(), "before").json["duplicate"] is True


def test_connections_that_the_server_ends_are_made_anew(program: Program, postgresql: PostgreSQL) -> None:
    database = postgresql.database()
    program.config.touch()
    program.variables["TELEMETRY_STORE"] = postgresql.url(database)
    end_all = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    with Collector(program) as collector:
        for number in range(3):
            postgresql.execute("postgres", end_all)
            limit = time.monotonic() + 30
            while collector.send(report(count=number), f"key-{number}").status != 202:
                assert time.monotonic() < limit
                time.sleep(0.1)
    assert [one["id"] for one in exported(program)] == ["key-0", "key-1", "key-2"]


class Slow(Store):
    """A store that says how many reports each commit took, and waits before each."""

    gate: threading.Event
    begun: threading.Event
    sizes: list[int]

    def commit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        self.begun.set()
        self.gate.wait(30)
        self.sizes.append(len(submissions))
        return super().commit(submissions)


class Opening:
    """What a writer needs, for a store that is there."""

    clock = SystemClock()

    def __init__(self, place: Place) -> None:
        self.place = place
        self.bugs = 0

    def store(self, *, again: bool) -> Store:
        return Store.for_writing(self.place, NOW, again=again)

    def note(self, problem: TelemetryError) -> None:
        raise AssertionError(problem)

    def note_bug(self) -> None:
        self.bugs += 1


def slow(place: Place) -> Slow:
    store = Slow.for_writing(place, NOW)
    assert isinstance(store, Slow)
    store.gate, store.begun, store.sizes = threading.Event(), threading.Event(), []
    return store


async def ready(writer: Writer) -> None:
    writer.start()
    while not await writer.is_ready():
        await asyncio.sleep(0.01)


def test_whatever_arrived_while_the_last_commit_ran_is_the_next_commit(place: Place) -> None:
    store = slow(place)

    async def all_of_it() -> None:
        writer = Writer(Opening(place), store)
        await ready(writer)
        first = asyncio.create_task(writer.commit([submission("first")]))
        assert await asyncio.to_thread(store.begun.wait, 30)
        others = [asyncio.create_task(writer.commit([submission(f"key-{n}")])) for n in range(30)]
        await asyncio.sleep(0.2)
        store.gate.set()
        await asyncio.gather(first, *others)
        await writer.end()

    asyncio.run(all_of_it())
    assert store.sizes == [1, 30]
    assert len(ids(place)) == 31


def test_who_waits_too_long_is_told_to_come_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry_collector.writer.PATIENCE", 0.2)
    store = slow(place)

    async def all_of_it() -> None:
        writer = Writer(Opening(place), store)
        await ready(writer)
        waiting = asyncio.create_task(writer.commit([submission("slow")]))
        await asyncio.sleep(0.5)
        writer.sweep()
        with pytest.raises(StoreUnavailable, match="slow"):
            await waiting
        store.gate.set()
        assert (await writer.commit([submission("slow")]))[0].ruling == "duplicate", "it was stored all the same"
        await writer.end()

    asyncio.run(all_of_it())


def test_what_waits_is_bounded_in_bytes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    one = submission("a")
    monkeypatch.setattr("telemetry_collector.writer.WAITING_BYTES", 3 * len(one.body))
    store = slow(place)

    async def all_of_it() -> None:
        writer = Writer(Opening(place), store)
        await ready(writer)
        waiting = [asyncio.create_task(writer.commit([submission(str(n))])) for n in range(3)]
        await asyncio.sleep(0.1)
        with pytest.raises(StoreUnavailable, match="Too many"):
            await writer.commit([one])
        store.gate.set()
        await asyncio.gather(*waiting)
        await writer.commit([one])
        await writer.end()

    asyncio.run(all_of_it())


def test_one_that_cannot_be_stored_takes_no_other_with_it(place: Place) -> None:
    opening = Opening(place)
    bad = Submission("bad", "x", "x", "", {}, b"", NOW, (None,))  # type: ignore[arg-type]  # a bug that nobody knows yet
    store = slow(place)

    async def all_of_it() -> list[object]:
        writer = Writer(opening, store)
        await ready(writer)
        first = asyncio.create_task(writer.commit([submission("first")]))
        await asyncio.sleep(0.1)
        some = (submission("a"), bad, submission("b"))
        tasks = [asyncio.create_task(writer.commit([one])) for one in some]
        await asyncio.sleep(0.1)
        store.gate.set()
        await first
        done = await asyncio.gather(*tasks, return_exceptions=True)
        await writer.end()
        return list(done)

    outcomes = asyncio.run(all_of_it())
    assert [isinstance(one, Exception) for one in outcomes] == [False, True, False]
    assert sorted(ids(place)) == ["a", "b", "first"]
    assert opening.bugs == 1
