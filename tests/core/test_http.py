"""`telemetry_core.http`: what leaves, what is kept of an answer, and what a failure is called."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from telemetry_core import VERSION, wire
from telemetry_core.http import Answer, Client, Exchange, Security
from telemetry_core.model import Document, Endpoint
from telemetry_core.secret import Secret
from telemetry_core.wire import Request
from tests.support.black_holes import UNKNOWN_HOST
from tests.support.ports import free_port
from tests.support.raw_server import ACCEPTED, Peer, RawServer, Script
from tests.support.receiver import Received, Receiver, Reply

LIMIT = 64 * 1024
BODY = '{"a":"ü"}'.encode()
SHA256 = "87ad59173ef7f2ba6d10c5d8e1c1aa39ec1fdd1aec0a1e02f8bb4f4cc4af1b8a"


def request(url: str, body: bytes = BODY) -> Request:
    headers = (("Host", url.split("/")[2]), ("Content-Length", str(len(body))))
    return Request("POST", url, headers, body)


def exchange(script: Script, *, seconds: float = 5, limit: int = LIMIT) -> Exchange:
    """One request to a server that plays a script."""
    with RawServer(script) as server, Client(security=Security(), limit=limit) as client:
        return client.exchange(request(f"http://{server.address}/pings"), seconds=seconds)


def answering(*pieces: bytes) -> Script:
    """Reads the request and sends some bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for piece in pieces:
            peer.send(piece)

    return script


def answer_of(done: Exchange) -> Answer:
    assert done.answer is not None, done.failure
    return done.answer


@pytest.mark.parametrize(
    ("path", "target"),
    [("/pings", b"/pings"), ("", b"/"), ("/p?a=%20&b=[1]", b"/p?a=%20&b=[1]"), ("//x/%7e", b"//x/%7e")],
)
def test_the_bytes_on_the_wire_are_those_of_the_request_and_nothing_else(path: str, target: bytes) -> None:
    with RawServer(answering(ACCEPTED)) as server:
        endpoint = Endpoint(f"http://{server.address}{path}", "http", "127.0.0.1", server.port)
        sent = wire.request(Document(BODY, SHA256), endpoint, "0d0b1d0e-0000-5000-8000-000000000001")
        with Client(security=Security(), limit=LIMIT) as client:
            client.exchange(sent, seconds=5)
        received = bytes(server.peers[0].received)
    assert received == (
        b"POST " + target + b" HTTP/1.1\r\n"
        b"Host: " + server.address.encode() + b"\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: 10\r\n"
        b"User-Agent: telemetry/" + VERSION.encode() + b"\r\n"
        b"Accept-Encoding: identity\r\n"
        b"Idempotency-Key: 0d0b1d0e-0000-5000-8000-000000000001\r\n"
        b"Content-Digest: sha-256=:h61ZFz738rptEMXY4cGqOewf3RrsCh4C+LtPTMSvG4o=:\r\n"
        b"\r\n"
        b'{"a":"\xc3\xbc"}'
    )


def test_a_token_is_one_more_header_and_the_last_one() -> None:
    with RawServer(answering(ACCEPTED)) as server:
        url = f"http://{server.address}/"
        with Client(security=Security(), limit=LIMIT, authorization=Secret("Bearer t0ken")) as client:
            client.exchange(Request("POST", url, (("Host", "h"), ("Content-Length", "0")), b""), seconds=5)
        received = bytes(server.peers[0].received)
    assert received == b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nAuthorization: Bearer t0ken\r\n\r\n"


def test_neither_proxies_nor_passwords_are_taken_from_the_surroundings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with RawServer(answering(ACCEPTED)) as server, Client(security=Security(), limit=LIMIT) as client:
        done = client.exchange(request(f"http://{server.address}/"), seconds=5)
        received = bytes(server.peers[0].received)
    assert answer_of(done).status == 202
    assert b"authorization" not in received.lower()


