"""`telemetry_core.store` on a server: nodes that do things at the same time, and who sends what."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.config import Url
from telemetry_core.model import ReportState
from telemetry_core.store import Place, Store
from tests.core.store.test_rows import DECISION
from tests.support.clock import START
from tests.support.delivering import PERIODIC, new_store, periodic
from tests.support.postgresql import PostgreSQL
from tests.support.stores import connected

NODES = 8
TIMES = 10
MINUTE = 60_000


def at_once(place: Place, do: Callable[[Store, int], object], nodes: int = NODES) -> None:
    """Let nodes do something, each with a connection of its own, all beginning together; none of them may fail."""
    starting = threading.Barrier(nodes)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            starting.wait()
            with Store.for_writing(place, START) as own:
                do(own, number)
        except Exception as failure:  # noqa: BLE001  # whatever it is, it is told
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(nodes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def add_one(store: Store, _: int) -> None:
    for _time in range(TIMES):
        with store.transaction():
            store.properties.put("", "n", str(int(store.properties.get("", "n") or 0) + 1))


def test_what_is_read_in_a_transaction_still_holds_when_it_is_written(place: Place) -> None:
    at_once(place, add_one)
    with new_store(place) as store:
        assert store.properties.get("", "n") == str(NODES * TIMES)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_it_does_so_whatever_isolation_the_server_has_as_its_default(
    level: str, shared_place: Url, postgresql: PostgreSQL, shared_database: str
) -> None:
    postgresql.execute("postgres", f"ALTER DATABASE {shared_database} SET default_transaction_isolation = '{level}'")
    try:
        at_once(shared_place, add_one)
        with new_store(shared_place) as store:
            assert store.properties.get("", "n") == str(NODES * TIMES)
    finally:
        postgresql.execute("postgres", f"ALTER DATABASE {shared_database} RESET default_transaction_isolation")


def test_decisions_of_many_nodes_are_one_chain(place: Place) -> None:
    def decide(store: Store, _: int) -> None:
        for _time in range(TIMES):
            store.consents.append(DECISION)

    at_once(place, decide)
    with new_store(place) as store:
        assert store.consents.history() == [DECISION] * NODES * TIMES


def test_documents_of_many_nodes_are_one_chain_and_can_be_verified_meanwhile(place: Place) -> None:
    def open_reports(store: Store, number: int) -> None:
        for time in range(TIMES):
            report = replace(
                periodic(), id=f"{number:04}{time:04}-0000-5000-8000-000000000001", installation=f"{number}.{time}"
            )
            assert store.reports.open(report)
            store.verify()

    at_once(place, open_reports)
    with new_store(place) as store:
        assert store.verify() == (0, NODES * TIMES)


def test_of_many_nodes_that_begin_at_once_one_makes_the_store(shared_place: Url) -> None:
    at_once(shared_place, lambda store, number: store.properties.put("", str(number), "there"), nodes=10)
    with connected(shared_place) as server:
        versions = server.execute("SELECT version FROM telemetry.migration ORDER BY version").fetchall()
    assert [version for (version,) in versions] == list(range(1, len(versions) + 1))
    with new_store(shared_place) as store:
        assert [store.properties.get("", str(number)) for number in range(10)] == ["there"] * 10


def test_a_pending_report_is_one_nodes_to_send(shared_place: Url) -> None:
    with new_store(shared_place) as store, new_store(shared_place) as other:
        assert store.reports.open(periodic())
        lease = store.leases.take(PERIODIC, MINUTE)
        assert lease is not None
        assert store.leases.is_held(lease)
        assert other.leases.take(PERIODIC, MINUTE) is None
        assert store.leases.take(PERIODIC, MINUTE) is None  # nor is it another process's of the same node
        store.leases.give_back(lease)
        assert not store.leases.is_held(lease)
        assert other.leases.take(PERIODIC, MINUTE) is not None


def test_a_lease_ends_by_the_clock_of_the_database_and_another_node_takes_over(shared_place: Url) -> None:
    with new_store(shared_place) as store, new_store(shared_place) as other:
        assert store.reports.open(periodic())
        lease = store.leases.take(PERIODIC, MINUTE)
        assert lease is not None
        with connected(shared_place) as server:
            server.execute("UPDATE telemetry.report SET lease_until = lease_until - 59000")
            assert other.leases.take(PERIODIC, MINUTE) is None
            server.execute("UPDATE telemetry.report SET lease_until = lease_until - 2000")
        assert not store.leases.is_held(lease)
        taken = other.leases.take(PERIODIC, MINUTE)
        assert taken is not None
        store.leases.give_back(lease)  # comes too late, and is not its own any more
        assert other.leases.is_held(taken)


def test_of_many_nodes_one_has_the_lease(shared_place: Url) -> None:
    taken: list[int] = []
    with new_store(shared_place) as store:
        assert store.reports.open(periodic())

    def take(own: Store, number: int) -> None:
        if own.leases.take(PERIODIC, MINUTE) is not None:
            taken.append(number)

    at_once(shared_place, take)
    assert len(taken) == 1


def test_a_report_that_changes_keeps_its_lease(shared_place: Url) -> None:
    with new_store(shared_place) as store:
        assert store.reports.open(periodic())
        lease = store.leases.take(PERIODIC, MINUTE)
        assert lease is not None
        store.reports.put(replace(periodic(), state=ReportState.REFUSED))
        store.reports.reopen(periodic())
        assert store.leases.is_held(lease)
        store.verify()


def test_whoever_holds_the_lock_of_a_file_has_every_lease_whatever_a_killed_process_left(tmp_path: Path) -> None:
    with new_store(tmp_path / "telemetry.db") as store:
        assert store.reports.open(periodic())
        for _ in range(2):
            lease = store.leases.take(PERIODIC, MINUTE)
            assert lease is not None
            assert store.leases.is_held(lease)


def test_nodes_may_send_at_the_same_time_from_a_server(shared_place: Url) -> None:
    with new_store(shared_place) as store, new_store(shared_place) as other, store.sending(), other.sending():
        pass


def test_reading_a_store_that_is_not_there_shows_an_empty_one_and_makes_nothing(shared_place: Url) -> None:
    with Store.for_reading(shared_place, START) as store:
        assert store.consents.history() == []
        assert store.reports.newest_first() == []
        store.verify()
    with connected(shared_place) as server:
        assert server.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'telemetry'").fetchall() == []


def test_another_node_sees_nothing_of_a_transaction_before_its_end(place: Place) -> None:
    with new_store(place) as store, Store.for_reading(place, START) as other:
        with pytest.raises(KeyboardInterrupt), store.transaction():
            store.properties.put("", "a", "1")
            raise KeyboardInterrupt
        assert other.properties.get("", "a") is None
        with store.transaction():
            store.properties.put("", "a", "1")
            assert other.properties.get("", "a") is None
        assert other.properties.get("", "a") == "1"


def test_what_is_written_reaches_the_disk_before_it_counts(
    shared_place: Url, postgresql: PostgreSQL, shared_database: str
) -> None:
    postgresql.execute("postgres", f"ALTER DATABASE {shared_database} SET synchronous_commit = off")
    try:
        with new_store(shared_place) as store, store.transaction():
            assert store._database.read("SELECT current_setting('synchronous_commit')") == [("local",)]
    finally:
        postgresql.execute("postgres", f"ALTER DATABASE {shared_database} RESET synchronous_commit")
