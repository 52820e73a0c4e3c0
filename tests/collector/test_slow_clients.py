"""Who is slow, or does not come to an end, is cut off; others are served meanwhile."""

from __future__ import annotations

import resource
import socket
import time
from contextlib import ExitStack

import pytest

from telemetry_collector import slow
from tests.support.collecting import Collector, report
from tests.support.slow_clients import connect, dripping, is_closed, seconds_until_closed
from tests.support.waiting import until

HEAD = b"POST /pings HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
_MARGIN = 5


def test_a_head_that_does_not_come_to_its_end_is_cut_off_and_others_are_served_meanwhile(alone: Collector) -> None:
    with ExitStack() as stack:
        silent, slow_one, second, blank = (stack.enter_context(connect(alone.port)) for _ in range(4))
        for asked in (second, blank):  # these have asked before, and have no more time for the next request
            asked.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert asked.recv(12) == b"HTTP/1.1 200"
        with dripping({slow_one: HEAD, second: HEAD, blank: b"\r\n"}):
            for number in range(20):
                begun = time.monotonic()
                assert alone.send(report(installation=f"{number}"), f"key-{number}").status == 202
                assert time.monotonic() - begun < 2
            took = seconds_until_closed([silent, slow_one, second, blank], slow.HEAD_SECONDS + _MARGIN)
        assert took > slow.HEAD_SECONDS - _MARGIN


def deaf_client(port: int) -> socket.socket:
    """One that asks until the server can write no more to it. It asks one by one, since many at once are cut off.

    They are many at once too where the server stands still for a moment: then another one asks anew.
    """
    for _ in range(20):
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        try:
            for _ in range(700):
                deaf.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.005)
        except OSError:
            deaf.close()
        else:
            return deaf
    raise AssertionError("cut off at every attempt")


def test_a_body_that_does_not_come_to_its_end_is_answered_and_then_cut_off(alone: Collector) -> None:
    """And so is who does not take answers."""
    with connect(alone.port) as client, deaf_client(alone.port) as deaf:
        client.sendall(HEAD + b"{")
        with dripping({client: b" "}):
            assert client.recv(12) == b"HTTP/1.1 408"
            seconds_until_closed([client], slow.BODY_SECONDS - 30 + _MARGIN)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(10 * _MARGIN):
                deaf.sendall(b"\r\n")
                time.sleep(0.1)


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(HEAD[:-2], b"X-More: %s\r\n" % (b"x" * 1000) * 16, id="fields"),
        pytest.param(HEAD[:-2] + b"X-More: ", b"x" * 16384, id="one field"),
        pytest.param(b"POST /", b"x" * 16384, id="a path"),
        pytest.param(
            HEAD.replace(b"Content-Length: 1000", b"Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n",
            b"X-More: %s\r\n" % (b"x" * 1000) * 16,
            id="fields after the body",
        ),
    ],
)
def test_a_head_is_bounded(begin: bytes, piece: bytes, alone: Collector) -> None:
    with connect(alone.port) as client:
        begun = time.monotonic()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client.sendall(begin + piece * 1000)
        assert time.monotonic() - begun < _MARGIN


def test_of_too_many_connections_those_go_that_were_silent_longest(alone: Collector) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] < slow.MOST + 500:
        pytest.skip("this process may not open as many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    try:
        with ExitStack() as stack:
            crowd = [stack.enter_context(connect(alone.port)) for _ in range(slow.MOST)]
            good = stack.enter_context(connect(alone.port))
            until(lambda: is_closed(crowd[0]), "the first of them is cut off", seconds=_MARGIN)
            good.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert good.recv(12) == b"HTTP/1.1 200"
            assert sum(map(is_closed_now, crowd[1:])) == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def is_closed_now(connection: socket.socket) -> bool:
    connection.setblocking(False)  # noqa: FBT003  # the standard library's
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True
