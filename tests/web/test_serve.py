"""The command `serve`: where it listens, what it refuses to begin with, TLS, and its end."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack

import jsonschema
import pytest

from docs.generate import REFERENCE
from telemetry_core.config import Serve
from telemetry_web import server
from tests.support.black_holes import UNKNOWN_HOST
from tests.support.certificates import Certificates
from tests.support.guarded_engine import GuardedEngine
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.web_server import CONFIGURATION, DATA, WebServer, basic


def test_it_listens_on_this_host_alone_and_ends_quietly_when_it_is_told_to(ready: Program) -> None:
    for how in (signal.SIGTERM, signal.SIGINT):
        with WebServer(ready) as server:
            elsewhere = socket.create_connection(("127.0.0.1", server.port))
            elsewhere.close()
            with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.2", server.port)):
                pass
            assert server.end(how) == 0
        assert (server.output, server.errors) == (b"", b"")


def test_its_last_word_as_json_says_where_it_was_and_what_ended_it(ready: Program) -> None:
    with WebServer(ready, "--json") as server:
        server.end()
    schema = json.loads((REFERENCE / "json" / "serve.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(server.output))
    assert json.loads(server.output) == {
        "format": 1,
        "command": "serve",
        "ok": True,
        "data": {"url": f"http://127.0.0.1:{server.port}", "ended-by": "SIGTERM"},
    }


def test_it_ends_in_time_though_clients_stay_and_an_engine_hangs(ready: Program, guarded: GuardedEngine) -> None:
    with guarded.hanging("/telemetry/data"), WebServer(ready) as server, ExitStack() as stack:
        idle, half, slow, busy = (
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(4)
        )
        head = f" HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('ada', 'ada-pw')}\r\n"
        half.sendall(f"GET {DATA}{head}".encode())
        slow.sendall(f"POST {CONFIGURATION}{head}Content-Length: 9\r\n\r\n".encode())
        busy.sendall(f"GET {DATA}{head}\r\n".encode())
        limit = time.monotonic() + 60
        while not any(request.endswith("/telemetry/data") for request in guarded.requests):
            assert time.monotonic() < limit
            time.sleep(0.05)
        assert server.end() == 0, "which waits for 60 seconds at most"
        assert busy.recv(100).startswith(b"HTTP/1.1 503"), "the time limit for reading an engine is 5 seconds"
        assert idle.recv(100) == b""


def test_what_came_as_no_http_is_no_news(ready: Program) -> None:
    with WebServer(ready) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"\x16\x03\x01 no http at all \xff\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"y" * 100_000)
            assert connection.recv(100).startswith(b"HTTP/1.1 4")
        assert server.as_user("rita", "rita-pw").get(CONFIGURATION).status == 200
        server.end()
    assert server.errors == b""


def test_passwords_do_not_cross_the_network_in_clear(ready: Program) -> None:
    for address in ("0.0.0.0", "::", "192.0.2.1", "localhost.example"):
        refused = ready("serve", "--listen", address)
        assert refused.status == 3
        assert "in plain HTTP" in refused.errors
        assert "serve.tls-cert" in refused.errors
    ready.configure(ready.config.read_text() + '[serve]\nlisten = "0.0.0.0"\nallow-http = true\n')
    with WebServer(ready) as server:
        assert server.as_user("rita", "rita-pw").get(CONFIGURATION).status == 200


def test_tls_is_spoken_with_the_certificate_that_is_named(ready: Program, certificates: Certificates) -> None:
    trusting = ssl.create_default_context(cafile=certificates.ca_file)
    ready.configure(
        ready.config.read_text() + '[serve]\nlisten = "0.0.0.0"\ntls-cert = "server.pem"\ntls-key = "server.key"\n'
    )
    with WebServer(ready, tls=trusting) as server:
        assert server.as_user("rita", "rita-pw").get(CONFIGURATION).json == {"enableTelemetry": None}
        old = ssl.create_default_context(cafile=certificates.ca_file)
        with pytest.deprecated_call():
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", server.port)) as plain:
            old.wrap_socket(plain, server_hostname="127.0.0.1")
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not plain.recv(100).startswith(b"HTTP/")
        server.end()
    assert server.errors == b""
    assert ready("config", "check").status == 0


def test_files_that_cannot_be_used_are_said_at_the_start_and_by_config_check(
    ready: Program, certificates: Certificates
) -> None:
    good = ready.config.read_text()
    key = certificates.directory / "server.key"
    for settings, mode, message in (
        ('tls-cert = "server.pem"\ntls-key = "server.key"', 0o644, "others can use it"),
        ('tls-cert = "server.pem"\ntls-key = "nothing.key"', 0o600, "serve.tls-key"),
        ('tls-cert = "ca.pem"\ntls-key = "server.key"', 0o600, "does not belong to the certificate"),
        ('token-file = "telemetry.toml"', 0o600, "others can use it"),
        ('token-file = "nothing"', 0o600, "nothing cannot be"),
    ):
        key.chmod(mode)
        ready.configure(f"{good}[serve]\n{settings}\n")
        for command in (("serve",), ("config", "check")):
            refused = ready(*command)
            assert refused.status == 3, (settings, command)
            assert message in refused.errors, (settings, command)
    key.chmod(0o600)
    ready.configure(f'{good}[serve]\ntls-key = "server.key"\n')
    assert "without serve.tls-cert" in ready("serve").errors


def test_a_place_that_is_taken_or_not_ours_is_said(ready: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = ready("serve", "--port", str(taken.getsockname()[1]))
    assert refused.status == 3
    assert "Nothing can listen at 127.0.0.1" in refused.errors
    for address in ("192.0.2.1", UNKNOWN_HOST):
        ready.configure(ready.config.read_text().partition("[serve]")[0] + "[serve]\nallow-http = true\n")
        refused = ready("serve", "--listen", address, "--port", str(free_port()))
        assert (refused.status, f"at {address}, port" in refused.errors) == (3, True)


def test_without_its_libraries_the_command_says_how_to_install_them(ready: Program) -> None:
    without = (
        "import sys; sys.modules['uvicorn'] = None; sys.argv = ['telemetry', 'serve']\n"
        "from telemetry_admin.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], env=ready.environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert "pip install 'telemetry-admin[serve]'" in done.stderr


def test_other_commands_load_nothing_of_it(ready: Program) -> None:
    program = (
        "import sys; from telemetry_admin.__main__ import run; from telemetry_admin.host import this_host\n"
        "run(['status'], this_host()); run(['config', 'show'], this_host())\n"
        "print(*(set(sys.modules) & {'starlette', 'uvicorn', 'limits', 'anyio', 'telemetry_web'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=ready.environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == ""


def test_no_part_of_an_answer_waits_until_the_other_side_has_confirmed_the_one_before() -> None:
    listening = server.listen(Serve("127.0.0.1", free_port()))
    with listening.socket, socket.create_connection(listening.socket.getsockname()):
        accepted, _ = listening.socket.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
