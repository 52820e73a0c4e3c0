"""Units of systemd, judged by systemd: their grammar, their exposure, their times, and what they call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.errors import UsageError
from telemetry_core.schedule import Every, Job, systemd
from telemetry_core.schedule.job import Part
from tests.core.schedule.jobs import AWKWARD, JOB, OWN

GUIDE = Path(__file__).parent.parent.parent.parent / "docs" / "schedule.md"


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("systemd is not installed")
    assert program is not None
    return subprocess.run(
        [program, "--no-pager", *words], env={"LC_ALL": "C.UTF-8", "PATH": os.defpath}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def executable(tmp_path: Path) -> Path:
    path = tmp_path / "50%h of $it" / "telemetry"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def written(parts: Sequence[Part]) -> list[str]:
    for part in parts:
        assert part.path is not None
        part.path.parent.mkdir(parents=True, exist_ok=True)
        part.path.write_text(part.text)
    return [str(part.path) for part in parts]


def forms(job: Job, directory: Path) -> dict[str, tuple[Part, ...]]:
    return {
        "timer": systemd.units(job, directory, "the installation"),
        "resident": systemd.units(replace(job, resident=True), directory, "the installation"),
        "hook": systemd.stop_hook(job, directory, "camunda.service", ("orders",)),
    }


FORMS = ["timer", "resident", "hook"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("job", [JOB, OWN], ids=["system", "user"])
def test_systemd_finds_nothing_wrong(form: str, job: Job, executable: Path, tmp_path: Path) -> None:
    job = replace(
        job, program=(str(executable), "--config", AWKWARD), variables=(("TELEMETRY_STORE", AWKWARD),),
        writes=Path(AWKWARD),
    )  # fmt: skip
    units = tmp_path / "units"
    paths = written(forms(job, units)[form])
    if form == "hook":
        engine = units / "camunda.service"
        engine.write_text(f"[Service]\nExecStart={shutil.which('sleep')} 60\n")
        paths = [paths[0], str(engine)]
    done = analyze("verify", *(["--user"] if job is OWN else []), "--man=no", *paths)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("homes", [False, True], ids=["opt", "home"])
def test_the_exposure_is_at_most_one_and_a_half(form: str, *, homes: bool, executable: Path, tmp_path: Path) -> None:
    job = replace(JOB, program=(str(executable),), reads=(Path("/home/ada/telemetry"),) if homes else ())
    paths = written(forms(job, tmp_path / "units")[form])
    done = analyze("security", "--offline=true", "--threshold=15", paths[0])
    assert done.returncode == 0, done.stdout
    level = re.search(r"Overall exposure level for \S+: (\S+)", done.stdout)
    assert level is not None
    assert float(level[1]) <= 1.5


def test_the_drop_in_of_the_guide_is_right_and_its_exposure_is_as_the_guide_says(
    executable: Path, tmp_path: Path
) -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    (drop_in,) = re.findall(r"^```ini\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    service = systemd.units(replace(JOB, program=(str(executable),)), tmp_path / "units", "the installation")[0]
    (path,) = written([service])
    written([Part(tmp_path / "units" / "telemetry.service.d" / "host.conf", drop_in)])
    assert analyze("verify", "--man=no", path).stderr == ""
    found = re.search(r"Overall exposure level for \S+: (\S+)", analyze("security", "--offline=true", path).stdout)
    assert found is not None
    assert f"exposure is {found[1]} with it" in " ".join(guide.split())


@pytest.mark.parametrize(
    ("every", "normalized"),
    [
        (Every.HOURLY, "*-*-* *:17:42"), (Every.DAILY, "*-*-* 05:17:42"), (Every.QUARTER, "*-*-* *:02/15:42"),
        (Every.FIVE_MINUTES, "*-*-* *:02/5:42"),
    ],
)  # fmt: skip
def test_the_timer_has_minute_and_second_and_catches_up(every: Every, normalized: str, tmp_path: Path) -> None:
    _, timer = systemd.units(replace(JOB, every=every), tmp_path, "the installation")
    times = re.search(r"^OnCalendar=(.*)$", timer.text, re.MULTILINE)
    assert times is not None
    assert f"Normalized form: {normalized}\n" in analyze("calendar", times[1]).stdout
    for line in ("Persistent=true", "RandomizedDelaySec=30s", "FixedRandomDelay=true", "AccuracySec=1s"):
        assert line in timer.text.splitlines()


def test_another_sending_process_is_no_failure(tmp_path: Path) -> None:
    for parts in forms(JOB, tmp_path).values():
        assert "SuccessExitStatus=7" in parts[0].text.splitlines()


def test_a_call_that_the_sandbox_forbids_fails_and_kills_nothing(tmp_path: Path) -> None:
    for parts in forms(JOB, tmp_path).values():
        assert "SystemCallErrorNumber=EPERM" in parts[0].text.splitlines()


def test_the_resident_reporter_says_that_it_is_ready_and_is_watched(tmp_path: Path) -> None:
    (service,) = systemd.units(replace(JOB, resident=True), tmp_path, "the installation")
    for line in ("Type=notify", "WatchdogSec=10min", "ExecStart=/opt/telemetry/bin/telemetry run", "Restart=always"):
        assert line in service.text.splitlines()


def test_the_hook_is_stopped_before_the_engine_which_wants_it(tmp_path: Path) -> None:
    hook, drop_in = systemd.stop_hook(JOB, tmp_path, "tomcat@9.service", ("orders", "claims"))
    assert hook.path == tmp_path / "telemetry-final-tomcat@9.service"
    call = "ExecStop=/opt/telemetry/bin/telemetry send --final --engine orders --engine claims"
    for line in ("PartOf=tomcat@9.service", "After=tomcat@9.service", call, "RemainAfterExit=yes"):
        assert line in hook.text.splitlines()
    assert drop_in.path == tmp_path / "tomcat@9.service.d" / "telemetry.conf"
    assert drop_in.text.endswith("[Unit]\nWants=telemetry-final-tomcat@9.service\n")


@pytest.mark.parametrize("unit", ["camunda", "camunda.socket", "../evil.service", "a b.service", "", "x\n.service"])
def test_a_name_that_no_service_has_is_refused(unit: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not the name of a systemd service"):
        systemd.stop_hook(JOB, tmp_path, unit)


def test_a_store_elsewhere_stays_writable_and_a_home_readable(tmp_path: Path) -> None:
    service, _ = systemd.units(replace(JOB, writes=Path("/home/ada/state")), tmp_path, "the installation")
    assert "ReadWritePaths=-/home/ada/state" in service.text.splitlines()
    assert "ProtectHome=read-only" in service.text.splitlines()
    assert "StateDirectory=" not in service.text
    usual, _ = systemd.units(JOB, tmp_path, "the installation")
    assert "StateDirectory=telemetry" in usual.text.splitlines()
    assert "ProtectHome=yes" in usual.text.splitlines()


def test_units_of_a_user_have_nothing_that_needs_root(tmp_path: Path) -> None:
    for parts in forms(OWN, tmp_path).values():
        for part in parts:
            assert "User=" not in part.text
            assert "network-online" not in part.text
            assert "Protect" not in part.text
