"""Schedules on a host that runs: a real cron, what a sandbox leaves the program, what systemd is told."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from telemetry_core.schedule import offset
from tests.support.apart import apart
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.unprivileged import visible_directory

#: Nothing of this host runs in it: no system's crontab, no other files in /etc/cron.d, no crontabs of users.
ALONE = """\
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /etc/cron.d
mount -t tmpfs tmpfs /var/spool/cron
mkdir /var/spool/cron/crontabs && chgrp crontab /var/spool/cron/crontabs && chmod 1730 /var/spool/cron/crontabs
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
"""
TELEMETRY = f"{sys.executable} -m telemetry_admin"
#: As a plain user, who has a crontab and no file in /etc/cron.d.
AS_USER = f"""{sys.executable} -c '
import sys
from dataclasses import replace
from telemetry_admin.__main__ import run
from telemetry_admin.host import this_host
sys.exit(run(sys.argv[1:], replace(this_host(), is_root=False)))'"""
#: A stand-in that writes down what it is told, for a systemd that cannot run in a test: its boot changes the machine.
SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in
  *show*camunda.service) printf 'LoadState=loaded\\nActiveState=active\\n' ;;
  *show*) printf 'LoadState=not-found\\nActiveState=inactive\\n' ;;
esac
"""


@pytest.fixture
def visible(receiver: Receiver, simulated: SimulatedEngine) -> Iterator[Program]:
    """The program, configured in a directory on the root's file system."""
    with visible_directory() as directory:
        made = Program(directory)
        made.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        yield made


