"""Reading the database of an engine in tests, and spoiling it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from telemetry_core.config import Engine, Layers, load
from telemetry_core.engines import database
from telemetry_core.model import Snapshot
from tests.support.clock import RealClock
from tests.support.postgresql import OUR_SESSIONS, PostgreSQL

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


@contextmanager
def while_reading(postgresql: PostgreSQL, name: str, table: str, deed: Callable[[int], object]) -> Iterator[None]:
    """Do something to the session, by its process id, while it reads a table that is slow."""
    query = f"SELECT pid {OUR_SESSIONS} AND wait_event = 'PgSleep' AND query LIKE '%{table}%'"

    def wait() -> None:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            for (pid,) in postgresql.execute(name, query):
                deed(int(str(pid)))
                return
            time.sleep(0.02)

    helper = threading.Thread(target=wait)
    helper.start()
    try:
        yield
    finally:
        helper.join()
