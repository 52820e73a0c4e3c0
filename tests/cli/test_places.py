"""Where configuration and store are by default: for root, other users, containers, without a home, at odd times."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from telemetry_admin.__main__ import run
from telemetry_admin.host import Host
from tests.support.apart import apart
from tests.support.clock import ManualClock
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

MIGRATIONS = Path(__file__).parent.parent.parent / "core" / "telemetry_core" / "store" / "migrations"
APART = """\
mount -t tmpfs tmpfs /var/lib && mkdir -p /etc/telemetry
printf '%s' "$CONFIG" > /etc/telemetry/telemetry.toml
"$PYTHON" -m telemetry_admin enable --yes && "$PYTHON" -m telemetry_admin status --json
stat -c '%a %n' /var/lib/telemetry /var/lib/telemetry/telemetry.db
"""


@dataclass
class Inside:
    """The program in this process, on a host that a test describes."""

    host: Host

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
            status = run(list(arguments), self.host)
        return status, output.getvalue(), errors.getvalue()

    def json(self, *arguments: str) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self(*arguments, "--json")[1])["data"]
        return data


@pytest.fixture
def inside(configured: Program, monkeypatch: pytest.MonkeyPatch) -> Inside:
    """A plain user's process, whose home is the test's directory."""
    environment = configured.environment()
    monkeypatch.setenv("HOME", str(configured.directory))
    monkeypatch.setenv("XDG_STATE_HOME", str(configured.directory / "state-home"))
    return Inside(Host(ManualClock(), environment, is_root=False, is_terminal=False, can_ask=False))


def test_root_uses_the_systems_places_with_a_store_for_root_alone(
    program: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    config = f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n'
    environment = {
        name: value for name, value in program.environment().items() if not name.startswith("TELEMETRY_")
    } | {"CONFIG": config, "PYTHON": sys.executable}
    done = apart(APART, environment, etc=program.directory / "etc", own_processes=False)
    assert done.returncode == 0, done.stderr
    *_, status, directory, store = done.stdout.splitlines()
    assert json.loads(status)["data"]["engines"][0]["state"] == "enabled"
    assert directory == "700 /var/lib/telemetry"
    assert store == "600 /var/lib/telemetry/telemetry.db"


def test_a_container_without_a_place_that_lasts_sends_no_initial_report_and_says_why(
    inside: Inside, receiver: Receiver
) -> None:
    del inside.host.environment["TELEMETRY_STORE"]  # type: ignore[attr-defined]  # a plain dictionary here
    same_device = Path("/").stat().st_dev == Path(os.environ["HOME"]).stat().st_dev
    if not same_device or Path("/etc/telemetry").exists() or Path("/var/lib/telemetry").exists():
        pytest.skip("the home of this test is on a mount of its own, or a system store exists")
    inside.host = replace(inside.host, is_container=True)
    assert inside("enable", "--yes")[0] == 0
    assert inside("send")[0] == 0
    assert [b"metrics" in request.body for request in receiver.received] == [True]
    status, _, errors = inside("send", "--initial")
    assert status == 4
    assert "mount a volume" in errors
    assert "mount a volume" in inside.json("status")["engines"][0]["initial-obstacle"]


def test_a_container_whose_store_somebody_named_sends_it(inside: Inside, receiver: Receiver) -> None:
    inside.host = replace(inside.host, is_container=True)
    inside("enable", "--yes")
    assert inside("send")[0] == 0
    assert [b"metrics" in request.body for request in receiver.received] == [False, True]


@pytest.mark.parametrize("now", [0, 4_102_444_800_000])
def test_a_clock_in_1970_or_in_2100_reports_and_a_clock_that_is_set_right_reports_on(
    now: int, inside: Inside, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    clock = ManualClock(now)
    inside.host = replace(inside.host, clock=clock)
    assert inside("enable", "--yes")[0] == 0
    clock.advance(60)
    assert inside("send")[0] == 0
    assert len(receiver.received) == 2
    clock.set(1_795_000_000_000)
    clock.advance(60)
    assert inside("send", "--force")[0] == 0
    assert inside("status")[0] == inside("history")[0] == 0
    simulated.start_process(3)
    clock.advance(24 * 3600)
    assert inside("send")[0] == 0
    assert b'"root-process-instance-start":{"count":3}' in receiver.received[-1].body


def test_without_a_home_the_named_places_are_used(configured: Program) -> None:
    environment = configured.environment()
    del environment["HOME"]
    done = subprocess.run(
        [sys.executable, "-m", "telemetry_admin", "enable", "--yes"], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_store_of_an_older_release_is_migrated_and_a_copy_of_it_is_kept(configured: Program) -> None:
    configured.store.parent.mkdir()
    with sqlite3.connect(configured.store) as database:
        database.execute(f"PRAGMA application_id = {0x7E1E3E79}")
        database.executescript((MIGRATIONS / "0001.sql").read_text(encoding="utf-8"))
        database.execute("INSERT INTO migration (version, applied_at) VALUES (1, 0)")
    assert configured("enable", "--yes").status == 0
    with sqlite3.connect(configured.store) as database:
        assert database.execute("SELECT max(version) FROM migration").fetchone()[0] > 1
    copy = configured.store.with_name("telemetry.db.v1")
    assert copy.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(copy) as database:
        assert database.execute("SELECT max(version) FROM migration").fetchone() == (1,)


def test_a_full_disk_is_said_and_nothing_that_was_there_is_lost(configured: Program, receiver: Receiver) -> None:
    strace = shutil.which("strace")
    if strace is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("strace is not installed")
    assert strace is not None
    configured("enable", "--yes")
    full = ["-f", "-qq", "-o", os.devnull, "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=ENOSPC"]
    done = subprocess.run(
        [strace, *full, sys.executable, "-m", "telemetry_admin", "send"],
        env=configured.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 8
    assert done.stderr.count("\n") == 1
    assert "database or disk is full" in done.stderr
    assert receiver.received == []
    assert configured("history", "--verify", "--json").data == {"decisions": 1, "documents": 0}
    assert configured("send").status == 0
    assert len(receiver.received) == 2
