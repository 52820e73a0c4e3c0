"""Memory is bounded, however much comes at once: requests before one is answered, bodies that are on their way."""

from __future__ import annotations

import gzip
import json
import select
import sqlite3
from contextlib import ExitStack, closing, suppress

import pytest

from telemetry_collector import arriving, slow
from telemetry_collector.intake import BATCH_LIMIT
from tests.support.collecting import Collector, report
from tests.support.slow_clients import connect, is_closed
from tests.support.waiting import until

_MIB = 1024 * 1024
_LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
_BATCH = b"POST /pings/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def test_a_few_requests_at_once_are_answered_in_their_order(alone: Collector) -> None:
    post = b"POST /pings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    bodies = [report(installation=f"{number}") for number in range(slow.AHEAD)]
    with connect(alone.port) as client:
        for _ in range(3):
            client.sendall(b"".join(post % len(body) + body for body in bodies) + _LIVE)
            said = b""
            while b'"ok"' not in said:
                said += client.recv(65536)
            assert said.count(b"HTTP/1.1 202") == slow.AHEAD
            assert said.rindex(b"HTTP/1.1 202") < said.index(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", id="small ones"),
        pytest.param(b"GET /openapi.json HTTP/1.1\r\n" + b"a:\r\n" * 5000 + b"\r\n", id="with many fields"),
    ],
)
def test_requests_without_end_are_cut_off_before_they_fill_the_memory(request_: bytes, alone: Collector) -> None:
    before = alone.memory()
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(alone.port)) for _ in range(40)]
        for client in crowd:
            with suppress(OSError):
                client.sendall(request_ * (240_000 // len(request_)))
        assert alone.send(report(), "good").status == 202
        until(lambda: all(map(is_closed, crowd)), "they are cut off")
    assert alone.memory("VmHWM") - before < 40 * _MIB


def test_what_is_no_request_is_not_answered_in_the_place_of_an_earlier_one(alone: Collector) -> None:
    body = report()
    head = b"POST /pings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    with connect(alone.port) as client:
        client.sendall(head + body + b"nonsense\r\n\r\n")
        said = b""
        with suppress(ConnectionResetError):
            while more := client.recv(65536):
                said += more
    assert not said.startswith(b"HTTP/1.1 400")


def test_bodies_on_their_way_are_bounded_together_and_small_ones_are_received_meanwhile(alone: Collector) -> None:
    before = alone.memory()
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(alone.port)) for _ in range(100)]
        for client in crowd:
            client.sendall(_BATCH % BATCH_LIMIT)
            with suppress(OSError):  # who was refused is not read to the end
                client.sendall(b" " * (BATCH_LIMIT - 1))
        refused = 100 - arriving.BYTES // BATCH_LIMIT - 1
        until(lambda: len(select.select(crowd, [], [], 0)[0]) >= refused, "those on top are answered")
        for client in select.select(crowd, [], [], 0)[0]:
            said = client.recv(4096)
            assert said.startswith(b"HTTP/1.1 503")
            assert b"\r\nretry-after: " in said.lower()
        small = stack.enter_context(connect(alone.port))
        body = report(installation="small")
        small.sendall(_BATCH.replace(b"/batch", b"") % len(body) + body[:10])
        until(lambda: alone.send(report(installation="other")).status == 202, "another is stored")
        small.sendall(body[10:])
        assert small.recv(12) == b"HTTP/1.1 202"
    assert alone.memory("VmHWM") - before < 2 * arriving.BYTES
    until(lambda: is_taken(alone), "there is room again")


