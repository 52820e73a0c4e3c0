"""`telemetry_core.http` through an HTTP proxy: tunnels, who we are to it; asking it begins no body."""

from __future__ import annotations

import itertools
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import trustme

from telemetry_core.http import Client, Exchange, Proxy, Security
from telemetry_core.secret import Secret
from telemetry_core.wire import Request
from tests.support.certificates import Certificates
from tests.support.helper_threads import all_end_within
from tests.support.ports import free_port
from tests.support.proxy import HttpProxy
from tests.support.raw_server import ACCEPTED, Peer, RawServer

USER = "reporter:proXy"
BASIC = b"Proxy-Authorization: Basic cmVwb3J0ZXI6cHJvWHk="  # the same
REQUEST = b"POST /pings HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


def accepts(peer: Peer) -> None:
    peer.read_request()
    peer.send(ACCEPTED)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    made = Certificates(trustme.CA(), tmp_path_factory.mktemp("certificates"))
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    yield made


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    return certificates.server()


@pytest.fixture
def security(certificates: Certificates) -> Security:
    return Security(ca_file=certificates.ca_file)


def known_to(proxy: HttpProxy) -> Proxy:
    return Proxy(proxy.url, "reporter", Secret("proXy"))


def through(proxy: Proxy, security: Security, url: str, *, seconds: float = 5) -> Exchange:
    request = Request("POST", url, (("Host", "h"), ("Content-Length", "2")), b"{}")
    with Client(security=security, limit=100, proxy=proxy) as client:
        return client.exchange(request, seconds=seconds)


def nothing_sent(failure: str) -> Exchange:
    return Exchange(None, body_begun=False, failure=failure)


def test_through_a_tunnel_the_endpoint_sees_the_request_alone(tls: ssl.SSLContext, security: Security) -> None:
    with RawServer(accepts, tls=tls) as endpoint, HttpProxy(user=USER) as proxy:
        done = through(known_to(proxy), security, f"https://{endpoint.address}/pings")
        received, (head,) = bytes(endpoint.peers[0].received), proxy.heads
    assert done.answer is not None, done.failure
    assert (done.answer.status, done.body_begun) == (202, True)
    assert received == REQUEST
    lines = head.split(b"\r\n")
    assert lines[0] == f"CONNECT 127.0.0.1:{endpoint.port} HTTP/1.1".encode()
    assert BASIC in lines
    assert b"pings" not in head
    assert b"{}" not in proxy.received.partition(b"\r\n\r\n")[2]


def test_a_proxy_that_asks_nobody_is_told_nothing(tls: ssl.SSLContext, security: Security) -> None:
    with RawServer(accepts, tls=tls) as endpoint, HttpProxy() as proxy:
        done = through(Proxy(proxy.url), security, f"https://{endpoint.address}/pings")
        (head,) = proxy.heads
    assert done.answer is not None, done.failure
    assert b"uthorization" not in head


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_asked_over_tls_where_its_address_says_so(
    scheme: str, certificates: Certificates, security: Security
) -> None:
    tls = certificates.server() if scheme == "https" else None
    with RawServer(accepts, tls=tls) as endpoint, HttpProxy(user=USER, tls=certificates.server()) as proxy:
        done = through(known_to(proxy), security, f"{scheme}://{endpoint.address}/pings")
        received = bytes(endpoint.peers[0].received)
    assert done.answer is not None, done.failure
    assert received == REQUEST


def test_to_a_proxy_over_tls_our_certificate_is_not_shown(certificates: Certificates, security: Security) -> None:
    wants_one = certificates.server()
    wants_one.verify_mode = ssl.CERT_REQUIRED
    certificates.authority.configure_trust(wants_one)
    ours = Security(certificates.ca_file, *certificates.client())
    with RawServer(accepts, tls=wants_one) as endpoint:
        with HttpProxy(tls=certificates.server()) as proxy:
            assert through(Proxy(proxy.url), ours, f"https://{endpoint.address}/pings").answer is not None
        with HttpProxy(tls=wants_one) as proxy:
            assert through(Proxy(proxy.url), ours, f"https://{endpoint.address}/pings").answer is None
            assert proxy.heads == []


def test_a_proxy_over_tls_is_checked_as_an_endpoint_is(certificates: Certificates, security: Security) -> None:
    expired = certificates.server(not_after=datetime(2024, 1, 1, tzinfo=UTC))
    with HttpProxy(tls=expired) as proxy:
        done = through(Proxy(proxy.url), security, "https://127.0.0.1:1/")
        end = "its certificate expired on 2024-01-01: it must be renewed there"
        assert done == nothing_sent(f"the proxy {proxy.url} cannot be used: {end}")
        assert proxy.heads == []


