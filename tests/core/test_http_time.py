"""`telemetry_core.http`: no request ends later than its time, whatever the other side does, and its thread ends too."""

from __future__ import annotations

import itertools
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from telemetry_core.http import Client, Exchange, Security
from telemetry_core.wire import Request
from tests.support.helper_threads import all_end_within
from tests.support.raw_server import ACCEPTED, Peer, RawServer, Script

SECONDS = 0.4
SOON = SECONDS + 5  # what it is to exclude has no end at all, and a machine may stand still for a moment
GAP = 0.05  # less than the time for the whole, so that no limit for a single step could end it
LARGE = b"x" * 32 * 1024 * 1024


def says_nothing(peer: Peer) -> None:
    peer.hang()


def reads_and_says_nothing(peer: Peer) -> None:
    peer.read_request()
    peer.hang()


def never_reads(peer: Peer) -> None:
    peer.hang()


def drips_its_head(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
    peer.drip(itertools.repeat(b"x"), GAP)


def drips_interim_answers(peer: Peer) -> None:
    peer.read_request()
    peer.drip(itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n"), GAP)


def drips_its_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100000\r\n\r\n")
    peer.drip(itertools.repeat(b"x"), GAP)


def drips_a_chunk_size(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n5;")
    peer.drip(itertools.repeat(b"x"), GAP)


def stops_in_its_body(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf")
    peer.hang()


def sends_head_after_head(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\n")
    while True:
        peer.send(b"X-More: " + b"x" * 65536 + b"\r\n")


def sends_a_body_without_end(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 202 Accepted\r\n\r\n")
    while True:
        peer.send(b"x" * 65536)


def timed(client: Client, url: str, body: bytes = b"{}", seconds: float = SECONDS) -> tuple[Exchange, float]:
    headers = (("Host", "h"), ("Content-Length", str(len(body))))
    started = time.monotonic()
    done = client.exchange(Request("POST", url, headers, body), seconds=seconds)
    return done, time.monotonic() - started


NO_ANSWER = (None, True, "no answer within 0.4 s")


@pytest.mark.parametrize("script", [says_nothing, reads_and_says_nothing, drips_its_head, drips_interim_answers])
def test_without_an_answer_in_time_the_outcome_is_open(script: Script) -> None:
    with RawServer(script) as server, Client(security=Security(), limit=100) as client:
        done, took = timed(client, f"http://{server.address}/")
        assert (done.answer, done.body_begun, done.failure) == NO_ANSWER
        assert SECONDS <= took < SOON
        assert all_end_within(5)


def test_a_server_that_never_reads_does_not_hold_a_large_body_for_longer_than_its_time() -> None:
    with RawServer(never_reads) as server, Client(security=Security(), limit=100) as client:
        done, took = timed(client, f"http://{server.address}/", LARGE)
        assert (done.answer, done.body_begun, done.failure) == NO_ANSWER
        assert SECONDS <= took < SOON
        assert all_end_within(5)


@pytest.mark.parametrize("script", [drips_its_body, drips_a_chunk_size, stops_in_its_body])
def test_a_body_that_does_not_end_in_time_is_cut_and_its_status_counts(script: Script) -> None:
    with RawServer(script) as server, Client(security=Security(), limit=100) as client:
        done, took = timed(client, f"http://{server.address}/")
        assert done.answer is not None
        assert (done.answer.status, done.answer.complete) == (202, False)
        assert len(done.answer.body) < 20
        assert SECONDS <= took < SOON
        assert all_end_within(5)


def test_a_body_without_end_is_cut_at_the_limit_at_once() -> None:
    with RawServer(sends_a_body_without_end) as server, Client(security=Security(), limit=64 * 1024) as client:
        done, took = timed(client, f"http://{server.address}/", seconds=30)
        assert done.answer is not None
        assert (done.answer.status, len(done.answer.body), done.answer.complete) == (202, 65536, False)
        assert took < 15
        assert all_end_within(5)


def test_headers_without_end_are_no_answer() -> None:
    with RawServer(sends_head_after_head) as server, Client(security=Security(), limit=100) as client:
        done, took = timed(client, f"http://{server.address}/")
        assert (done.answer, done.body_begun) == (None, True)
        assert took < SOON
        assert all_end_within(5)


@pytest.mark.parametrize("script", [drips_its_head, drips_its_body])
def test_a_kept_connection_that_becomes_slow_is_given_up_in_time_too(script: Script) -> None:
    def first_well(peer: Peer) -> None:
        peer.read_request()
        peer.send(ACCEPTED)
        script(peer)

    with RawServer(first_well) as server, Client(security=Security(), limit=100) as client:
        first, _ = timed(client, f"http://{server.address}/")
        assert first.answer is not None
        _, took = timed(client, f"http://{server.address}/")
        assert SECONDS <= took < SOON
        assert len(server.peers) == 1
        assert all_end_within(5)


def test_after_a_request_that_was_given_up_the_next_one_begins_anew() -> None:
    turns: Iterator[Script] = iter([drips_its_head, lambda peer: peer.send(ACCEPTED)])

    def script(peer: Peer) -> None:
        next(turns)(peer)

    with RawServer(script) as server, Client(security=Security(), limit=100) as client:
        first, _ = timed(client, f"http://{server.address}/")
        second, _ = timed(client, f"http://{server.address}/")
    assert first.answer is None
    assert second.answer is not None
    assert second.answer.status == 202


def test_without_any_time_nothing_is_sent() -> None:
    with RawServer(reads_and_says_nothing) as server, Client(security=Security(), limit=100) as client:
        started = time.monotonic()
        client.exchange(Request("POST", f"http://{server.address}/", (("Host", "h"),), b""), seconds=0)
        assert time.monotonic() - started < 5
        assert all_end_within(5)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> Iterator[Client]:
    with authority.cert_pem.tempfile() as path, Client(security=Security(ca_file=Path(path)), limit=100) as client:
        yield client


@pytest.mark.parametrize("script", [reads_and_says_nothing, drips_its_head])
def test_over_tls_no_answer_ends_in_time_too(script: Script, tls: ssl.SSLContext, trusting: Client) -> None:
    with RawServer(script, tls=tls) as server:
        done, took = timed(trusting, f"https://{server.address}/")
        assert (done.answer, done.body_begun, done.failure) == NO_ANSWER
        assert SECONDS <= took < SOON
        assert all_end_within(5)


def test_over_tls_a_body_that_drips_is_cut_in_time(tls: ssl.SSLContext, trusting: Client) -> None:
    with RawServer(drips_its_body, tls=tls) as server:
        done, took = timed(trusting, f"https://{server.address}/")
        assert done.answer is not None
        assert done.answer.status == 202
        assert SECONDS <= took < SOON
        assert all_end_within(5)


@pytest.mark.parametrize("pieces", [(), (b"\x16\x03\x03\x3f\xff", *itertools.repeat(b"\x02", 200))])
def test_a_handshake_that_does_not_end_is_given_up_and_no_body_has_begun(
    pieces: tuple[bytes, ...], trusting: Client
) -> None:
    def script(peer: Peer) -> None:
        peer.drip(pieces, GAP)
        peer.hang()

    with RawServer(script) as server:
        done, took = timed(trusting, f"https://{server.address}/")
        assert (done.answer, done.body_begun, done.failure) == (None, False, "no answer within 0.4 s")
        assert SECONDS <= took < SOON
        assert all_end_within(5)