@pytest.mark.parametrize("count", [34, 200])
@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])  # the same address: as behind a proxy that is not named
def test_who_holds_very_much_on_its_way_loses_his_own_and_keeps_no_other_out(
    source: str, count: int, alone: Collector
) -> None:
    before = alone.memory()
    large = report(installation="large").ljust(100_000)
    hundred = [report(installation=f"of a batch {number}").ljust(10_000) for number in range(100)]
    batch = b'{"reports":[%s]}' % b",".join(b'{"report":%s}' % one for one in hundred)
    statuses: list[int] = []
    with ExitStack() as stack:
        slow_one = stack.enter_context(connect(alone.port, source="127.0.0.3"))
        if count > 34:  # in the small crowd, it would make one of them lose before the good come
            slow_one.sendall(_BATCH.replace(b"/batch", b"") % len(large) + large[:50_000])
        crowd = [stack.enter_context(connect(alone.port)) for _ in range(count)]
        for number, client in enumerate(crowd):
            client.sendall(_BATCH % BATCH_LIMIT + b" " * (BATCH_LIMIT - 1000))
            if number >= 33 and len(statuses) < 12:
                statuses.append(alone.send(large, f"{number}", source=source).status)
                whole = alone.ask("POST", "/pings/batch", body=batch, source=source, Content_Type="application/json")
                statuses.append(whole.status)
        if count > 34:
            slow_one.sendall(large[50_000:])
            assert slow_one.recv(12) == b"HTTP/1.1 202"
        assert set(statuses) == {202}
        until(lambda: count - len(select.select(crowd, [], [], 0)[0]) < 33, "those on top are answered")
        refused = select.select(crowd, [], [], 0)[0]
        assert {client.recv(12) for client in refused} == {b"HTTP/1.1 503"}
        assert count - len(refused) > 28, "and no more than must be"
    assert alone.memory("VmHWM") - before < 2 * arriving.BYTES


def test_what_was_on_its_way_is_given_back_however_it_ends(alone: Collector) -> None:
    held = arriving.BYTES // BATCH_LIMIT - 1
    for last in (b"", b"x" * 2, b"x", b" "):  # cut, larger than allowed, no JSON; and then all are stored
        with ExitStack() as stack:
            crowd = [stack.enter_context(connect(alone.port)) for _ in range(held if last == b" " else held + 9)]
            for number, client in enumerate(crowd):
                head = b"POST /pings/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                body = _of_spaces(f"{number}")[:-1]
                client.sendall(head + b"Content-Type: application/json\r\n\r\n%x\r\n" % len(body) + body + b"\r\n")
            if last:
                answers = []
                for client in crowd:
                    with suppress(OSError):
                        client.sendall(b"%x\r\n" % len(last) + last + b"\r\n0\r\n\r\n")
                    answers.append(client.recv(12))
    assert set(answers) == {b"HTTP/1.1 202"}


def is_taken(alone: Collector) -> bool:
    with connect(alone.port) as client:
        client.sendall(_BATCH % BATCH_LIMIT + _of_spaces("large"))
        return client.recv(12) == b"HTTP/1.1 202"


def _of_spaces(installation: str) -> bytes:
    return (b'{"reports":[{"report":%s}]}' % report(installation=installation)).ljust(BATCH_LIMIT)


def test_of_batches_that_wait_for_the_disk_no_more_is_kept_than_their_reports(alone: Collector) -> None:
    before = alone.memory()
    with ExitStack() as stack, closing(sqlite3.connect(alone.program.store, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        crowd = [stack.enter_context(connect(alone.port)) for _ in range(60)]
        for number, client in enumerate(crowd):
            small = gzip.compress(_of_spaces(f"{number}"))
            client.sendall(
                _BATCH.replace(b"Content-Length", b"Content-Encoding: gzip\r\nContent-Length") % len(small) + small
            )
        assert alone.ask("GET", "/health/live").status == 200, "it has read what came before"
        most = alone.memory("VmHWM")
        other.execute("ROLLBACK")
        assert {client.recv(12) for client in crowd} == {b"HTTP/1.1 202"}
    assert most - before < 40 * _MIB


def test_what_windows_hold_costs_little_memory_however_large_it_is(alone: Collector) -> None:
    def counters(window: int, number: int) -> bytes:
        tree = json.loads(report(installation="x", start=f"Nov {window + 1}, 2026, 10:00:08 AM"))
        tree["product"]["internals"]["metrics"] = {f"m-{number}-{n}": {"count": 1} for n in range(number and 2000)}
        tree["product"]["internals"]["commands"] = {f"c-{number}-{n}": {"count": 1} for n in range(2000)}
        return json.dumps(tree, separators=(",", ":")).encode()

    for window in range(20):
        assert alone.send_batch(*((None, counters(window, 1 + number)) for number in range(10))).status == 202
    before = alone.memory("VmHWM")
    tiny = [report(installation="x", start=f"Nov {window + 1}, 2026, 10:00:08 AM") for window in range(20)]
    assert alone.send_batch(*((None, body) for body in tiny)).status == 202
    assert alone.memory("VmHWM") - before < 30 * _MIB
