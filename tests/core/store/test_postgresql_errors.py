"""`telemetry_core.store.postgresql`: what a server refuses is said with what helps, and never with a password."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from telemetry_core.config import Url
from telemetry_core.errors import ConfigurationError, StoreDamaged, StoreError, StoreTooNew, StoreUnavailable
from telemetry_core.secret import Secret
from telemetry_core.store import Store
from tests.support.clock import START
from tests.support.delivering import new_store, periodic
from tests.support.ports import free_port
from tests.support.postgresql import OUR_SESSIONS, PostgreSQL
from tests.support.stores import connected, tamper

WRONG = "wr0ng pass"
NO_CONNECTION = "Check that the server runs, and host, user, password and database in `telemetry config show`."
FORBIDDEN = "Let the server's administrator run in that database: CREATE SCHEMA telemetry AUTHORIZATION"


def refusal(opening: Callable[[], object], kind: type[StoreError] = StoreUnavailable) -> str:
    """What is said, with the hint."""
    with pytest.raises(StoreError) as raised:
        opening()
    assert type(raised.value) is kind
    assert raised.value.exit_status == 8
    said = f"{raised.value.message} {raised.value.hint}"
    assert not any(secret in f"{said} {raised.value.__cause__}" for secret in (PostgreSQL.password, WRONG))
    assert "\n" not in said
    return said


@pytest.fixture
def reader(postgresql: PostgreSQL, shared_place: Url, shared_database: str) -> Iterator[Url]:
    """A user who may connect, and nothing else."""
    postgresql.execute(shared_database, f'CREATE ROLE "re""ader" LOGIN PASSWORD \'{WRONG}\'')
    try:
        yield replace(shared_place, username='re"ader', password=Secret(WRONG))
    finally:
        postgresql.execute(shared_database, 'DROP OWNED BY "re""ader"', 'DROP ROLE "re""ader"')


@pytest.mark.parametrize("opening", [Store.for_writing, Store.for_reading])
def test_a_server_that_gives_no_connection_is_said(
    opening: Callable[[Url, int], object], shared_place: Url, shared_database: str
) -> None:
    wrong = {
        "Connection refused": Url(f"postgresql://127.0.0.1:{free_port()}/x", "ada", Secret(WRONG)),
        "password authentication failed": replace(shared_place, password=Secret(WRONG)),
        "does not exist": replace(shared_place, text=shared_place.text.replace(shared_database, "nowhere")),
        "no password supplied": replace(shared_place, password=None),
    }
    for reason, url in wrong.items():
        said = refusal(lambda url=url: opening(url, START))  # type: ignore[misc]  # the loop's value
        assert said.startswith(f"The store {url} cannot be used: ")
        assert reason in said
        assert said.endswith(NO_CONNECTION)


def test_a_url_that_no_connection_can_be_made_from_is_a_wrong_configuration(shared_place: Url) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Store.for_reading(replace(shared_place, text=f"{shared_place.text}?no-such=parameter"), START)
    assert raised.value.message == f"store: {shared_place}?no-such=parameter is not a URL of a database."


def test_a_user_who_may_make_no_schema_is_told_what_to_ask_for(reader: Url) -> None:
    said = refusal(lambda: Store.for_writing(reader, START))
    assert said.endswith(f'{FORBIDDEN} "re""ader";')


def test_a_user_with_a_schema_of_its_own_needs_nothing_else(
    reader: Url, postgresql: PostgreSQL, shared_database: str
) -> None:
    postgresql.execute(shared_database, 'CREATE SCHEMA telemetry AUTHORIZATION "re""ader"')
    with Store.for_writing(reader, START) as store:
        assert store.reports.open(periodic())
        assert store.leases.take(periodic().id, 1) is not None
        store.verify()


def test_a_user_who_may_only_read_reads_and_changes_nothing(
    reader: Url, shared_place: Url, postgresql: PostgreSQL, shared_database: str
) -> None:
    with new_store(shared_place) as store:
        store.properties.put("", "a", "1")
    assert "permission denied for schema telemetry" in refusal(lambda: Store.for_reading(reader, START))
    postgresql.execute(
        shared_database,
        'GRANT USAGE ON SCHEMA telemetry TO "re""ader"',
        'GRANT SELECT ON ALL TABLES IN SCHEMA telemetry TO "re""ader"',
    )
    with Store.for_reading(reader, START) as store:
        assert store.properties.get("", "a") == "1"
        assert store.verify() == (0, 0)
        assert "permission denied" in refusal(lambda: store.properties.put("", "a", "2"))
        assert store.properties.get("", "a") == "1"  # the connection is as it was


def test_a_server_that_takes_no_changes_is_read_and_said_to_be_one(
    shared_place: Url, postgresql: PostgreSQL, shared_database: str
) -> None:
    new_store(shared_place).__exit__()
    postgresql.execute("postgres", f"ALTER DATABASE {shared_database} SET default_transaction_read_only = on")
    try:
        with Store.for_writing(shared_place, START) as store:
            assert store.consents.history() == []
            said = refusal(lambda: store.properties.put("", "a", "1"))
    finally:
        postgresql.execute("postgres", f"ALTER DATABASE {shared_database} RESET default_transaction_read_only")
    assert "read-only transaction" in said
    assert said.endswith(
        "Name the server that takes changes: all hosts, and ?target_session_attrs=read-write, in the URL."
    )


def test_a_server_that_goes_away_in_the_middle_leaves_no_half_of_a_change(shared_place: Url) -> None:
    def write(store: Store) -> None:
        with store.transaction():
            store.properties.put("", "a", "1")
            with connected(shared_place) as server:
                ended = server.execute(f"SELECT pg_terminate_backend(pid) {OUR_SESSIONS}".encode())
                assert ended.fetchall() == [(True,)]
            store.properties.put("", "b", "1")

    with new_store(shared_place) as store:
        assert refusal(lambda: write(store)).endswith(NO_CONNECTION)
        assert refusal(lambda: store.properties.get("", "a")).endswith(NO_CONNECTION)
    with new_store(shared_place) as store:
        assert store.properties.get("", "a") is None


def test_a_store_of_a_newer_release_is_left_alone(shared_place: Url) -> None:
    with new_store(shared_place) as store:
        tamper(store, "INSERT INTO migration (version, applied_at) VALUES (1000, 0)")
    for opening in (Store.for_writing, Store.for_reading):
        said = refusal(lambda opening=opening: opening(shared_place, START), StoreTooNew)  # type: ignore[misc]  # as above
        assert said.startswith(f"The store {shared_place} was written by a newer release.")


def test_a_store_without_its_tables_is_damaged(shared_place: Url) -> None:
    with new_store(shared_place) as store:
        with connected(shared_place) as server:
            server.execute("DROP TABLE telemetry.consent")
        assert 'relation "consent" does not exist' in refusal(store.consents.history, StoreDamaged)


def test_a_schema_with_tables_of_others_is_no_store(shared_place: Url) -> None:
    with connected(shared_place) as server:
        server.execute("CREATE SCHEMA telemetry")
        server.execute("CREATE TABLE telemetry.report (id INTEGER)")
    assert "has tables, but no store" in refusal(lambda: Store.for_writing(shared_place, START), StoreDamaged)


def test_a_migration_that_fails_leaves_nothing(shared_place: Url, postgresql: PostgreSQL, shared_database: str) -> None:
    with new_store(shared_place) as store, connected(shared_place) as server:
        server.execute("DELETE FROM telemetry.migration WHERE version > 1")
        server.execute("ALTER TABLE telemetry.report DROP COLUMN lease_until")
        server.execute("ALTER TABLE telemetry.migration DROP COLUMN readable_from")
        assert "already exists" in refusal(lambda: new_store(shared_place))  # the index of the second one
        server.execute("DROP INDEX telemetry.report_of")
        new_store(shared_place).__exit__()
        assert store.reports.open(periodic())
        assert store.leases.take(periodic().id, 1) is not None


@pytest.mark.family
def test_a_change_waits_ten_seconds_for_that_of_another_node_and_then_says_so(shared_place: Url) -> None:
    with new_store(shared_place) as store, new_store(shared_place) as other:
        with store.transaction():
            assert other.properties.get("", "a") is None  # reading does not wait
            said = refusal(lambda: other.properties.put("", "a", "1"))
        assert "try again" in said
        other.properties.put("", "a", "1")


@pytest.mark.family
def test_a_node_that_stands_still_in_the_middle_lets_the_others_go_on_after_a_while(shared_place: Url) -> None:
    with new_store(shared_place) as store, connected(shared_place) as server:
        server.execute("SELECT 1")

        def stand_still() -> None:
            with store.transaction():
                store.properties.put("", "a", "1")
                for _ in range(4):
                    try:
                        with new_store(shared_place) as other:
                            other.properties.put("", "b", "1")
                            break
                    except StoreUnavailable:
                        pass
                else:
                    pytest.fail("others wait forever")
                store.properties.put("", "a", "2")

        assert "idle-in-transaction timeout" in refusal(stand_still)
    with new_store(shared_place) as store:
        assert (store.properties.get("", "a"), store.properties.get("", "b")) == (None, "1")


@pytest.mark.family
def test_a_server_that_does_not_answer_is_left_after_a_while(shared_place: Url) -> None:
    with new_store(shared_place) as store:
        ((pid,),) = store._database.read("SELECT pg_backend_pid()")
        assert isinstance(pid, int)
        begun = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        try:
            assert refusal(lambda: store.properties.get("", "a")).endswith(NO_CONNECTION)
        finally:
            os.kill(pid, signal.SIGCONT)
        assert time.monotonic() - begun < 45
