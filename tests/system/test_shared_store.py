"""Nodes as processes of their own, with one store on PostgreSQL: killed, racing, and by way of a pooler."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from telemetry_core.config import Url
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program, Run
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine
from tests.support.stores import connected

MakeNode = Callable[[Url], Program]


@pytest.fixture
def node(tmp_path: Path, receiver: Receiver, simulated: SimulatedEngine) -> Iterator[MakeNode]:
    """Makes nodes: each has a directory and a configuration of its own; the password is in a file beside it."""
    made: list[Program] = []

    def make(place: Url) -> Program:
        directory = tmp_path / f"node{len(made)}"
        directory.mkdir()
        program = Program(directory, {"TELEMETRY_STORE": place.text.replace("://", f"://{place.username}@")})
        secret = directory / "password"
        secret.touch(mode=0o600)
        secret.write_text(f"{PostgreSQL.password}\n", encoding="utf-8")
        program.configure(
            f'endpoint = "{receiver.url}"\nstore-password-file = "password"\n'
            f'[engines.orders]\nrest = "{simulated.rest}"\n'
        )
        made.append(program)
        return program

    yield make
    for program in made:
        assert not program.store.exists()
        assert {path.name for path in program.directory.iterdir()} <= {"telemetry.toml", "password", "state"}


def begin(program: Program, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "telemetry_admin", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment(), cwd=program.directory
    )


def all_at_once(nodes: list[Program], *arguments: str) -> list[Run]:
    begun = [begin(program, *arguments) for program in nodes]
    said = [process.communicate(timeout=60) for process in begun]
    return [Run(process.returncode, *streams) for process, streams in zip(begun, said, strict=True)]


def silent(run: Run) -> bool:
    return (run.status, run.stdout, run.stderr) == (0, b"", b"")


def test_what_a_node_that_was_killed_had_begun_another_sends_after_the_lease(
    node: MakeNode, shared_place: Url, receiver: Receiver
) -> None:
    one, other = node(shared_place), node(shared_place)
    assert one("enable", "--yes").status == 0
    assert other("send").status == 0
    assert other("preview", "--keep").status == 0
    kept = other("preview", "--raw").stdout
    arrived, over = Event(), Event()

    def hold(_: Received) -> Reply:
        arrived.set()
        over.wait(30)
        return Reply(None)

    receiver.answer = hold
    killed = begin(one, "send", "--force")
    assert arrived.wait(30)
    killed.kill()
    killed.communicate()
    receiver.answer = lambda _: Reply(202)
    over.set()
    assert silent(other("send"))
    assert silent(other("send", "--force"))
    assert len(receiver.received) == 3
    with connected(shared_place) as server:
        query = "UPDATE telemetry.report SET lease_until = lease_until - 121000 WHERE lease_until IS NOT NULL"
        assert server.execute(query).rowcount == 1  # 60 s of the deadline and 60 more are over
    assert silent(other("send"))
    first, second = receiver.received[2:]
    assert first.body == second.body == kept
    assert first.key == second.key
    assert [
        attempt["outcome"] for attempt in other("history", first.key, "--json").data["reports"][0]["attempt-list"]
    ] == [None, "accepted"]


@pytest.mark.parametrize("way", [pytest.param("shared_place", marks=pytest.mark.family), "pooled_place"])
def test_ten_nodes_at_once_are_one_reporter(
    way: str, node: MakeNode, request: pytest.FixtureRequest, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    place: Url = request.getfixturevalue(way)
    nodes = [node(place) for _ in range(10)]
    assert [run.status for run in all_at_once(nodes, "license", "remove", "--json")] == [0] * 10  # one makes the store
    assert nodes[0]("enable", "--yes").status == 0
    simulated.start_process(5)
    assert all_at_once(nodes, "send") == [Run(0, b"", b"")] * 10
    assert len(receiver.keys) == len(set(receiver.keys)) == 2
    found = nodes[9]("history", "--json").data["reports"]
    assert sorted(report["state"] for report in found) == ["accepted", "accepted"]
    assert {report["id"] for report in found} == set(receiver.keys)
    assert nodes[3]("history", "--verify").status == 0


def test_the_password_of_a_shared_store_is_shown_nowhere(
    node: MakeNode, shared_place: Url, postgresql: PostgreSQL, receiver: Receiver
) -> None:
    program = node(shared_place)
    assert program("config", "check").status == 0
    runs = [program("config", "show"), program("config", "show", "--json"), program("status", "--json")]
    (program.directory / "password").write_text("another pass/word\n", encoding="utf-8")
    runs += [program("status"), program("send"), program("send", "--json"), program("history", "--verify")]
    assert [run.status for run in runs] == [0, 0, 0, 8, 8, 8, 8]
    assert not any("pass/word" in run.text + run.errors for run in runs)
    assert "password authentication failed" in runs[3].errors
    assert "Traceback" not in "".join(run.errors for run in runs)
    assert receiver.received == []


def test_libpqs_own_password_file_does_too(node: MakeNode, shared_place: Url, tmp_path: Path) -> None:
    program = node(shared_place)
    program.configure(program.config.read_text(encoding="utf-8").replace('store-password-file = "password"\n', ""))
    passfile = tmp_path / "pgpass"
    passfile.touch(mode=0o600)
    passfile.write_text(f"127.0.0.1:*:*:postgres:{PostgreSQL.password}\n", encoding="utf-8")
    assert program("status").status == 8
    assert program("status", variables={"PGPASSFILE": str(passfile)}).status == 0


def test_a_store_password_file_that_others_can_read_is_refused(node: MakeNode, shared_place: Url) -> None:
    program = node(replace(shared_place, password=None))
    (program.directory / "password").chmod(0o644)
    for arguments in (("status",), ("config", "check")):
        run = program(*arguments)
        assert run.status == 3
        assert "holds a secret and others can use it" in run.errors
