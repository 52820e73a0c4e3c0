"""Fixtures for all tests: the program, a receiver, simulated engines, and real engines that start once a session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from telemetry_core.config import Url
from telemetry_core.store import Place
from tests.engines import Engine, missing_tools
from tests.support import pgbouncer
from tests.support import postgresql as servers
from tests.support.engine_tables import SIGNATURE
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.stores import url_of


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program with a directory of its own; it is not configured yet."""
    return Program(tmp_path)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that accepts everything."""
    with Receiver() as running:
        yield running


@pytest.fixture
def simulated() -> Iterator[SimulatedEngine]:
    """A simulated engine that answers as Camunda 7.24.0."""
    with SimulatedEngine() as running:
        yield running


@pytest.fixture
def configured(program: Program, receiver: Receiver, simulated: SimulatedEngine) -> Program:
    """The program with the receiver as endpoint and the simulated engine as its engine `orders`."""
    program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
    return program


@pytest.fixture(scope="session")
def engines() -> Iterator[Callable[[str], Engine]]:
    """Real engines by release; each starts once, at its first use, and stops at the end of the session."""
    running: dict[str, Engine] = {}
    with ExitStack() as stack:

        def engine(release: str) -> Engine:
            reason = missing_tools()
            if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
                pytest.skip(reason)
            assert reason is None, reason
            if release not in running:
                running[release] = stack.enter_context(Engine.start(release))
            return running[release]

        yield engine


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL server; it starts once, at its first use."""
    reason = servers.missing()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)
    assert reason is None, reason
    with servers.running() as server:
        yield server


@pytest.fixture(scope="session")
def shared_database(postgresql: PostgreSQL) -> str:
    """The name of the database that shared stores have in turn."""
    return postgresql.database()


@pytest.fixture
def shared_place(postgresql: PostgreSQL, shared_database: str) -> Url:
    """Where a shared store can be made; none is there yet."""
    postgresql.execute(shared_database, "DROP SCHEMA IF EXISTS telemetry CASCADE")
    return url_of(postgresql, shared_database)


@pytest.fixture
def pooled_place(shared_place: Url, postgresql: PostgreSQL, shared_database: str) -> Iterator[Url]:
    """The same by way of PgBouncer, which gives each transaction another connection."""
    reason = pgbouncer.missing()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)
    assert reason is None, reason
    with pgbouncer.pooled(postgresql, shared_database) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql", pytest.param("pgbouncer", marks=pytest.mark.family)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a store can be made: a file, a database of PostgreSQL, and the same by way of a pooler."""
    if request.param == "sqlite":
        return tmp_path / "state" / "telemetry.db"
    shared: Url = request.getfixturevalue("pooled_place" if request.param == "pgbouncer" else "shared_place")
    return shared


@pytest.fixture(scope="session")
def template(postgresql: PostgreSQL) -> str:
    """A database whose tables a real 7.24.0 made and filled, and that nobody is connected to."""
    name = postgresql.database()
    with Engine.start("camunda-7.24.0", database=postgresql.url(name)) as engine:
        engine.set_license(f"{SIGNATURE};ACME;2030-12-31")
        engine.start_process(3)
        engine.flush()
    return name


@pytest.fixture
def tables(postgresql: PostgreSQL, template: str) -> str:
    """A database of one's own with an engine's tables."""
    return postgresql.copy(template)
