"""The database of a real CIB seven 2.0.0, which has no REST API here: what we read is what the engine says in Java."""

from __future__ import annotations

import pytest

from telemetry_core.model import License, RowsReading
from tests.engines import StandaloneEngine
from tests.engines.maven import build
from tests.support.desk import counted as sent_counts
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.system.test_database import ROOT, read

pytestmark = [pytest.mark.engine, pytest.mark.family]


def counted(reading: RowsReading | None, name: str = ROOT) -> int:
    assert reading is not None
    return sum(row.value for row in reading.rows if row.name == name)


def test_cibseven_says_in_its_database_what_it_says_itself(postgresql: PostgreSQL) -> None:
    url = postgresql.url(postgresql.database())
    with StandaloneEngine(url) as engine:
        engine.set_license("c2lnbmF0dXJl;ACME;2030-12-31")
        engine.start_process(3)
        engine.evaluate_decision(2)
        engine.flush()
        engine.start_process(1)
        found = read(url)
        said = engine.telemetry_data()
        unflushed = engine.metric(ROOT)
    again = read(url)
    internals = said["product"]["internals"]
    assert (said["product"]["name"], said["product"]["version"]) == ("CIB seven", "2.0.0")
    assert found.problems == {}
    assert found.installation == said["installation"]
    assert found.schema_version == "7.23.0"
    assert found.license_key == License(raw="ACME;2030-12-31")
    assert internals["license-key"]["raw"] == "ACME;2030-12-31"
    assert found.database is not None
    assert internals["database"] == {"vendor": found.database.vendor, "version": found.database.version}
    assert (counted(found.rows), unflushed, counted(again.rows)) == (3, 4, 4), "the last came when it ended"
    assert counted(found.rows, "executed-decision-instances") == 2
    assert found.initial_sent is False


def test_cibseven_is_reported_from_its_database_and_this_host_without_rest(
    program: Program, receiver: Receiver, postgresql: PostgreSQL
) -> None:
    url = postgresql.url(postgresql.database())
    with StandaloneEngine(url) as engine:
        jar = build(engine.release)
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\ndatabase = "{url}"\nhome = "{jar}"\n')
        program.config.chmod(0o600)
        assert program("enable", "--yes").status == 0
        engine.start_process(2)
        engine.flush()
        assert program("send").status == 0
        shown = program("environment", "--json").data["engines"][0]["found"]
        said = engine.telemetry_data()["product"]
    parts = ("name", "version", "edition")
    assert [shown[f"product.{part}"]["value"] for part in parts] == [said[part] for part in parts]
    assert sent_counts(receiver) == [0], "rows of the first 15 minutes are of before the consent"
