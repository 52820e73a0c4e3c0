"""Clients that send slowly, take slowly, or come in crowds: they are cut off, and others are served meanwhile."""

from __future__ import annotations

import select
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from telemetry_web import slow, taking
from tests.support.certificates import Certificates
from tests.support.guarded_engine import GuardedEngine
from tests.support.page import Visitor
from tests.support.program import Program
from tests.support.simulated_engine import Answer
from tests.support.slow_clients import connect, dripping, is_closed, seconds_until_closed
from tests.support.waiting import until
from tests.support.web_server import CONFIGURATION, WebServer
from tests.web.conftest import configured_for

HEAD = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nX: "
_MARGIN = 10


def test_a_hundred_clients_at_a_byte_a_second_are_cut_off_and_others_are_served_meanwhile(server: WebServer) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(server.port)) for _ in range(100)]
        for client in clients[::2]:
            client.sendall(HEAD + b"y\r\n\r\n")  # these are slow with the body, the others with the head
        with dripping(dict.fromkeys(clients, HEAD)), Visitor(server) as ada:
            longest = 0.0
            for _ in range(20):
                begun = time.monotonic()
                assert ada.sign_in("ada", "ada-pw").status_code == 303
                assert ada.get("/engine/orders").status_code == 200
                longest = max(longest, time.monotonic() - begun)
            assert longest < 5
            seconds_until_closed(clients, slow.ASKING_SECONDS + _MARGIN)


def test_a_client_that_says_nothing_is_cut_off(server: WebServer) -> None:
    with connect(server.port) as silent:
        assert seconds_until_closed([silent], slow.ASKING_SECONDS + _MARGIN) > slow.ASKING_SECONDS - 2


def test_a_client_that_asked_before_has_no_more_time_for_its_next_request(server: WebServer) -> None:
    with connect(server.port) as client:
        client.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n")
        while select.select([client], [], [], 1)[0]:
            client.recv(65536)
        with dripping({client: HEAD}):
            seconds_until_closed([client], slow.ASKING_SECONDS + _MARGIN)


def test_a_request_of_very_many_small_pieces_is_cut_off_before_it_keeps_others_waiting(server: WebServer) -> None:
    chunked = f"POST {CONFIGURATION} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    fields = b"GET /x HTTP/1.1\r\nHost: x\r\n" + b"a:\n" * 3500 + b"\r\n"
    for pieces in (chunked + b"1\r\na\r\n" * 40_000, fields * 20):
        with ExitStack() as stack:
            crowd = [stack.enter_context(connect(server.port)) for _ in range(40)]
            for client in crowd:
                client.settimeout(0.2)
                with suppress(OSError):
                    client.sendall(pieces)
            begun = time.monotonic()
            assert server.as_nobody().get("/openapi.json").status == 200
            assert time.monotonic() - begun < 2
            seconds_until_closed(crowd, 5)


def test_a_few_requests_at_once_are_answered_in_their_order(server: WebServer) -> None:
    names = [f"/page/{number}" for number in range(8)]
    with connect(server.port) as client:
        client.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % name.encode() for name in names))
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        while more := client.recv(65536):
            said += more
    assert said.count(b"HTTP/1.1 404") == len(names)
    assert said.rindex(b"HTTP/1.1 404") < said.index(b"HTTP/1.1 200")


def test_a_client_that_does_not_take_its_answers_is_cut_off(server: WebServer) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.settimeout(0)
        begun = time.monotonic()
        asking = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 1000
        while time.monotonic() < begun + taking.TAKING_SECONDS + 2 * _MARGIN:
            try:
                client.send(asking)
            except BlockingIOError:
                time.sleep(0.1)
            except OSError:
                return
        raise AssertionError("it has kept its connection")


def test_an_engine_that_takes_longer_than_a_client_may_is_waited_for(program: Program, guarded: GuardedEngine) -> None:
    def linger() -> Answer:
        time.sleep(slow.ASKING_SECONDS + 1)
        del guarded.override["/telemetry/data"]
        return guarded.answer("/engine-rest/telemetry/data")

    configured_for(guarded, program, "http://127.0.0.1:9/pings")
    program.configure(program.config.read_text().replace('"5s"', '"30s"'))
    with WebServer(program) as server, Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw")
        guarded.override["/telemetry/data"] = linger
        assert ada.get("/engine/orders/preview").status_code == 200


def test_a_crowd_of_connections_leaves_files_for_others_and_goes_away(server: WebServer) -> None:
    with ExitStack() as stack:
        crowd = [stack.enter_context(connect(server.port)) for _ in range(slow.MOST + 50)]
        until(lambda: sum(map(is_closed, crowd)) >= 50, "those that are too many are closed at once", seconds=5)
        assert sum(map(is_closed, crowd)) == 50
        crowd[-60].sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n")
        assert crowd[-60].recv(12) == b"HTTP/1.1 503"
        seconds_until_closed(crowd, slow.ASKING_SECONDS + _MARGIN)
        assert server.as_nobody().get("/sign-in").status == 200


def test_who_begins_tls_and_does_not_go_on_is_cut_off(ready: Program, certificates: Certificates) -> None:
    ready.configure(ready.config.read_text() + '[serve]\ntls-cert = "server.pem"\ntls-key = "server.key"\n')
    trusting = ssl.create_default_context(cafile=certificates.ca_file)
    with WebServer(ready, tls=trusting) as server, connect(server.port) as silent, connect(server.port) as whole:
        with trusting.wrap_socket(whole, server_hostname="127.0.0.1") as spoken:
            spoken.settimeout(slow.ASKING_SECONDS + _MARGIN)
            with suppress(OSError):
                assert spoken.recv(1) == b"", "nothing was asked over it"
        seconds_until_closed([silent], _MARGIN)
        server.end()
    assert server.errors == b""


@pytest.mark.parametrize("user", ["mary", "user-{place}"])
def test_an_engine_that_hangs_at_the_sign_in_does_not_stop_who_is_signed_in(
    user: str, server: WebServer, guarded: GuardedEngine
) -> None:
    with Visitor(server) as rita, ThreadPoolExecutor(60) as crowd:
        rita.sign_in("rita", "rita-pw")
        guarded.users |= {f"user-{place}": guarded.users["mary"] for place in range(60)}
        with guarded.hanging("/identity/verify"):
            callers = [server.as_user(user.format(place=place), "mary-pw") for place in range(60)]
            asking = [crowd.submit(one.get, CONFIGURATION) for one in callers]
            time.sleep(1)
            begun = time.monotonic()
            assert rita.get("/engine/orders").status_code == 200
            assert time.monotonic() - begun < 2
        answers = [one.result() for one in asking]
    refused = [one for one in answers if one.status == 429]
    assert len(refused) >= 40
    assert all("Too many passwords are being checked at once." in one.json["message"] for one in refused)
    assert all(int(one.headers["retry-after"]) > 0 for one in refused)
