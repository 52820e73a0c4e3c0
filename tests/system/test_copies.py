"""A copy of production's database, with an engine on each: one installation, and the administrator is told."""

from __future__ import annotations

import pytest

from tests.engines import Engine
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program

pytestmark = [pytest.mark.engine, pytest.mark.family]


def test_a_copy_of_a_database_is_reported_once_one_of_the_two_has_worked(
    program: Program, postgresql: PostgreSQL
) -> None:
    name = postgresql.database()
    with Engine.start("camunda-7.24.0", database=postgresql.url(name)) as engine:
        engine.start_process(3)
        engine.flush()
    # What is younger than 16 minutes is not compared: let it be older.
    older = "UPDATE act_ru_meter_log SET milliseconds_ = milliseconds_ - 3600000"
    older += ", timestamp_ = timestamp_ - interval '1 hour'"
    postgresql.execute(name, older)
    copy = postgresql.copy(name)
    with (
        Engine.start("camunda-7.24.0", database=postgresql.url(name)) as production,
        Engine.start("camunda-7.24.0", database=postgresql.url(copy)) as test,
    ):
        program.configure(
            f'[engines.production]\nrest = "{production.rest}"\ndatabase = "{postgresql.url(name)}"\n'
            f'[engines.test]\nrest = "{test.rest}"\ndatabase = "{postgresql.url(copy)}"\n'
        )
        program.config.chmod(0o600)
        before = program("environment", "--json").data
        assert [one["found"]["installation"]["value"] for one in before["engines"]] == [
            test.telemetry_data()["installation"]
        ] * 2
        assert before["warnings"] == []
        test.start_process(2)
        test.flush()
        postgresql.execute(copy, f"{older} WHERE milliseconds_ > (extract(epoch from now()) - 600) * 1000")
        warnings = program("environment", "--json").data["warnings"]
    assert len(warnings) == 1
    assert "root-process-instance-start 3" in warnings[0]
    assert "root-process-instance-start 5" in warnings[0]
