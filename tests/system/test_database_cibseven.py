"""The database of CIB seven, made by the engine itself on a real PostgreSQL; there is no REST API beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core.model import License
from tests.engines.maven import BUILD
from tests.engines.standalone import Standalone
from tests.support.desk import counted
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.system.test_database import read

pytestmark = [pytest.mark.engine, pytest.mark.family]

ROOT = "root-process-instance-start"


def test_the_database_of_cib_seven_says_what_the_engine_says(postgresql: PostgreSQL) -> None:
    url = postgresql.url(postgresql.database())
    with Standalone(url) as engine:
        engine.step("license c2lnbmF0dXJl;ACME;2030-12-31")
        engine.step("start 3")
        engine.step("flush")
        said = engine.telemetry_data()
        found = read(url)
        sums = {name: int(engine.step(f"sum {name}")) for name in found.rows.names} if found.rows else {}
    assert found.problems == {}
    assert found.installation == said["installation"]
    assert found.schema_version == "7.23.0"
    assert found.license_key == License(raw="ACME;2030-12-31")
    internals = said["product"]["internals"]
    assert found.database is not None
    assert internals["database"] == {"vendor": found.database.vendor, "version": found.database.version}
    assert found.rows is not None
    assert sums == {name: sum(row.value for row in found.rows.rows if row.name == name) for name in sums}
    assert sums[ROOT] == 3


def test_cib_seven_is_reported_from_its_database_and_this_host_without_rest(
    program: Program, receiver: Receiver, postgresql: PostgreSQL, tmp_path: Path
) -> None:
    url = postgresql.url(postgresql.database())
    home = tmp_path / "home"
    home.mkdir()
    with Standalone(url) as engine:
        (home / "lib").symlink_to(BUILD / "standalone" / "lib")
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\ndatabase = "{url}"\nhome = "{home}"\n')
        program.config.chmod(0o600)
        assert program("enable", "--yes").status == 0
        engine.step("start 2")
        engine.step("flush")
        assert program("send").status == 0
        shown = program("environment", "--json").data["engines"][0]["found"]
        said = engine.telemetry_data()["product"]
    assert [shown[f"product.{part}"]["value"] for part in ("name", "version", "edition")] == [
        said["name"],
        said["version"],
        said["edition"],
    ]
    assert (said["name"], said["version"]) == ("CIB seven", "2.0.0")
    assert counted(receiver) == [0], "rows of the first 15 minutes are of before the consent"
