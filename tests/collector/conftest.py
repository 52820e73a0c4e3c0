"""Places for stores of the collector, and running collectors over each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from telemetry_core.store import Place
from tests.support.collecting import Collector, captured, report
from tests.support.collector_page import let_in
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.stores import url_of

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(scope="session")
def collector_database(postgresql: PostgreSQL) -> str:
    """The name of the database that stores of the collector have in turn."""
    return postgresql.database()


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, program: Program) -> Place:
    """Where a store of the collector can be made; none is there yet."""
    if request.param == "sqlite":
        return program.store
    server: PostgreSQL = request.getfixturevalue("postgresql")
    database: str = request.getfixturevalue("collector_database")
    server.execute(database, "DROP SCHEMA IF EXISTS telemetry_collector, telemetry CASCADE")
    return url_of(server, database)


@pytest.fixture
def ready(place: Place, program: Program, request: pytest.FixtureRequest) -> Program:
    """The program whose TELEMETRY_STORE names that place; its configuration is empty."""
    program.config.touch()
    if place != program.store:
        server: PostgreSQL = request.getfixturevalue("postgresql")
        program.variables["TELEMETRY_STORE"] = server.url(request.getfixturevalue("collector_database"))
    return program


@pytest.fixture(scope="module", params=BOTH)
def lasting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A running collector, for tests that each use an installation of their own."""
    program = Program(tmp_path_factory.mktemp("lasting"))
    program.config.touch()
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        program.variables["TELEMETRY_STORE"] = server.url(server.database())
    with Collector(program) as collector:
        yield collector
        assert collector.end() == 0
        assert collector.errors == b"", "nothing that a request did is an error of the service"


@pytest.fixture
def installation() -> Callable[[], str]:
    """Installations that nobody else has."""
    from uuid import uuid4

    return lambda: str(uuid4())


@pytest.fixture
def collector(ready: Program) -> Iterator[Collector]:
    """With three reports of an installation, one of another, and some in quarantine."""
    let_in(ready)
    with Collector(ready) as running:
        for number in range(3):
            running.send(report(installation="a", count=number + 40), f"a-{number}")
        running.send(captured("7.17.0", 1))
        running.send(report(installation="a", version="7.99.0"), "bad-release")
        running.send(report(installation="<b>c", count=2**63 - 1), "bad-count")
        yield running
        assert running.end() == 0
        assert running.errors == b"", "nothing that a request did is an error of the service"


@pytest.fixture
def alone(program: Program) -> Iterator[Collector]:
    """One on SQLite, which has to end well, and to say nothing."""
    program.config.touch()
    with Collector(program) as running:
        yield running
        assert running.end() == 0
        assert running.errors == b""
