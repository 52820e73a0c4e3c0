"""What starts quickly: how much is loaded, and when a `send` may end before anything is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable

import pytest

from telemetry_admin.__main__ import run
from telemetry_admin.host import Host, SystemClock
from telemetry_core.config import Url
from telemetry_core.reporting import Session, agenda
from tests.support.apart import apart
from tests.support.postgresql import PostgreSQL
from tests.support.program import LOADED, Program, Run
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

#: What takes its time to load: nothing of it is needed to say that nothing is due.
SLOW = {"re", "typing", "dataclasses", "pathlib", "enum", "inspect", "json", "hashlib", "tomllib", "sqlite3", "typer"}
#: Beyond a bare interpreter: seven modules of ours, `__future__`, and what makes the digest of variables.
FEW = 9
CALL = "from telemetry_admin.__main__ import main; main()"


def loaded(program: Program, *arguments: str) -> set[str]:
    """What a command loads that a bare interpreter does not."""
    return _loaded(program, "-c", CALL, *arguments) - _loaded(program, "-c", "pass")


def _loaded(program: Program, *command: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, *command],
        env=program.environment(LOADED), cwd=program.directory, capture_output=True, check=True,
    )  # fmt: skip
    return Run(done.returncode, done.stdout, done.stderr).loaded


def looks(program: Program, **variables: str) -> bool:
    """Whether a `send` looks for itself what is due."""
    done = program("send", variables={**LOADED, **variables})
    assert done.status == 0, done.errors
    return "typer" in done.loaded


@pytest.fixture
def idle(configured: Program) -> Program:
    """The program with an engine whose reports were accepted just now."""
    assert configured("enable", "--yes").status == 0
    assert looks(configured)
    return configured


def test_a_send_with_nothing_due_loads_next_to_nothing_and_says_nothing(idle: Program, receiver: Receiver) -> None:
    found = loaded(idle, "send")
    assert not found & SLOW
    assert len(found) <= FEW, found
    run = idle("send")
    assert (run.status, run.stdout, run.stderr) == (0, b"", b"")
    assert len(receiver.received) == 2


@pytest.mark.parametrize(
    ("arguments", "most", "without"),
    [
        (("status", "--json"), 260, {"rich", "httpx", "ssl", "telemetry_core.engines.rest", "telemetry_core.delivery"}),
        (("status",), 310, {"httpx", "ssl", "telemetry_core.engines.rest", "telemetry_core.delivery"}),
        (("--help",), 370, {"httpx", "ssl", "sqlite3", "tomllib", "msgspec", "telemetry_core.config"}),
        (("send", "--all"), 400, {"rich", "httpx", "sqlalchemy"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_other_commands_load_what_they_need(
    arguments: tuple[str, ...], most: int, without: set[str], idle: Program
) -> None:
    """How many there are changes with Python's releases; a library that comes in whole has more than what is spared."""
    found = loaded(idle, *arguments)
    assert not found & without
    assert len(found) <= most, len(found)


def set_something(program: Program) -> None:
    assert program("config", "set", "reporter.retries", "1").status == 0


def set_and_unset_something(program: Program) -> None:
    set_something(program)
    assert program("config", "unset", "reporter.retries").status == 0


def edit(program: Program) -> None:
    program.configure(program.config.read_text() + "\n")


def decide_anew(program: Program) -> None:
    assert program("disable").status == program("enable", "--yes").status == 0


def set_license(program: Program) -> None:
    assert program("license", "set", "-", stdin=b"c2ln;ACME;2030-12-31").status == 0


def keep(program: Program) -> None:
    assert program("preview", "--keep").status == 0


def force(program: Program) -> None:
    assert program("send", "--force").status == 0


def lose_the_marker(program: Program) -> None:
    program.store.with_name("telemetry.db.marker").unlink()


CHANGES = [set_something, set_and_unset_something, edit, decide_anew, set_license, keep, force, lose_the_marker]