def test_an_answer_is_kept_with_status_headers_in_small_letters_and_body() -> None:
    done = exchange(answering(b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nX-Trace:  a\r\nContent-Length: 4\r\n\r\nbusy"))
    assert answer_of(done) == Answer(
        503, {"retry-after": "7", "x-trace": "a", "content-length": "4"}, b"busy", complete=True
    )
    assert done.body_begun


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_never_followed(status: int) -> None:
    with Receiver() as elsewhere:

        def redirect(_: Received) -> Reply:
            return Reply(status, {"Location": elsewhere.url})

        with Receiver(redirect) as receiver, Client(security=Security(), limit=LIMIT) as client:
            done = client.exchange(request(receiver.url), seconds=5)
        assert answer_of(done).status == status
        assert len(receiver.received) == 1
        assert elsewhere.received == []


@pytest.mark.parametrize(
    ("length", "kept", "complete"), [(99, 99, True), (100, 100, True), (101, 100, False), (5_000_000, 100, False)]
)
def test_more_of_a_body_than_the_limit_is_never_read(length: int, kept: int, complete: bool) -> None:
    done = exchange(
        answering(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode(), b"x" * length), limit=100
    )
    assert answer_of(done).body == b"x" * kept
    assert answer_of(done).complete is complete


def test_a_body_that_breaks_off_is_not_complete_and_its_status_counts() -> None:
    done = exchange(answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\nhalf"))
    assert answer_of(done) == Answer(202, {"content-length": "100"}, b"half", complete=False)


def test_a_compressed_body_is_not_unpacked() -> None:
    packed = gzip.compress(b"0" * 1_000_000)
    head = f"HTTP/1.1 202 Accepted\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    assert answer_of(exchange(answering(head, packed))).body == packed


def test_interim_answers_are_not_the_answer() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert answer_of(exchange(answering(interim, ACCEPTED))).status == 202


def test_an_answer_before_the_whole_body_was_read_is_the_answer() -> None:
    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        peer.read_request()

    assert answer_of(exchange(script)).status == 413


def test_a_port_on_which_nothing_listens_refuses_and_no_body_has_begun() -> None:
    with Client(security=Security(), limit=LIMIT) as client:
        done = client.exchange(request(f"http://127.0.0.1:{free_port()}/"), seconds=5)
    assert done == Exchange(None, body_begun=False, failure="connection refused")


def test_a_name_that_nobody_knows_is_said_and_no_body_has_begun() -> None:
    with Client(security=Security(), limit=LIMIT) as client:
        done = client.exchange(request(f"http://{UNKNOWN_HOST}/"), seconds=5)
    assert done == Exchange(None, body_begun=False, failure="its name is not known")


@pytest.mark.parametrize("nonsense", [b"", b"HTTP/1.1 20", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x15\x03\x01\x00\x02\x02\x46"])
def test_what_is_no_http_answer_leaves_the_outcome_open(nonsense: bytes) -> None:
    done = exchange(answering(nonsense))
    assert done == Exchange(None, body_begun=True, failure="the connection ended without an HTTP answer")


def test_switching_to_another_protocol_is_no_final_answer() -> None:
    done = exchange(answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"))
    assert done.answer is None
    assert done.body_begun


def test_a_header_that_http_forbids_is_not_sent_and_not_said() -> None:
    forbidden = Secret("Bearer a\r\nX: b")
    with (
        RawServer(answering(ACCEPTED)) as server,
        Client(security=Security(), limit=LIMIT, authorization=forbidden) as client,
    ):
        done = client.exchange(request(f"http://{server.address}/"), seconds=5)
    assert b"".join(bytes(peer.received) for peer in server.peers) == b""
    assert done == Exchange(None, body_begun=False, failure="LocalProtocolError while sending")


def test_requests_to_one_place_share_a_connection() -> None:
    def script(peer: Peer) -> None:
        while peer.read_request():
            peer.send(ACCEPTED)

    with RawServer(script) as server, Client(security=Security(), limit=LIMIT) as client:
        statuses = [
            answer_of(client.exchange(request(f"http://{server.address}/"), seconds=5)).status for _ in range(3)
        ]
        assert statuses == [202, 202, 202]
        assert len(server.peers) == 1


def test_a_connection_that_the_server_closed_in_between_is_replaced() -> None:
    with RawServer(answering(ACCEPTED)) as server, Client(security=Security(), limit=LIMIT) as client:
        for number in (1, 2, 3):
            done = client.exchange(request(f"http://{server.address}/"), seconds=5)
            assert answer_of(done).status == 202
            assert len(server.peers) == number
            server.peers[-1].wait_until_closed()
