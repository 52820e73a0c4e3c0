"""What a run costs an engine: statements, rows and locks in its database, and requests of its REST API."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from telemetry_core.model import HOUR
from tests.support.clock import RealClock, ShiftedClock
from tests.support.desk import Desk, counted
from tests.support.engine_tables import make_slow, read, while_reading
from tests.support.postgresql import OUR_SESSIONS, PostgreSQL
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.waiting import until

OLD_ROWS = 50_000
NEW_ROWS = 416
"""Of one node in 26 hours, which writes four names every 15 minutes."""


def fill(postgresql: PostgreSQL, name: str, now: int) -> None:
    """A meter table with a past, and the last 26 hours of one node."""
    row = "'root-process-instance-start', 'node', 1, to_timestamp(at / 1000)::timestamp, at"
    insert = "INSERT INTO act_ru_meter_log (id_, name_, reporter_, value_, timestamp_, milliseconds_)"
    old = f"SELECT 'old' || n, {row} FROM (SELECT n, {now} - 30 * {HOUR} - n * 1000::bigint AS at"
    new = f"SELECT 'new' || n, {row} FROM (SELECT n, {now} - n * 225000::bigint AS at"
    postgresql.execute(
        name, f"{insert} {old} FROM generate_series(1, {OLD_ROWS}) n) x",
        f"{insert} {new} FROM generate_series(1, {NEW_ROWS}) n) x",
        "VACUUM ANALYZE",
    )  # fmt: skip


def figures(postgresql: PostgreSQL, name: str) -> Counter[str]:
    """PostgreSQL's own statistics, after every session has written its share."""
    busy = f"SELECT count(*) {OUR_SESSIONS}"
    until(lambda: postgresql.execute(name, busy) == [(0,)], "every session has ended", seconds=30)
    found: Counter[str] = Counter()
    tables = postgresql.execute(
        name, "SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0), n_tup_ins + n_tup_upd + n_tup_del"
        " FROM pg_stat_user_tables",
    )  # fmt: skip
    for table, rows, written in tables:
        found[str(table)] += int(str(rows))
        found["written"] += int(str(written))
    return found


def statements(log: str) -> list[str]:
    """What was asked of the server, without the beginnings and ends of transactions."""
    asked = re.findall(r" LOG:  (?:statement|execute [^:]*): (.*)", log)
    return [text for text in asked if not text.startswith(("BEGIN", "ROLLBACK", "COMMIT"))]


def desk_of(directory: Path, receiver: Receiver, simulated: SimulatedEngine, url: str) -> tuple[Desk, ShiftedClock]:
    clock = ShiftedClock()
    more = {"TELEMETRY_ENGINES__ORDERS__DATABASE": url, "TELEMETRY_ENGINES__ORDERS__REST": simulated.rest}
    return Desk(directory, clock, {}, receiver.url, **more), clock


@pytest.mark.engine
def test_a_run_is_ten_statements_and_reads_the_rows_of_a_day_whatever_the_size_of_the_table(
    tmp_path: Path, receiver: Receiver, simulated: SimulatedEngine, postgresql: PostgreSQL, tables: str
) -> None:
    fill(postgresql, tables, RealClock().now())
    url = postgresql.url(tables)
    simulated.installation = read(url).installation
    desk, clock = desk_of(tmp_path, receiver, simulated, url)
    clock.behind = HOUR // 3
    desk.enable()
    clock.behind = 0
    before, mark = figures(postgresql, tables), len(postgresql.log())
    assert desk.send(force=True).failed == []
    asked = statements(postgresql.log()[mark:])
    cost = figures(postgresql, tables) - before
    ours = [text for text in asked if "pg_stat" not in text]
    assert counted(receiver), "metrics were read"
    assert len(ours) <= 10, ours
    assert NEW_ROWS <= cost["act_ru_meter_log"] <= NEW_ROWS + 30, cost  # some are of the engine that made the tables
    assert cost["act_ge_property"] + cost["act_ge_schema_log"] + cost["act_ge_bytearray"] <= 20, cost
    assert cost["written"] == 0
    assert sum(cost.values()) <= NEW_ROWS + 50, "no other table is read"


@pytest.mark.engine
def test_a_reading_holds_no_lock_that_is_in_the_way_of_anything_an_engine_does(
    postgresql: PostgreSQL, tables: str
) -> None:
    """At its last statement, when its transaction holds all that it ever holds; an id of its own would mean writing."""
    make_slow(postgresql, tables)
    held: list[tuple[object, ...]] = []

    def look(pid: int) -> None:
        held.extend(postgresql.execute(tables, f"SELECT locktype, mode FROM pg_locks WHERE pid = {pid}"))

    with while_reading(postgresql, tables, "METER", look):
        assert set(read(postgresql.url(tables), timeout="2s").problems) == {"metrics"}
    assert {mode for kind, mode in held if kind != "virtualxid"} == {"AccessShareLock"}
    assert "transactionid" not in {kind for kind, _ in held}
    assert len(held) > 4


@pytest.mark.parametrize(("capture", "most"), [("camunda-7.24.0", 9), ("camunda-7.17.0", 10)])
def test_a_run_is_a_handful_of_requests_of_the_engines_rest_api(
    tmp_path: Path, receiver: Receiver, capture: str, most: int
) -> None:
    """The data, a sum for each name, once a day another to move the base; 7.17 is asked for its own reporter too."""
    clock = ShiftedClock()
    asked = []
    with SimulatedEngine(capture) as engine:
        engine.own_reporter = False
        desk = Desk(tmp_path, clock, {"orders": engine.rest}, receiver.url)
        clock.behind = 60 * HOUR
        desk.enable()
        for hours in (58, 56, 24, 0):
            clock.behind = hours * HOUR
            engine.requests.clear()
            engine.start_process(2)
            assert desk.send(force=True).failed == []
            asked.append(len(engine.requests))
        engine.requests.clear()
        desk.send()
        assert engine.requests == [], "nothing is due"
    assert max(asked) <= most, asked
    assert len(counted(receiver)) == 4


@pytest.mark.engine
def test_with_a_database_a_run_asks_no_sums_of_the_rest_api(
    tmp_path: Path, receiver: Receiver, simulated: SimulatedEngine, postgresql: PostgreSQL, tables: str
) -> None:
    url = postgresql.url(tables)
    simulated.installation = read(url).installation
    desk, _ = desk_of(tmp_path, receiver, simulated, url)
    desk.enable()
    simulated.requests.clear()
    assert desk.send(force=True).failed == []
    assert simulated.requests == ["/engine-rest/telemetry/data"]
