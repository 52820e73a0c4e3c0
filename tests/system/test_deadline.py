"""The program ends at its deadline and stays small, whatever the place does that it sends to; it is a real process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from telemetry_core.store import Store
from tests.support import black_holes
from tests.support.black_holes import NAME_SERVER, full_queue, silent_name_server
from tests.support.program import Program
from tests.support.raw_server import RawServer, Script
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

pytestmark = pytest.mark.family

DEADLINE = 3.0
LARGEST = 150_000
"""Kilobytes; a run that is answered at once has about a third."""

#: A small process in between: what a process forks begins with the peak of its own memory, and a test run's is large.
MEASURED = (
    "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]);"
    " print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
)

OPEN = (6, "pending")
DONE = (0, "accepted")


@dataclass(frozen=True)
class Ended:
    """How a `send` ended: status, state of the initial report, seconds since its first attempt, peak of its memory."""

    status: int
    state: str
    seconds: float
    kilobytes: int
    attempts: int
    errors: str


@pytest.fixture
def configured(program: Program, simulated: SimulatedEngine) -> Program:
    """Enabled for no endpoint yet: each test says one."""
    program.configure(f'allow-http = true\n[engines.orders]\nrest = "{simulated.rest}"\n')
    program.variables["TELEMETRY_REPORTER__DEADLINE"] = f"{DEADLINE:.0f}s"
    return program


def send_to(program: Program, endpoint: str, *before: str) -> Ended:
    program.variables["TELEMETRY_ENDPOINT"] = endpoint
    assert program("enable", "--yes").status == 0
    command = [*before, sys.executable, "-m", "telemetry_admin", "send"]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", MEASURED, *command],
        env=program.environment(),
        cwd=program.directory,
        capture_output=True,
        check=False,
    )
    ended_at = time.time()
    with Store.for_reading(program.store, round(ended_at * 1000)) as store:
        report = store.reports.newest_first()[-1]
        attempts = store.reports.attempts(report.id)
    seconds = ended_at - attempts[0].started_at / 1000
    return Ended(done.returncode, str(report.state), seconds, int(done.stdout), len(attempts), done.stderr.decode())


def fits(ended: Ended) -> None:
    assert ended.seconds < DEADLINE + 1, ended
    assert ended.kilobytes < LARGEST, ended
    assert "Traceback" not in ended.errors


SCRIPTS: list[tuple[Script, tuple[int, str]]] = [
    (black_holes.says_nothing, OPEN),
    (black_holes.reads_and_says_nothing, OPEN),
    (black_holes.drips_its_head, OPEN),
    (black_holes.drips_a_busy_body, OPEN),
    (black_holes.headers_without_end, OPEN),
    (black_holes.a_header_without_end, OPEN),
    (black_holes.a_busy_body_without_end, OPEN),
    (black_holes.a_packed_body_without_end, OPEN),
    (black_holes.small_chunks_without_end, OPEN),
    (black_holes.interim_answers_without_end, OPEN),
    (black_holes.large_interim_answers_without_end, OPEN),
    (black_holes.trailers_without_end, OPEN),
    (black_holes.drips_its_trailers, OPEN),
    (black_holes.a_chunk_extension_without_end, OPEN),
    (black_holes.drips_an_accepting_body, (6, "accepted")),  # no time is left for the periodic report
    (black_holes.an_accepting_body_without_end, DONE),
]


@pytest.mark.parametrize(("script", "end"), SCRIPTS, ids=lambda value: getattr(value, "__name__", ""))
def test_an_answer_without_end_ends_at_the_deadline(script: Script, end: tuple[int, str], configured: Program) -> None:
    with RawServer(script) as server:
        ended = send_to(configured, f"http://{server.address}/pings")
    fits(ended)
    assert (ended.status, ended.state) == end


@pytest.mark.parametrize(
    "script", [black_holes.says_nothing, black_holes.drips_its_head, black_holes.drips_a_busy_body,
               black_holes.interim_answers_without_end], ids=lambda value: value.__name__,
)  # fmt: skip
def test_several_attempts_end_at_the_one_deadline(script: Script, configured: Program) -> None:
    configured.variables |= {"TELEMETRY_REPORTER__TIMEOUT": "1s", "TELEMETRY_REPORTER__RETRIES": "10"}
    with RawServer(script) as server:
        ended = send_to(configured, f"http://{server.address}/pings")
    fits(ended)
    assert (ended.status, ended.state) == OPEN
    assert ended.attempts > 1


@pytest.mark.parametrize("script", [black_holes.says_nothing, black_holes.drips_a_handshake])
def test_a_handshake_without_end_ends_at_the_deadline(script: Script, configured: Program) -> None:
    with RawServer(script) as server:
        ended = send_to(configured, f"https://{server.address}/pings")
    fits(ended)
    assert (ended.status, ended.state) == OPEN


@pytest.mark.parametrize(
    "script",
    [black_holes.reads_and_says_nothing, black_holes.drips_its_head, black_holes.interim_answers_without_end,
     black_holes.headers_without_end], ids=lambda value: value.__name__,
)  # fmt: skip
def test_a_proxy_that_never_makes_its_tunnel_ends_at_the_deadline(script: Script, configured: Program) -> None:
    with RawServer(script) as proxy:
        configured.variables["TELEMETRY_REPORTER__PROXY"] = f"http://{proxy.address}"
        ended = send_to(configured, "https://127.0.0.1:1/pings")
    fits(ended)
    assert (ended.status, ended.state) == OPEN
    assert f"the proxy http://{proxy.address} cannot be used" in ended.errors


def test_a_queue_that_is_full_ends_at_the_deadline(configured: Program) -> None:
    with full_queue() as address:
        ended = send_to(configured, f"http://{address}/pings")
    fits(ended)
    assert ended.seconds > DEADLINE, "somebody took the connection"
    assert (ended.status, ended.state) == OPEN


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and a mount of its own")
def test_a_name_server_that_never_answers_ends_at_the_deadline(configured: Program, tmp_path: Path) -> None:
    resolver = tmp_path / "resolv.conf"
    resolver.write_text(f"nameserver {NAME_SERVER}\noptions timeout:30 attempts:5\n", encoding="utf-8")
    mounted = 'mount --bind "$0" "$(readlink -f /etc/resolv.conf)" && exec "$@"'
    with silent_name_server() as server:
        ended = send_to(
            configured, "http://black-hole.invalid/pings", "unshare", "--mount", "sh", "-c", mounted, str(resolver)
        )
        asked = server.recv(4096)
    fits(ended)
    assert b"\x0ablack-hole\x07invalid\x00" in asked
    assert ended.seconds > DEADLINE, "the name was answered"
    assert (ended.status, ended.state) == OPEN


def test_an_answer_at_once_is_far_from_either_limit(configured: Program) -> None:
    with Receiver() as receiver:
        ended = send_to(configured, receiver.url)
    assert (ended.status, ended.state) == DONE
    assert ended.kilobytes < LARGEST / 2