@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_the_next_send_looks_for_itself(change: Callable[[Program], None], idle: Program) -> None:
    assert not looks(idle)
    change(idle)
    assert looks(idle)


def test_a_drop_in_that_is_edited_is_looked_at(configured: Program) -> None:
    drop_in = configured.config.with_suffix(".d") / "10-site.toml"
    drop_in.parent.mkdir()
    drop_in.write_text("[reporter]\nretries = 1\n")
    for path in (drop_in, drop_in.parent):
        os.utime(path, (1, 1))
    configured("enable", "--yes")
    assert [looks(configured) for _ in range(2)] == [True, False]
    drop_in.write_text("[reporter]\nretries = 3\n")
    assert looks(configured)


def test_a_lost_store_is_noticed_at_once(idle: Program) -> None:
    idle.store.unlink()
    done = idle("send")
    assert done.status == 8
    assert "is gone" in done.errors


def test_a_setting_that_is_edited_while_a_send_runs_is_looked_at_by_the_next(
    configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")

    def answer(_: Received) -> Reply:
        edit(configured)
        return Reply()

    receiver.answer = answer
    assert looks(configured)
    assert len(receiver.received) == 2
    assert [looks(configured) for _ in range(2)] == [True, False]


def test_what_another_process_changes_while_a_send_looks_at_the_store_is_looked_at_by_the_next(
    configured: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured("enable", "--yes")
    find = agenda.idle_until

    def found_before_the_change(session: Session) -> int:
        until = find(session)
        set_license(configured)
        return until

    monkeypatch.setattr(agenda, "idle_until", found_before_the_change)
    monkeypatch.chdir(configured.directory)
    host = Host(SystemClock(), configured.environment(), is_root=False, is_terminal=False, can_ask=False)
    assert run(["send"], host) == 0
    assert configured.store.with_name("telemetry.db.stamp").exists()
    assert [looks(configured) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    "other",
    [{"DO_NOT_TRACK": "1"}, {"TELEMETRY_REPORTER__PERIOD": "2h"}, {"TELEMETRY_CONFIG": "/dev/null"}],
    ids=lambda other: next(iter(other)),
)
def test_with_other_variables_a_send_looks_for_itself(other: dict[str, str], idle: Program) -> None:
    assert not looks(idle)
    assert looks(idle, **other)


@pytest.mark.parametrize(
    "arguments", [("send", "--json"), ("send", "--all"), ("send", "--engine", "orders"), ("--config", "x", "send")]
)
def test_with_options_a_send_looks_for_itself(arguments: tuple[str, ...], idle: Program) -> None:
    (idle.directory / "x").write_text(idle.config.read_text())
    assert "typer" in idle(*arguments, variables=LOADED).loaded


def test_a_send_with_another_configuration_leaves_no_stamp(configured: Program) -> None:
    configured("enable", "--yes")
    assert configured("--config", str(configured.config), "send").status == 0
    assert looks(configured)


def test_on_a_terminal_it_says_what_is_known(idle: Program) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "telemetry_admin", "send"]
    done = subprocess.run(command, env=idle.environment(), cwd=idle.directory, stdout=follower, check=False, timeout=60)
    os.close(follower)
    assert done.returncode == 0
    assert b"nothing is due" in os.read(leader, 4096)
    os.close(leader)


def test_what_was_edited_just_now_is_looked_at_until_no_further_edit_can_hide(configured: Program) -> None:
    configured("enable", "--yes")
    later = configured.config.stat().st_mtime + 3600
    os.utime(configured.config, (later, later))  # `just now` for an hour
    assert [looks(configured) for _ in range(3)] == [True] * 3


def test_where_no_stamp_can_be_written_every_send_looks_for_itself_and_is_silent(configured: Program) -> None:
    configured("enable", "--yes")
    configured.store.with_name("telemetry.db.stamp.new").mkdir()
    for _ in range(2):
        run = configured("send")
        assert (run.status, run.stdout, run.stderr) == (0, b"", b"")
        assert looks(configured)


def test_after_a_failure_every_send_looks_for_itself(configured: Program, simulated: SimulatedEngine) -> None:
    configured("enable", "--yes")
    simulated.override["/telemetry/data"] = (500, "text/plain", b"")
    assert [configured("send").status for _ in range(2)] == [5, 5]
    simulated.override.clear()
    assert looks(configured)
    assert not looks(configured)


def test_while_a_report_waits_a_send_ends_at_once_until_its_next_attempt(
    configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    receiver.answer = lambda _: Reply(status=503)
    assert configured("send").status == 6
    assert looks(configured)
    assert not looks(configured)


def test_a_store_that_the_file_names_is_watched_too(configured: Program) -> None:
    elsewhere = configured.directory / "elsewhere"
    configured.configure(f'store = "{elsewhere}/t.db"\n{configured.config.read_text()}')
    configured.variables["TELEMETRY_STORE"] = ""
    configured.store.parent.mkdir()
    assert configured("enable", "--yes").status == 0
    assert [looks(configured) for _ in range(2)] == [True, False]
    set_license(configured)
    assert looks(configured)


def test_of_a_shared_store_it_is_in_the_state_directory_and_for_an_hour_at_most(
    configured: Program, postgresql: PostgreSQL, shared_place: Url, shared_database: str
) -> None:
    """So long a `send` of cron does not see what another node has decided; what this one decides it does."""
    configured.variables["TELEMETRY_STORE"] = postgresql.url(shared_database)
    assert configured("enable", "--yes").status == 0
    assert [looks(configured) for _ in range(2)] == [True, False]
    written_at, not_before = configured.store.with_name("telemetry.db.stamp").read_text().splitlines()[:2]
    assert 0 <= int(not_before) - int(written_at) - 3_600_000 < 60_000  # an hour from when it was worked out
    another_node = {"TELEMETRY_STATE_DIRECTORY": str(configured.directory / "another")}
    assert configured("disable", variables=another_node).status == 0
    assert not looks(configured)
    assert configured("enable", "--yes").status == 0
    assert looks(configured)


APART = """\
cd /
mount -t tmpfs tmpfs /var/lib && mkdir -p /etc/telemetry
printf '%s' "$CONFIG" > /etc/telemetry/telemetry.toml && touch -d '1 hour ago' /etc/telemetry/telemetry.toml
"$PYTHON" -m telemetry_admin enable --yes && "$PYTHON" -m telemetry_admin send
PYTHONPROFILEIMPORTTIME=1 "$PYTHON" -c "{call}" send
export PYTHONPROFILEIMPORTTIME=1
mkdir /etc/telemetry/telemetry.d && touch -d '1 hour ago' /etc/telemetry/telemetry.d
"$PYTHON" -c "{call}" send 2>&1 | grep -c typer.main
"$PYTHON" -c "{call}" send 2>&1 | grep -c typer.main || true
touch /etc/telemetry/policy.toml
"$PYTHON" -c "{call}" send 2>&1 | grep -c typer.main
"""


def test_in_the_systems_places_it_needs_no_variable_and_no_digest(
    program: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    config = f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n'
    environment = {
        name: value for name, value in program.environment().items() if not name.startswith("TELEMETRY_")
    } | {"CONFIG": config, "PYTHON": sys.executable}
    done = apart(APART.format(call=CALL), environment, etc=program.directory / "etc", own_processes=False)
    assert done.returncode == 0, done.stderr
    found = Run(0, b"", done.stderr.encode()).loaded
    assert "telemetry_core.stamp" in found
    assert not found & {"typer", "hashlib", "_sha256", "_sha2"}
    assert len(receiver.received) == 2
    assert [int(line) > 0 for line in done.stdout.splitlines()[-3:]] == [True, False, True]
