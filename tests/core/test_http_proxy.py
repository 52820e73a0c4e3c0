"""`telemetry_core.http` through an HTTP proxy: tunnels, who we are to it; asking it begins no body."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from telemetry_core.http import Client, Exchange, Proxy, Security
from telemetry_core.secret import Secret
from telemetry_core.wire import Request
from tests.support.helper_threads import all_end_within
from tests.support.raw_server import ACCEPTED, Peer, RawServer, Script
from tests.support.receiver import free_port

BASIC = b"Proxy-Authorization: Basic cmVwb3J0ZXI6cHJvWHk="  # reporter:proXy


def request(url: str) -> Request:
    return Request("POST", url, (("Host", "h"), ("Content-Length", "2")), b"{}")


def accepts(peer: Peer) -> None:
    peer.read_request()
    peer.send(ACCEPTED)


def says(answer: bytes) -> Script:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(answer)

    return script


def tunnels(port: int) -> Script:
    """A proxy that connects to a port of loopback whatever it is asked for."""

    def script(peer: Peer) -> None:
        peer.read_head()
        with socket.create_connection(("127.0.0.1", port)) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(onward, peer.connection), daemon=True)
            back.start()
            pump(peer.connection, onward)
            back.join()

    return script


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def security(authority: trustme.CA) -> Iterator[Security]:
    with authority.cert_pem.tempfile() as path:
        yield Security(ca_file=Path(path))


def through(proxy: Proxy, security: Security, url: str, *, seconds: float = 5) -> Exchange:
    with Client(security=security, limit=100, proxy=proxy) as client:
        return client.exchange(request(url), seconds=seconds)


def test_through_a_tunnel_the_endpoint_sees_the_request_alone(tls: ssl.SSLContext, security: Security) -> None:
    with RawServer(accepts, tls=tls) as endpoint, RawServer(tunnels(endpoint.port)) as proxy:
        way = Proxy(f"http://{proxy.address}", "reporter", Secret("proXy"))
        done = through(way, security, f"https://{endpoint.address}/pings")
        head = bytes(proxy.peers[0].received).partition(b"\r\n\r\n")[0].split(b"\r\n")
        received = bytes(endpoint.peers[0].received)
    assert done.answer is not None
    assert (done.answer.status, done.body_begun) == (202, True)
    assert received == b"POST /pings HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    assert head[0] == f"CONNECT 127.0.0.1:{endpoint.port} HTTP/1.1".encode()
    assert BASIC in head


def test_an_endpoint_behind_a_tunnel_is_checked_like_any_other(tls: ssl.SSLContext) -> None:
    with RawServer(accepts, tls=tls) as endpoint, RawServer(tunnels(endpoint.port)) as proxy:
        done = through(Proxy(f"http://{proxy.address}"), Security(), f"https://{endpoint.address}/")
    reason = "unable to get local issuer certificate"
    assert done == Exchange(None, body_begun=False, failure=f"its certificate is not trusted: {reason}")


@pytest.mark.parametrize("answer", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_makes_no_tunnel_has_not_seen_the_body(answer: str, security: Security) -> None:
    with RawServer(says(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n".encode())) as proxy:
        done = through(Proxy(f"http://{proxy.address}"), security, "https://127.0.0.1:1/")
    assert done == Exchange(None, body_begun=False, failure=f"the proxy refuses: {answer}")


def test_a_proxy_that_ends_the_connection_has_not_seen_the_body(security: Security) -> None:
    with RawServer(says(b"")) as proxy:
        done = through(Proxy(f"http://{proxy.address}"), security, "https://127.0.0.1:1/")
    assert (done.answer, done.body_begun) == (None, False)


def test_a_proxy_that_is_not_there_refuses_the_connection(security: Security) -> None:
    done = through(Proxy(f"http://127.0.0.1:{free_port()}"), security, "https://127.0.0.1:1/")
    assert done == Exchange(None, body_begun=False, failure="connection refused")


def test_a_plain_request_is_given_to_the_proxy_whole() -> None:
    with RawServer(accepts) as proxy:
        way = Proxy(f"http://{proxy.address}", "reporter", Secret("proXy"))
        done = through(way, Security(), "http://127.0.0.1:1/pings")
        received = bytes(proxy.peers[0].received)
    assert done.answer is not None
    assert done.answer.status == 202
    assert received.startswith(b"POST http://127.0.0.1:1/pings HTTP/1.1\r\n")
    assert BASIC in received
    assert received.endswith(b"\r\n\r\n{}")


def test_a_proxy_and_an_endpoint_that_say_nothing_are_given_up_in_time(tls: ssl.SSLContext, security: Security) -> None:
    def drips(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
        peer.drip(itertools.repeat(b"x"), 0.05)

    with (
        RawServer(drips, tls=tls) as endpoint,
        RawServer(tunnels(endpoint.port)) as proxy,
        RawServer(drips) as slow_proxy,
    ):
        for address, body_begun in ((proxy.address, True), (slow_proxy.address, False)):
            started = time.monotonic()
            done = through(Proxy(f"http://{address}"), security, f"https://{endpoint.address}/", seconds=0.4)
            assert time.monotonic() - started < 1.4
            assert done == Exchange(None, body_begun=body_begun, failure="no answer within 0.4 s")
            assert all_end_within(1)


def test_the_password_for_the_proxy_is_not_printed() -> None:
    assert "proXy" not in repr(Proxy("http://127.0.0.1:1", "reporter", Secret("proXy")))
