"""Fixtures of the server: engines with users, the program configured for them, and the server itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.support.certificates import Certificates
from tests.support.guarded_engine import GuardedEngine, User
from tests.support.page import Visitor
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import WebServer

USERS = {
    "ada": User("ada-pw", groups=("camunda-admin",)),
    "rita": User("rita-pw", permissions=("READ",)),
    "susi": User("susi-pw", permissions=("SET",)),
    "mary": User("mary-pw", groups=("accounting",)),
}


@pytest.fixture
def guarded() -> Iterator[GuardedEngine]:
    """A simulated engine with users and HTTP Basic before its REST API."""
    with GuardedEngine(users=dict(USERS)) as running:
        yield running


@pytest.fixture
def ready(program: Program, receiver: Receiver, guarded: GuardedEngine) -> Program:
    """The program with the receiver as endpoint and the guarded engine as its engine `orders`."""
    return configured_for(guarded, program, receiver.url)


def configured_for(guarded: GuardedEngine, program: Program, endpoint: str) -> Program:
    """A program with a user of the engine who may read."""
    password = program.directory / "password"
    password.write_text("rita-pw\n")
    password.chmod(0o600)
    program.configure(
        f'endpoint = "{endpoint}"\n[engines.orders]\nrest = "{guarded.rest}"\nusername = "rita"\n'
        'password-file = "password"\ntimeout = "5s"\n'
    )
    return program


@pytest.fixture
def server(ready: Program) -> Iterator[WebServer]:
    """The server, for the engine `orders`."""
    with WebServer(ready) as running:
        yield running
        running.end()
        assert running.errors == b"", "nothing that a request did is an error of the server"


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server for tests that change nothing of it."""
    with GuardedEngine(users=dict(USERS)) as engine:
        program = configured_for(engine, Program(tmp_path_factory.mktemp("lasting")), "http://127.0.0.1:9/pings")
        with WebServer(program) as running:
            yield running


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """An authority, and the certificate of this host with its key as `server.pem` and `server.key`."""
    made = Certificates(trustme.CA(), tmp_path)
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    leaf = made.authority.issue_cert("127.0.0.1")
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "server.pem"))
    key = tmp_path / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(leaf.private_key_pem.bytes())
    return made


@pytest.fixture
def ada(server: WebServer) -> Iterator[Visitor]:
    """An administrator who is signed in; the server's fixture looks whether anything was said on standard error."""
    with Visitor(server) as visitor:
        visitor.sign_in("ada", "ada-pw")
        yield visitor