@pytest.mark.parametrize("by_tls", [False, True])
def test_an_endpoint_behind_a_tunnel_is_checked_like_any_other(
    by_tls: bool, certificates: Certificates, security: Security
) -> None:
    other = certificates.server("telemetry.example")
    with (
        RawServer(accepts, tls=other) as endpoint,
        HttpProxy(tls=certificates.server() if by_tls else None) as proxy,
    ):
        done = through(Proxy(proxy.url), security, f"https://{endpoint.address}/")
    assert done == nothing_sent(
        "its certificate is for telemetry.example, not for 127.0.0.1: correct the host of the address"
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_user_has_sent_nothing_on_and_the_message_says_where_to_write_one(scheme: str) -> None:
    with RawServer(accepts) as endpoint, HttpProxy(user=USER) as proxy:
        url = f"{scheme}://{endpoint.address}/pings"
        unknown = through(Proxy(proxy.url), Security(), url)
        wrong = through(Proxy(proxy.url, "reporter", Secret("wroNg")), Security(), url)
        assert endpoint.peers == []
    assert unknown == nothing_sent(
        "the proxy wants a user and password (407): write them into a file with mode 0600,"
        ' reporter.proxy = "http://USER:PASSWORD@HOST:PORT"'
    )
    assert wrong == nothing_sent(
        "the proxy does not accept this user and password (407): correct them in reporter.proxy"
    )


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("403 Forbidden", "the proxy refuses the way to 127.0.0.1:1 (403 Forbidden): it must allow it"),
        ("502 Bad Gateway", "the proxy finds no way to 127.0.0.1:1 (502 Bad Gateway)"),
        ("504 " + "x" * 5000, f"the proxy finds no way to 127.0.0.1:1 (504 {'x' * 76})"),
        ("302 Found", "the proxy finds no way to 127.0.0.1:1 (302 Found)"),
    ],
)
def test_a_proxy_that_makes_no_tunnel_has_not_seen_the_body(answer: str, failure: str) -> None:
    with HttpProxy(answers=answer) as proxy:
        assert through(Proxy(proxy.url), Security(), "https://127.0.0.1:1/") == nothing_sent(failure)
        assert b"{}" not in proxy.received


def test_a_proxy_that_reaches_nobody_says_so() -> None:
    port = free_port()
    with HttpProxy() as proxy:
        done = through(Proxy(proxy.url), Security(), f"https://127.0.0.1:{port}/")
    assert done == nothing_sent(f"the proxy finds no way to 127.0.0.1:{port} (502 Bad Gateway)")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_told_from_an_endpoint_that_is_not_there(scheme: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = through(Proxy(url), Security(), f"{scheme}://127.0.0.1:1/")
    assert done == nothing_sent(f"the proxy {url} cannot be used: connection refused")


def test_a_proxy_that_ends_the_connection_has_not_seen_the_body() -> None:
    with RawServer(Peer.read_head) as proxy:
        done = through(Proxy(f"http://{proxy.address}"), Security(), "https://127.0.0.1:1/")
    ended = "the connection ended without an HTTP answer"
    assert done == nothing_sent(f"the proxy http://{proxy.address} cannot be used: {ended}")


def test_a_plain_request_is_given_to_the_proxy_whole_and_its_password_stays_there() -> None:
    with RawServer(accepts) as endpoint, HttpProxy(user=USER) as proxy:
        done = through(known_to(proxy), Security(), f"http://{endpoint.address}/pings")
        received, (head,) = bytes(endpoint.peers[0].received), proxy.heads
    assert done.answer is not None
    assert done.answer.status == 202
    assert head.startswith(f"POST http://{endpoint.address}/pings HTTP/1.1\r\n".encode())
    assert BASIC in head
    assert received == REQUEST


def test_407_of_an_endpoint_itself_is_its_answer(tls: ssl.SSLContext, security: Security) -> None:
    def wants_a_user(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")

    with RawServer(wants_a_user, tls=tls) as endpoint, HttpProxy() as proxy:
        done = through(Proxy(proxy.url), security, f"https://{endpoint.address}/")
    assert done.answer is not None
    assert (done.answer.status, done.body_begun) == (407, True)


def test_a_proxy_and_an_endpoint_that_say_nothing_are_given_up_in_time(
    certificates: Certificates, security: Security
) -> None:
    def drips(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 202 Accepted\r\nX-Slow: ")
        peer.drip(itertools.repeat(b"x"), 0.05)

    late = "no answer within 0.4 s"
    with (
        RawServer(drips, tls=certificates.server()) as endpoint,
        HttpProxy() as proxy,
        HttpProxy(tls=certificates.server()) as proxy_by_tls,
        RawServer(drips) as slow_proxy,
    ):
        slow = f"http://{slow_proxy.address}"
        cases = ((proxy.url, late), (proxy_by_tls.url, late), (slow, f"the proxy {slow} cannot be used: {late}"))
        for url, failure in cases:
            started = time.monotonic()
            done = through(Proxy(url), security, f"https://{endpoint.address}/", seconds=0.4)
            assert time.monotonic() - started < 6
            assert done == Exchange(None, body_begun=url != slow, failure=failure)
            assert all_end_within(5)


def test_the_password_for_the_proxy_is_not_printed() -> None:
    assert "proXy" not in repr(Proxy("http://127.0.0.1:1", "reporter", Secret("proXy")))