def needs(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    if missing and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(f"{', '.join(missing)} is not installed")
    assert not missing


def early(simulated: SimulatedEngine) -> None:
    """An installation whose second is the first one of a minute, so that no test waits for it."""
    simulated.installation = next(name for number in range(10_000) if offset(name := f"early-{number}") % 60 == 0)


def test_a_real_cron_sends_by_the_systems_line_and_by_a_users_crontab(
    visible: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    needs("cron", "crontab", "setpriv")
    early(simulated)
    visible("enable", "--yes")
    every_minute = "s/^[0-9]+ [*]/* */"
    own = visible.directory / "own" / "telemetry.db"
    script = f"""{ALONE}
echo '7 7 * * * true' | crontab -
{TELEMETRY} schedule install cron > /dev/null
{AS_USER} schedule install cron > /dev/null
crontab -l
sed -i -E '{every_minute}' /etc/cron.d/telemetry
crontab -l | sed -E 's,TELEMETRY_STORE=[^ ]*,TELEMETRY_STORE={own},; {every_minute}' | crontab -
cron -f &
for second in $(seq 110); do
  sleep 1
  if [ -s {own} ] && [ "$({TELEMETRY} history --json | grep -c '"accepted".*"accepted"')" = 1 ]; then break; fi
done
{TELEMETRY} schedule remove > /dev/null
{AS_USER} schedule remove > /dev/null
ls -A /etc/cron.d
crontab -l
"""
    done = apart(script, visible.environment(), timeout=240)
    assert done.returncode == 0, done.stderr
    others, begin, *_, end, left = done.stdout.splitlines()
    assert others == left == "7 7 * * * true"
    assert begin.startswith("# telemetry: begin")
    assert end == "# telemetry: end"
    assert [b"metrics" in one.body for one in receiver.received[:2]] == [False, True]
    assert own.exists()


def test_root_without_any_right_reads_and_sends_in_the_sandbox_of_the_unit(
    visible: Program, receiver: Receiver
) -> None:
    needs("setpriv")
    visible("enable", "--yes")
    state = visible.store.parent
    assert state.stat().st_mode & 0o777 == 0o700
    script = f"""
mount --bind {state} {state}
mount -o remount,bind,ro /
mount -t proc -o hidepid=invisible,subset=pid proc /proc
! touch {visible.directory}/file 2> /dev/null
cd /
exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all --no-new-privs \
  {sys.executable} -c '
import ctypes, os, sys
refuse_what_is_written_to_be_run = ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
assert refuse_what_is_written_to_be_run in (0, -1)
assert "CapEff:\\t0000000000000000" in open("/proc/self/status").read()
os.execv(sys.executable, [sys.executable, "-m", "telemetry_admin", "send"])'
"""
    done = apart(script, {**visible.environment(), "PYTHONDONTWRITEBYTECODE": "1"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(receiver.received) == 2


@pytest.mark.parametrize("shared", [False, True], ids=["sqlite", "postgresql"])
def test_send_works_where_the_system_refuses_all_calls_that_the_unit_forbids(
    *, shared: bool, request: pytest.FixtureRequest, configured: Program, receiver: Receiver
) -> None:
    needs("strace", "systemd-analyze")
    if shared:
        server = request.getfixturevalue("postgresql")
        configured.variables["TELEMETRY_STORE"] = server.url(server.database())
    configured("enable", "--yes")
    allowed = group("@system-service") - group("@privileged") - group("@resources")
    called = traced(configured, "trace=all")
    assert {"connect", "openat"} <= called
    forbidden = called - allowed
    assert forbidden <= {"fchown"}, "what is not known to do without"
    refused = [f"inject={name}:error=EPERM" for name in forbidden]
    traced(configured, "trace=all", *refused, arguments=("send", "--force"))
    assert len(receiver.received) == 3


def traced(program: Program, *expressions: str, arguments: tuple[str, ...] = ("send",)) -> set[str]:
    """The names of the system calls of a command that succeeds."""
    trace = program.directory / "trace"
    options = [word for one in expressions for word in ("-e", one)]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", str(trace), *options, sys.executable, "-m", "telemetry_admin", *arguments],
        env=program.environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return set(re.findall(r"^\d+\s+([a-z_0-9]+)\(", trace.read_text(errors="replace"), re.MULTILINE))


def group(name: str) -> set[str]:
    """The system calls of a group of systemd's, groups in it included."""
    done = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter", name], capture_output=True, text=True, check=True
    )
    words = [line.strip() for line in done.stdout.splitlines()[1:]]
    inner = [group(word) for word in words if word.startswith("@")]
    return {word for word in words if word and not word.startswith(("@", "#"))}.union(*inner)


def test_a_systemd_that_runs_is_told_what_changed_and_never_stops_a_hook_that_would_send(visible: Program) -> None:
    tools = visible.directory / "tools"
    tools.mkdir()
    (tools / "systemctl").write_text(SYSTEMCTL)
    (tools / "systemctl").chmod(0o755)
    script = f"""
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /etc/systemd/system
next() {{ echo "- $1" >> "$CALLS"; }}
next timer; {TELEMETRY} schedule install > /dev/null
next again; {TELEMETRY} schedule install > /dev/null
next resident; {TELEMETRY} schedule install systemd --resident > /dev/null
next hook; {TELEMETRY} schedule install stop-hook --unit camunda.service > /dev/null
next missing; {TELEMETRY} schedule install stop-hook --unit nothing.service 2>&1 || true
next remove; {TELEMETRY} schedule remove > /dev/null
ls -A /etc/systemd/system
cat "$CALLS"
"""
    environment = visible.environment({"CALLS": str(visible.directory / "calls")})
    done = apart(script, {**environment, "PATH": f"{tools}:{environment['PATH']}"})
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "telemetry: systemd knows no nothing.service."
        " `systemctl list-units --type=service` lists what it knows; mind --unit.\n"
        "- timer\ndaemon-reload\nenable telemetry.timer\nrestart telemetry.timer\n"
        "- again\nenable telemetry.timer\nstart telemetry.timer\n"
        "- resident\ndisable --now telemetry.timer\ndaemon-reload\nreset-failed telemetry.service\n"
        "daemon-reload\nenable telemetry.service\nrestart telemetry.service\n"
        "- hook\nshow --property=LoadState,ActiveState camunda.service\ndaemon-reload\n"
        "start telemetry-final-camunda.service\n"
        "- missing\nshow --property=LoadState,ActiveState nothing.service\n"
        "- remove\ndisable --now telemetry.service\ndaemon-reload\nreset-failed telemetry.service\n"
        "daemon-reload\nreset-failed telemetry.service\nstop telemetry-final-camunda.service\n"
    )


def test_a_read_only_etc_is_said_with_what_helps(visible: Program) -> None:
    needs("cron")
    script = f"""{ALONE}
mount -o remount,ro /etc/cron.d
{TELEMETRY} schedule install cron
"""
    done = apart(script, visible.environment())
    assert done.returncode == 3
    assert done.stderr == (
        "telemetry: /etc/cron.d/telemetry cannot be changed: Read-only file system. Make it writable for a while, or"
        " give the image that this system comes from the schedule: --image DIR.\n"
    )


def test_without_a_program_that_reads_etc_cron_d_nothing_is_written_there(visible: Program) -> None:
    nothing = visible.directory / "nothing"
    nothing.mkdir()
    script = f"""{ALONE}
for directory in /usr/sbin /usr/local/sbin; do mount --bind {nothing} $directory; done
PATH={nothing} {TELEMETRY} schedule install cron || status=$?
exit $status
"""
    done = apart(script, visible.environment())
    assert (done.returncode, done.stdout) == (3, "")
    assert "There is /etc/cron.d, but no cron that reads it. Install cron" in done.stderr
