"""`telemetry schedule`: shows what it installs, says what will be sent, changes nothing twice, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from telemetry_core.schedule import offset
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.unprivileged import NOBODY

CRON = ("cron",)
SYSTEMD = ("systemd",)
RESIDENT = ("systemd", "--resident")
HOOK = ("stop-hook", "--unit", "camunda.service")
KINDS = pytest.mark.parametrize("kind", [CRON, SYSTEMD, RESIDENT, HOOK], ids=" ".join)
TIMER = "etc/systemd/system/telemetry.timer"
SERVICE = "etc/systemd/system/telemetry.service"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A system below a directory, with schedules and drop-ins of others."""
    if shutil.which("systemctl") is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("systemd is not installed")
    directory = tmp_path / "image"
    for path in ("cron.d/backup", "systemd/system/telemetry.service.d/host.conf", "systemd/system/camunda.service"):
        file = directory / "etc" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("# somebody else's\n")
    return directory


def tree(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and link below a directory, with the time it was written last and its content."""
    found = {}
    for path in directory.rglob("*"):
        if path.is_symlink():
            found[str(path.relative_to(directory))] = (path.lstat().st_mtime_ns, os.fsencode(path.readlink()))
        elif path.is_file():
            found[str(path.relative_to(directory))] = (path.stat().st_mtime_ns, path.read_bytes())
    return found


def places(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


@KINDS
def test_show_prints_exactly_what_install_writes(kind: tuple[str, ...], configured: Program, image: Path) -> None:
    before = places(image)
    shown = configured("schedule", "show", *kind, "--image", str(image))
    parts = configured("schedule", "show", *kind, "--image", str(image), "--json").data["parts"]
    assert places(image) == before
    assert configured("schedule", "install", *kind, "--image", str(image)).status == 0
    if len(parts) == 1:
        assert shown.stdout == Path(parts[0]["path"]).read_bytes()
    else:
        both = [f"# {part['path']}\n".encode() + Path(part["path"]).read_bytes() for part in parts]
        assert shown.stdout == b"\n".join(both)
    for part in parts:
        assert Path(part["path"]).read_text() == part["text"]
        assert Path(part["path"]).stat().st_mode & 0o777 == 0o644


@KINDS
def test_twice_changes_nothing_and_remove_leaves_nothing(
    kind: tuple[str, ...], configured: Program, image: Path
) -> None:
    empty = (tree(image), places(image))
    first = configured("schedule", "install", *kind, "--image", str(image), "--json").data
    there = tree(image)
    assert first["written"]
    again = configured("schedule", "install", *kind, "--image", str(image), "--json").data
    assert (again["written"], again["removed"]) == ([], [])
    assert tree(image) == there
    assert sorted(configured("schedule", "remove", "--image", str(image), "--json").data["removed"]) == sorted(
        first["written"]
    )
    wants = {name for name in places(image) if name.endswith(".wants")}
    assert (tree(image), places(image) - wants) == empty
    assert configured("schedule", "remove", "--image", str(image)).text == "There is nothing to take away.\n"


def test_systemd_has_enabled_what_it_starts_and_a_change_of_mind_leaves_no_second_one(
    configured: Program, image: Path
) -> None:
    configured("schedule", "install", *SYSTEMD, "--image", str(image))
    wanted = "etc/systemd/system/timers.target.wants/telemetry.timer"
    assert {TIMER, SERVICE, wanted} <= places(image)
    done = configured("schedule", "install", *RESIDENT, "--image", str(image), "--json").data
    assert (done["written"], done["removed"]) == ([str(image / SERVICE)], [str(image / TIMER)])
    resident = "etc/systemd/system/multi-user.target.wants/telemetry.service"
    assert {SERVICE, resident} <= places(image)
    assert not {TIMER, wanted} & places(image)
    configured("schedule", "install", *SYSTEMD, "--image", str(image))
    assert {TIMER, SERVICE, wanted} <= places(image)
    assert resident not in places(image)


def test_a_second_kind_is_installed_and_the_first_one_is_named(configured: Program, image: Path) -> None:
    configured("schedule", "install", *CRON, "--image", str(image))
    done = configured("schedule", "install", *SYSTEMD, "--image", str(image))
    assert "There is a schedule for cron too: `telemetry schedule remove cron` takes it away." in done.text
    configured("schedule", "remove", "cron", "--image", str(image))
    assert {TIMER, SERVICE} <= places(image)


def test_of_two_stop_hooks_one_can_be_removed(configured: Program, image: Path) -> None:
    before = places(image)
    for unit in ("camunda.service", "operaton.service"):
        configured("schedule", "install", "stop-hook", "--unit", unit, "--image", str(image))
    configured("schedule", "remove", "stop-hook", "--unit", "camunda.service", "--image", str(image))
    assert places(image) - before == {
        "etc/systemd/system/telemetry-final-operaton.service",
        "etc/systemd/system/operaton.service.d",
        "etc/systemd/system/operaton.service.d/telemetry.conf",
    }


@pytest.mark.parametrize(("kind", "path"), [(CRON, "etc/cron.d/telemetry"), (SYSTEMD, SERVICE)])
def test_what_somebody_else_wrote_stays_and_is_named(
    kind: tuple[str, ...], path: str, configured: Program, image: Path
) -> None:
    (image / path).write_text("*/15 * * * * root /opt/telemetry/bin/telemetry send\n")
    before = tree(image)
    done = configured("schedule", "install", *kind, "--image", str(image))
    assert done.status == 3
    assert f"{image / path} is there and was not written by `telemetry schedule install`." in done.errors
    assert configured("schedule", "remove", "--image", str(image)).status == 0
    assert tree(image) == before


def test_install_says_what_will_be_sent_first_and_where(
    configured: Program, image: Path, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    undecided = configured("schedule", "install", *CRON, "--image", str(image))
    assert receiver.url in undecided.text
    assert "initial report  due 3 hours after the first contact to http://127.0.0.1:" in undecided.text
    assert "`telemetry disable --no-requests` prevents it" in undecided.text
    assert "nothing: Telemetry is not configured for orders." in undecided.text
    configured("enable", "--yes")
    asked = len(simulated.requests)
    (enabled,) = configured("schedule", "install", *CRON, "--image", str(image), "--json").data["announcement"]
    assert enabled["endpoint"] == receiver.url
    assert enabled["initial"].startswith("due ")
    assert enabled["periodic"].startswith("a report per period, the next one due ")
    configured("disable", "--no-requests")
    (silent,) = configured("schedule", "install", *CRON, "--image", str(image), "--json").data["announcement"]
    assert silent["initial"].startswith("not sent: ")
    assert receiver.received == []
    assert len(simulated.requests) == asked


def test_without_an_engine_or_an_endpoint_it_says_that_nothing_is_sent(program: Program, image: Path) -> None:
    program.configure("")
    assert "No engine is configured" in program("schedule", "install", *CRON, "--image", str(image)).text
    program.configure('[engines.orders]\nrest = "http://127.0.0.1:1/"\n')
    assert "none: nothing is sent" in program("schedule", "install", *CRON, "--image", str(image)).text


def test_minute_and_second_come_from_the_installation_as_soon_as_one_is_known(
    configured: Program, image: Path, simulated: SimulatedEngine
) -> None:
    before = configured("schedule", "show", *CRON, "--image", str(image), "--json").data
    assert before["derived-from"] == "this machine (no installation is known yet)"
    machine_id = Path("/etc/machine-id")
    assert not machine_id.exists() or machine_id.read_text().strip() not in str(before)
    configured("enable", "--yes")
    after = configured("schedule", "show", *CRON, "--image", str(image), "--json").data
    assert after["derived-from"] == "the installation"
    second = offset(simulated.installation)
    assert f"\n{second % 3600 // 60} * * * * root sleep {second % 60}; " in after["parts"][0]["text"]


def test_the_line_for_cron_sends_with_nothing_but_crons_own_environment(
    configured: Program, image: Path, receiver: Receiver
) -> None:
    strange = configured.directory / "50% of $HOME's"
    strange.mkdir()
    shutil.move(configured.config, strange / "telemetry.toml")
    configured.variables["TELEMETRY_CONFIG"] = str(strange / "telemetry.toml")
    configured.variables["TELEMETRY_STORE"] = str(strange / "telemetry.db")
    configured("enable", "--yes")
    configured("schedule", "install", *CRON, "--image", str(image))
    line = (image / "etc/cron.d/telemetry").read_text().splitlines()[-1]
    command = line.split(None, 6)[6].replace("\\%", "%").partition("; ")[2]
    done = subprocess.run(
        ["sh", "-c", command], env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert len(receiver.received) == 2


def test_the_systems_schedule_runs_as_the_owner_of_the_store(configured: Program) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, whose schedules are the system's")
    assert "User=root" in configured("schedule", "show", *SYSTEMD).text.splitlines()
    configured("enable", "--yes")
    os.chown(configured.store, NOBODY, NOBODY)
    owner = configured.store.owner()
    shown = configured("schedule", "show", *SYSTEMD).text.splitlines()
    assert f"User={owner}" in shown
    assert f"ReadWritePaths=-{configured.store.parent}" in shown


@pytest.mark.parametrize(
    ("period", "arguments", "every"),
    [("24h", (), "hourly"), ("365d", (), "hourly"), ("15m", (), "15m"), ("1s", (), "5m"), ("24h", ("daily",), "daily")],
)
def test_send_is_called_as_often_as_the_period_needs(
    period: str, arguments: tuple[str, ...], every: str, configured: Program, image: Path
) -> None:
    configured("config", "set", "reporter.period", period)
    asked = [word for one in arguments for word in ("--every", one)]
    shown = configured("schedule", "show", *CRON, *asked, "--image", str(image), "--json").data
    assert shown["every"] == every
    assert any("`telemetry run`" in note for note in shown["notes"]) == (period == "1s")


def test_what_the_schedule_will_not_know_of_this_shell_is_said_and_no_password_is_written(
    configured: Program, image: Path
) -> None:
    variables = {
        "TELEMETRY_REPORTER__PERIOD": "12h", "HTTPS_PROXY": "http://ada:geheim@127.0.0.1:1", "DO_NOT_TRACK": "1",
    }  # fmt: skip
    done = configured("schedule", "install", *CRON, "--image", str(image), variables=variables)
    text = (image / "etc/cron.d/telemetry").read_text()
    assert "does not have the variable TELEMETRY_REPORTER__PERIOD: write" in done.text.replace("\n", " ")
    assert "DO_NOT_TRACK holds for this shell alone" in done.text.replace("\n", " ")
    assert "geheim" not in done.text + text
    assert "TELEMETRY_REPORTER__PERIOD" not in text


def test_a_store_with_a_password_in_its_variable_is_not_carried_over_and_that_is_said(
    configured: Program, image: Path, postgresql: PostgreSQL
) -> None:
    url = postgresql.url(postgresql.database())
    done = configured("schedule", "install", *CRON, "--image", str(image), variables={"TELEMETRY_STORE": url})
    text = (image / "etc/cron.d/telemetry").read_text()
    assert "does not have the variable TELEMETRY_STORE" in done.text
    assert "TELEMETRY_STORE" not in text
    assert "pass%2Fword" not in done.text + text
