"""Off is silent: without a permit no command connects to anything, or looks a name up, but to configured engines.

DESIGN §1, promise 2. All commands in all states run in this process, where an audit hook sees every connection and
every lookup of Python's; and as processes under strace, where the kernel sees them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from telemetry_core import paths
from tests.batteries import tracing
from tests.batteries.canaries import COMMANDS as OF_CANARIES
from tests.batteries.canaries import SITUATIONS, Cage, call, configure, prepare
from tests.batteries.planting import Bug, plant
from tests.batteries.world import World

COMMANDS = (
    *OF_CANARIES, "status --json", "environment --json", "config show --json",
    "send --help", "preview --help", "history --raw", "send --engine nobody",
)  # fmt: skip
#: It asks for the one report that needs no consent, and gets it where nothing forbids all requests.
INITIAL = ("send --initial --force",)
NAME = "telemetry.example"


@dataclass
class Ear:
    """What the audit hook has heard: addresses, and names that were looked up."""

    heard: list[object] = field(default_factory=list)
    listening: bool = False

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.listening:
            return
        if event in ("socket.connect", "socket.sendto"):
            self.heard.append(arguments[1])
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            self.heard.append(arguments[0])


EAR = Ear()
sys.addaudithook(EAR)


@contextmanager
def heard() -> Iterator[list[object]]:
    """What is heard meanwhile."""
    EAR.heard, EAR.listening = [], True
    try:
        yield EAR.heard
    finally:
        EAR.listening = False


def undecided(_: Cage) -> set[str]:
    return set(INITIAL)


def undecided_and_nowhere(cage: Cage) -> set[str]:
    config = cage.world.program.config
    config.write_text(re.sub(r"(?m)^endpoint = .*\n", "", config.read_text()))
    return set()


def disabled(cage: Cage) -> set[str]:
    """The initial report has gone before."""
    cage.world.program.variables["TELEMETRY_ENDPOINT"] = cage.world.receiver.url
    call(cage, "disable")
    call(cage, "send")
    assert cage.world.receiver.received
    del cage.world.program.variables["TELEMETRY_ENDPOINT"]
    return set(INITIAL)


def disabled_for_good(cage: Cage) -> set[str]:
    call(cage, "disable --no-requests")
    return set()


def switched_off(cage: Cage) -> set[str]:
    call(cage, "enable --yes")
    cage.world.program.variables["TELEMETRY_REPORTER_ACTIVATE"] = "false"
    return set()


def do_not_track(cage: Cage) -> set[str]:
    call(cage, "enable --yes")
    cage.world.program.variables["DO_NOT_TRACK"] = "1"
    return set()


def enabled(cage: Cage) -> set[str]:
    """With a permit, unless something else forbids."""
    call(cage, "enable --yes")
    return set()


def moved(cage: Cage) -> set[str]:
    """Consent was given for another endpoint."""
    cage.world.program.variables["TELEMETRY_ENDPOINT"] = "https://another.example/"
    call(cage, "enable --yes")
    del cage.world.program.variables["TELEMETRY_ENDPOINT"]
    return set()


STATES: tuple[Callable[[Cage], set[str]], ...] = (
    undecided, undecided_and_nowhere, disabled, disabled_for_good, switched_off, do_not_track, moved,
)  # fmt: skip


@contextmanager
def silent(state: Callable[[Cage], set[str]]) -> Iterator[tuple[Cage, list[str]]]:
    """A world in a state, its endpoint a name; and the commands that must be silent in it."""
    with World.running() as world:
        cage = prepare(world)
        endpoint = f"https://{NAME}/pings"
        configure(cage, endpoint=endpoint)
        text = re.sub(r"(?m)^(proxy|database|database-password-file) = .*\n", "", world.program.config.read_text())
        world.program.config.write_text(text)
        allowed = state(cage)
        yield cage, [one for one in COMMANDS if one not in allowed and not one.startswith("enable")]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_in_no_state_without_a_permit_does_a_command_look_towards_the_endpoint(
    state: Callable[[Cage], set[str]],
) -> None:
    with silent(state) as (cage, commands):
        engine = ("127.0.0.1", cage.world.engine.port)
        asked = 0
        for command in commands:
            with heard() as found:
                call(cage, command)
            asked += len(found)
            assert [one for one in found if one not in (engine, "127.0.0.1")] == [], command
        assert asked  # the engine was: the ear hears


def test_under_the_policy_of_the_host_neither(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("forbid = true\n", encoding="utf-8")
    policy.chmod(0o644)
    tmp_path.chmod(0o755)
    monkeypatch.setattr(paths, "SYSTEM_POLICY", policy)
    with silent(enabled) as (cage, commands):
        for command in commands:
            with heard() as found:
                call(cage, command)
            assert [one for one in found if one not in (("127.0.0.1", cage.world.engine.port), "127.0.0.1")] == []


@pytest.mark.parametrize("situation", ["engine 500", "engine down", "store damaged", "configuration broken"])
def test_nor_when_something_else_is_wrong(situation: str) -> None:
    with silent(do_not_track) as (cage, commands):
        SITUATIONS[situation](cage)
        text = cage.world.program.config.read_text().replace(cage.world.receiver.url, f"https://{NAME}/pings")
        cage.world.program.config.write_text(re.sub(r"(?m)^(proxy|database.*) = .*\n", "", text))
        for command in commands:
            with heard() as found:
                call(cage, command)
            assert NAME not in found, command
            assert {one for one in found if isinstance(one, str)} <= {"127.0.0.1"}, command


def test_a_command_that_looks_is_heard() -> None:
    """With a permit the same ear hears the name of the endpoint."""
    with silent(enabled) as (cage, _):
        with heard() as found:
            call(cage, "send")
        assert NAME in found


_CONNECT = re.compile(r"(?:connect|sendto|sendmsg)\(.*?sin6?_port=htons\((\d+)\)")
_LOOKUP = re.compile(r'"/etc/(?:resolv\.conf|host\.conf)"|io\.systemd\.Resolve')
#: As processes: what needs the network most, and what must never.
UNDER_STRACE = ("--help", "--show-completion", "status", "send", "send --force", "preview", "history", "nonsense")


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
@pytest.mark.parametrize("state", [undecided, disabled_for_good, do_not_track], ids=lambda state: state.__name__)
def test_the_kernel_sees_no_connection_and_no_lookup_either(state: Callable[[Cage], set[str]]) -> None:
    with silent(state) as (cage, _):
        for command in UNDER_STRACE:
            ports, looked_up = traced(cage, command)
            assert ports <= {cage.world.engine.port}, command
            assert looked_up == [], command


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
def test_a_lookup_that_is_planted_into_status_is_seen_by_the_kernel(tmp_path: Path) -> None:
    plant(
        Bug(
            "telemetry_admin/commands/status.py",
            "    invocation: Invocation = ctx.obj\n",
            f'    invocation: Invocation = ctx.obj\n    import socket\n    socket.getfqdn("{NAME}")\n',
        ),
        tmp_path,
    )
    with silent(do_not_track) as (cage, _):
        cage.world.program.variables["PYTHONPATH"] = str(tmp_path)
        assert traced(cage, "status")[1] != []


def traced(cage: Cage, command: str) -> tuple[set[int], list[str]]:
    """Ports that a process connects to, and the calls by which it looks names up."""
    program = cage.world.program
    trace = program.directory / "silence"
    subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,openat", "-o", str(trace),
         sys.executable, "-m", "telemetry_admin", *command.split()],
        env=program.environment(), cwd=program.directory, capture_output=True, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    text = trace.read_text(errors="replace")
    return {int(port) for port in _CONNECT.findall(text)}, _LOOKUP.findall(text)
