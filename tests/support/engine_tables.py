"""Reading the database of an engine in tests, and spoiling it."""

from __future__ import annotations

from telemetry_core.config import Engine, Layers, load
from telemetry_core.engines import database
from telemetry_core.model import Snapshot
from tests.support.clock import RealClock
from tests.support.postgresql import PostgreSQL

SIGNATURE = "U2lnbmF0dXJlQ2FuYXJ5"
EVERYTHING = ("installation", "database", "license-key", "metrics")


def configured(url: str, **settings: str) -> Engine:
    variables = {f"TELEMETRY_ENGINES__ORDERS__{name.upper()}": value for name, value in settings.items()}
    return load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__DATABASE": url, **variables})).engines[0]


def read(url: str, *, expected: str | None = None, **settings: str) -> Snapshot:
    return database.read(configured(url, **settings), 0, RealClock(), expected=expected)


def started(snapshot: Snapshot) -> int:
    assert snapshot.rows is not None
    return sum(row.value for row in snapshot.rows.rows if row.name == "root-process-instance-start")


def make_slow(postgresql: PostgreSQL, name: str) -> None:
    postgresql.execute(
        name, "ALTER TABLE act_ru_meter_log RENAME TO fast",
        "CREATE VIEW act_ru_meter_log AS SELECT fast.* FROM fast, pg_sleep(60)",
    )  # fmt: skip
