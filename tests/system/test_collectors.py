"""Three collectors behind one nginx on one PostgreSQL: together they are as one."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from telemetry_core.store import Place
from tests.support import nginx
from tests.support.collected import execute
from tests.support.collecting import Collector, exported, report
from tests.support.nginx import Nginx
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.stores import url_of
from tests.support.waiting import until
from tests.support.web_server import Answered

NODES = 3
CLIENTS = 12
START = "2026-11-23T23:00:08.920+0000"


@dataclass(frozen=True)
class Site:
    """The collectors, and the proxy before them."""

    collectors: tuple[Collector, ...]
    proxy: Nginx
    place: Place

    def send(self, body: bytes, key: str | None = None, *, source: str = "127.77.0.1") -> Answered:
        """A report by way of the proxy, over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=60, source_address=(source, 0))
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        try:
            connection.request("POST", "/pings", body=body, headers=headers)
            answer = connection.getresponse()
            return Answered(answer.status, {}, answer.read())
        finally:
            connection.close()

    def send_until_answered(self, body: bytes, key: str | None, *, source: str) -> Answered:
        """As a sender does it: again, with the same bytes, where the answer says nothing about the report."""
        while True:
            try:
                answer = self.send(body, key, source=source)
            except (OSError, http.client.HTTPException):
                continue
            if answer.status < 500:
                return answer
            time.sleep(0.05)


@pytest.fixture
def site(postgresql: PostgreSQL, tmp_path: Path) -> Iterator[Site]:
    reason = nginx.missing()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)
    assert reason is None, reason
    database = postgresql.database()
    with ExitStack() as stack:
        collectors = [
            stack.enter_context(Collector(_node(tmp_path, number, postgresql.url(database)))) for number in range(NODES)
        ]
        proxy = stack.enter_context(nginx.before([one.port for one in collectors]))
        yield Site(tuple(collectors), proxy, url_of(postgresql, database))


def _node(directory: Path, number: int, store: str) -> Program:
    """A host of its own, but for the file of the keys."""
    (directory / str(number)).mkdir()
    program = Program(directory / str(number), {"TELEMETRY_STORE": store})
    program.configure(f'[collector]\nproxies = ["127.0.0.1"]\nkey-file = "{directory / "keys" / "collector.keys"}"\n')
    return program


def at_once(calls: Sequence[Callable[[], Answered]]) -> list[Answered]:
    """Their answers; they begin in the order of chance, a dozen at a time."""
    order = list(range(len(calls)))
    Random(8).shuffle(order)
    with ThreadPoolExecutor(CLIENTS) as pool:
        futures = {number: pool.submit(calls[number]) for number in order}
    return [futures[number].result() for number in range(len(calls))]


def test_duplicates_across_collectors_are_stored_once(site: Site) -> None:
    keys = [str(uuid4()) for _ in range(200)]
    answers = at_once([partial(site.send, report(installation=key), key) for key in keys for _ in range(NODES)])
    assert {one.status for one in answers} == {202}
    for number, key in enumerate(keys):
        told = [one.json for one in answers[number * NODES : (number + 1) * NODES]]
        assert sorted(one["duplicate"] for one in told) == [False, True, True]
        assert {one["id"] for one in told} == {key}
    assert Counter(one["id"] for one in exported(site.collectors[0].program)) == Counter(keys)
    assert min(site.proxy.answered()[one.port] for one in site.collectors) > len(keys) // 2, "all have had their part"


def test_of_reports_with_the_same_key_or_window_and_other_bytes_one_is_stored(site: Site) -> None:
    calls = []
    for number in range(100):
        mine = str(uuid4())
        for count in range(1, NODES + 1):
            key = mine if number % 2 else str(uuid4())
            calls.append(partial(site.send, report(installation=mine, start=START, count=count), key))
    answers = at_once(calls)
    assert Counter(one.status for one in answers) == {202: 100, 409: 200}
    acknowledged = {one.json["id"]: one.json["sha256"] for one in answers if one.status == 202}
    assert {one.json["held"]["id"] for one in answers if one.status == 409} == acknowledged.keys()
    assert {one["id"] for one in exported(site.collectors[1].program)} == acknowledged.keys()


def test_an_engines_own_report_is_known_by_its_address_on_every_collector(site: Site) -> None:
    bodies = [report(installation=str(uuid4()), count=number) for number in range(100)]
    calls = [partial(site.send, body, source=f"127.77.0.{1 + number % 7}") for number, body in enumerate(bodies)]
    answers = at_once(calls * NODES)
    assert Counter(one.json["duplicate"] for one in answers) == {False: 100, True: 200}
    assert len(exported(site.collectors[2].program)) == 100
    elsewhere = [site.send(body, source="127.77.1.1").json["duplicate"] for body in bodies[:10]]
    assert elsewhere == [False] * 10


def test_the_hash_of_an_address_is_the_same_on_every_collector(site: Site) -> None:
    addresses = [f"127.77.0.{number}" for number in range(1, 5)]
    for address, number in product(addresses, range(3 * NODES)):
        assert site.send(report(installation=f"{address} {number}"), source=address).status == 202
    turns = Counter({one.port: len(addresses) * 3 for one in site.collectors})
    until(lambda: site.proxy.answered() == turns, "all have had their turns", seconds=10)  # nginx answers, then logs
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'telemetry_collector'"
    ((table,),) = execute(site.place, f"{tables} AND table_name LIKE 'address%'")
    hashes = execute(site.place, f"SELECT hash, count(*) FROM {table} GROUP BY hash")
    assert [count for _, count in hashes] == [3 * NODES] * len(addresses)


def test_a_collector_that_is_killed_in_between_loses_nothing_that_was_acknowledged(site: Site) -> None:
    """Every third report has no key, as an engine sends it, which tries again with the same bytes."""
    killed = site.collectors[1]
    installations = [str(uuid4()) for _ in range(600)]
    bodies = [report(installation=one) for one in installations]
    keys = [None if number % 3 == 0 else one for number, one in enumerate(installations)]
    answered = itertools.count(1)

    def send(body: bytes, key: str | None, number: int) -> Answered:
        answer = site.send_until_answered(body, key, source=f"127.77.0.{1 + number % 7}")
        if next(answered) == len(bodies) // 3:
            os.kill(killed.pid, signal.SIGKILL)
        return answer

    answers = at_once(
        [partial(send, body, key, number) for number, (body, key) in enumerate(zip(bodies, keys, strict=True))]
    )
    killed.end(signal.SIGKILL)
    assert {one.status for one in answers} == {202}
    stored = exported(site.collectors[0].program)
    assert Counter(one["report"]["installation"] for one in stored) == Counter(installations)
    assert {one.json["id"] for one in answers} == {one["id"] for one in stored}
    counts = site.proxy.answered()
    assert 0 < counts[killed.port] < min(counts[one.port] for one in site.collectors if one is not killed)
