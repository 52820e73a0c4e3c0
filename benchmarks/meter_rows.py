"""Metrics from meter tables of 10^5 to 10^7 rows: reading the rows of 26 hours against summing the whole table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from telemetry_core.config import Engine, Layers, load
from telemetry_core.engines import database
from tests.engines import Engine as RealEngine
from tests.support.clock import RealClock
from tests.support.postgresql import PostgreSQL, running

SIZES = (100_000, 1_000_000, 10_000_000)
TIMES = 7
NODES = 2
HOUR = 3_600_000
NAMES = (
    "root-process-instance-start", "activity-instance-start", "executed-decision-instances",
    "executed-decision-elements", "activity-instance-end", "job-successful", "job-failed", "job-acquisition-attempt",
    "job-acquired-success", "job-acquired-failure", "job-execution-rejected", "job-locked-exclusive",
    "history-cleanup-removed-process-instances",
)  # fmt: skip
_FILL = """
INSERT INTO act_ru_meter_log (id_, name_, reporter_, value_, timestamp_, milliseconds_)
SELECT 'row' || n, ({names})[1 + n % {kinds}], 'node' || n / {kinds} % {nodes}, n % 7,
       to_timestamp(at / 1000.0)::timestamp, at
FROM (SELECT n, {now} - (n / {flush})::bigint * 900000 AS at FROM generate_series(0, {size} - 1) AS n) AS flushes
"""


def fill(server: PostgreSQL, name: str, size: int) -> None:
    """Give a table of a real engine so many rows: every 15 minutes one for each metric and node, back from now."""
    names = "ARRAY[" + ", ".join(f"'{one}'" for one in NAMES) + "]"
    now = RealClock().now()
    fields = {"names": names, "kinds": len(NAMES), "nodes": NODES, "flush": len(NAMES) * NODES}
    server.execute(name, _FILL.format(now=now, size=size, **fields), "VACUUM ANALYZE act_ru_meter_log")


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def whole_table(server: PostgreSQL, name: str) -> None:
    """The sums that the engine's own query makes without a start: one for each of the four metrics."""
    for metric in NAMES[:4]:
        server.execute(name, f"SELECT sum(value_) FROM act_ru_meter_log WHERE name_ = '{metric}'")


def main() -> None:
    """Print the ratios, and what one run asks of the database."""
    with running() as server:
        template = server.database()
        with RealEngine.start("camunda-7.24.0", database=server.url(template)):
            pass
        names = {size: server.copy(template) for size in SIZES}
        for size, name in names.items():
            fill(server, name, size)
        took = _measure(server, names)
        _print(took)
        _print_run(server, names[SIZES[-1]])


def _measure(server: PostgreSQL, names: dict[int, str]) -> dict[tuple[str, int], float]:
    taken: dict[tuple[str, int], list[float]] = {}
    for _ in range(TIMES):
        for size, name in names.items():
            entry = _entry(server, name)
            taken.setdefault(("rows", size), []).append(seconds(lambda entry=entry: _rows(entry)))  # type: ignore[misc]  # bound early
            taken.setdefault(("sums", size), []).append(seconds(lambda name=name: whole_table(server, name)))  # type: ignore[misc]  # bound early
    return {key: statistics.median(times) for key, times in taken.items()}


def _entry(server: PostgreSQL, name: str) -> Engine:
    return load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__DATABASE": server.url(name)})).engines[0]


def _rows(entry: Engine) -> int:
    found = database.read(entry, RealClock().now() - 26 * HOUR, RealClock(), expected=None)
    if found.rows is None:
        raise RuntimeError(found.problems)
    return len(found.rows.rows)


def _print(took: dict[tuple[str, int], float]) -> None:
    smallest = took["rows", SIZES[0]]
    for size in SIZES:
        rows, sums = took["rows", size], took["sums", size]
        print(
            f"{rows / sums:.4f} of summing the whole table, {rows / smallest:.2f} of reading from {SIZES[0]:,} rows:"
            f" a whole reading of the database with {size:,} meter rows (median of {TIMES})"
        )


def _print_run(server: PostgreSQL, name: str) -> None:
    entry = _entry(server, name)
    server.execute(name, "SELECT pg_stat_reset()")
    mark = len(server.log())
    rows = _rows(entry)
    asked = [
        line for line in server.log()[mark:].splitlines() if " LOG:  statement: " in line or " LOG:  execute " in line
    ]
    time.sleep(2)  # until the server's statistics are there
    counted = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables"
    fetched = (
        "SELECT coalesce(idx_tup_fetch, 0) + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'act_ru_meter_log'"
    )
    written, read = server.execute(name, counted)[0][0], server.execute(name, fetched)[0][0]
    print(
        f"one run: {len(asked)} statements with BEGIN and ROLLBACK, {rows} rows given,"
        f" {read} rows of the meter table read, {written} rows written"
    )


if __name__ == "__main__":
    main()
