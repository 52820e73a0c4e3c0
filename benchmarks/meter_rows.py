"""What reading metrics costs beside summing the whole table, as engines do, on a real PostgreSQL of growing size.

The tables are those of a real engine. Four nodes write twenty names every 15 minutes; what grows is the past. Both ways
are measured in turns and by their medians, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import sqlalchemy as sa

from telemetry_core.config import Layers, load
from telemetry_core.engines import METRICS, database
from telemetry_core.engines.sql import Connection
from telemetry_core.model import HOUR
from tests.engines import Engine
from tests.support import postgresql
from tests.support.clock import RealClock
from tests.support.postgresql import PostgreSQL

SIZES = {"1e5": 100_000, "1e6": 1_000_000, "1e7": 10_000_000}
TARGET = 1.3
ROUNDS = 21
SUMS = 3
"""Rounds in which the whole table is summed, which takes seconds."""
TABLE = "ACT_RU_METER_LOG"
_CLOCK = RealClock()


def main() -> int:
    """Print one line for each size; 1 if our time grows with the table by more than the target."""
    reason = postgresql.missing()
    if reason is not None:
        print(f"meter rows: not measured, {reason}")
        return 0
    with postgresql.running() as server:
        schema = server.database()
        Engine.start("camunda-7.24.0", database=server.url(schema)).close()
        tables = {size: server.copy(schema) for size in SIZES}
        now = _CLOCK.now()
        for size, name in tables.items():
            fill(server, name, SIZES[size], now)
        ours, whole = measure({size: server.url(name) for size, name in tables.items()}, now - 26 * HOUR)
    for size in SIZES:
        growth = f", ours at {size} / ours at 1e5 {ours[size] / ours['1e5']:.2f}" if size != "1e5" else ""
        times = f"({ours[size] * 1000:.1f} ms / {whole[size] * 1000:.0f} ms)"
        print(f"meter rows {size}: ours/whole table {ours[size] / whole[size]:.4f}{growth} {times}")
    return int(ours["1e7"] / ours["1e5"] > TARGET)


def fill(server: PostgreSQL, name: str, rows: int, now: int) -> None:
    """Fill the table without its indexes, make those again, and let the server count."""
    wanted = (
        f"SELECT indexname, indexdef FROM pg_indexes WHERE tablename = '{TABLE.lower()}' AND indexname NOT LIKE '%pkey'"
    )
    indexes = server.execute(name, wanted)
    names = ", ".join(f"'{metric}'" for metric in (*METRICS, *(f"other-{number}" for number in range(16))))
    flush = f"{now} - (n / 80)::bigint * 900000 - n % 4 * 1000"
    server.execute(
        name,
        f"TRUNCATE {TABLE}",
        *(f"DROP INDEX {index}" for index, _ in indexes),
        f"INSERT INTO {TABLE} (ID_, NAME_, REPORTER_, VALUE_, TIMESTAMP_, MILLISECONDS_) "
        f"SELECT lpad(n::text, 36, '0'), (ARRAY[{names}])[n / 4 % 20 + 1], '127.0.0.1$node' || n % 4, n % 50, "
        f"to_timestamp(({flush}) / 1000.0)::timestamp, {flush} FROM generate_series(0, {rows - 1}) n",
        *(str(definition) for _, definition in indexes),
        f"VACUUM ANALYZE {TABLE}",
    )


def measure(urls: dict[str, str], since: int) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of seconds, ours and the whole table's, by size."""
    ours: dict[str, list[float]] = {size: [] for size in urls}
    whole: dict[str, list[float]] = {size: [] for size in urls}
    for turn in range(ROUNDS):
        for size, url in urls.items():
            ours[size].append(reading(url, since))
            if turn < SUMS:
                whole[size].append(summing(url))
    medians = statistics.median
    return {size: medians(ours[size]) for size in urls}, {size: medians(whole[size]) for size in urls}


def reading(url: str, since: int) -> float:
    """Read the rows as `telemetry send` does, over a connection that is open."""
    layers = Layers(environment={"TELEMETRY_ENGINES__BENCH__DATABASE": url, "TELEMETRY_ENGINES__BENCH__TIMEOUT": "60s"})
    engine = load(layers).engines[0]
    tables = database.Tables(engine)
    with Connection(engine, _CLOCK) as connection:
        connection.version()
        return timed(lambda: len(connection.rows(tables.meter_rows(since), TABLE)))


def summing(url: str) -> float:
    """Sum as an engine does where it is asked over REST without dates: name by name, over all time."""
    pool = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sa.NullPool)
    with pool.connect() as connection:
        statement = sa.text(f"SELECT SUM(VALUE_) FROM {TABLE} WHERE NAME_ = :name")
        return timed(lambda: sum(int(connection.execute(statement, {"name": name}).scalar_one()) for name in METRICS))


def timed(work: Callable[[], int]) -> float:
    """Seconds of some work, which must have found something."""
    begun = time.perf_counter()
    found = work()
    took = time.perf_counter() - begun
    assert found > 0
    return took


if __name__ == "__main__":
    sys.exit(main())
