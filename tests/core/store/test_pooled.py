"""`telemetry_core.store` by way of a pooler in transaction mode: nothing is left in, or expected of, a session."""

from __future__ import annotations

from telemetry_core.config import Url
from tests.core.store.test_shared import MINUTE, NODES, TIMES, add_one, at_once
from tests.support.delivering import PERIODIC, new_store, periodic
from tests.support.stores import connected


def test_many_nodes_on_few_connections_change_one_value_one_after_the_other(pooled_place: Url) -> None:
    at_once(pooled_place, add_one)
    with new_store(pooled_place) as store:
        assert store.properties.get("", "n") == str(NODES * TIMES)


def test_leases_are_those_of_nodes_and_not_of_connections(pooled_place: Url) -> None:
    with new_store(pooled_place) as store, new_store(pooled_place) as other:
        assert store.reports.open(periodic())
        lease = store.leases.take(PERIODIC, MINUTE)
        assert lease is not None
        for _ in range(5):
            assert other.leases.take(PERIODIC, MINUTE) is None
            assert store.leases.is_held(lease)


def test_nothing_of_a_transaction_is_left_in_the_session_that_it_had(pooled_place: Url) -> None:
    names = ("search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    with connected(pooled_place) as before:
        expected = [before.execute(f"SHOW {name}".encode()).fetchone() for name in names]
    with new_store(pooled_place) as store:
        store.properties.put("", "a", "1")
        store.verify()
        with connected(pooled_place) as server:
            for _ in range(4):  # whichever of its connections it is
                assert [server.execute(f"SHOW {name}".encode()).fetchone() for name in names] == expected
            assert server.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
            assert server.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
