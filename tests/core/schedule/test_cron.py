"""The line for cron: what it says, and that other lines of a crontab stay as they are."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.errors import NotSchedulable
from telemetry_core.schedule import Every, cron
from tests.core.schedule.jobs import AWKWARD, JOB, OWN

OTHERS = "MAILTO=ada\n# mine\n0 4 * * 0 /usr/local/bin/backup --all 50\\%\n"
BLOCK = cron.block(OWN, "the installation")


def line(text: str) -> str:
    return next(line for line in text.splitlines() if line and not line.startswith("#"))


@pytest.mark.parametrize(
    ("every", "times"),
    [
        (Every.HOURLY, "17 * * * *"), (Every.DAILY, "17 5 * * *"), (Every.QUARTER, "2-59/15 * * * *"),
        (Every.FIVE_MINUTES, "2-59/5 * * * *"),
    ],
)  # fmt: skip
def test_the_line_has_the_minute_and_a_sleep_for_the_second(every: Every, times: str) -> None:
    text = cron.system_file(replace(JOB, every=every), "the installation")
    assert line(text) == f"{times} root sleep 42; /opt/telemetry/bin/telemetry send"
    assert text.endswith("\n")
    own = cron.block(replace(OWN, every=every), "the installation")
    assert line(own) == f"{times} sleep 42; /opt/telemetry/bin/telemetry send"


def test_what_cron_and_the_shell_would_take_for_something_else_reaches_the_program_as_it_is() -> None:
    job = replace(OWN, program=(AWKWARD, "--config", AWKWARD), variables=(("TELEMETRY_STORE", AWKWARD),))
    command = line(cron.block(job, "the installation")).split(None, 5)[5]
    assert "%" not in command.replace("\\%", "")
    words = shlex.split(command.replace("\\%", "%"))
    assert words == ["sleep", "42;", f"TELEMETRY_STORE={AWKWARD}", AWKWARD, "--config", AWKWARD, "send"]


@pytest.mark.parametrize("path", ["/opt/a\nb", "/opt/a\x00b", "/opt/a\x1b[2Jb"])
def test_a_path_with_control_characters_is_refused(path: str) -> None:
    with pytest.raises(NotSchedulable, match="no schedule can hold"):
        replace(JOB, program=(path,))


def test_a_path_with_a_backslash_is_refused() -> None:
    with pytest.raises(NotSchedulable, match="backslash"):
        cron.system_file(replace(JOB, program=("/opt/a\\b",)), "the installation")


@pytest.mark.parametrize("before", ["", OTHERS, OTHERS.rstrip("\n")])
def test_our_lines_come_to_the_end_and_go_again_without_a_trace(before: str) -> None:
    after = cron.with_block(before, BLOCK)
    assert after.endswith(BLOCK)
    assert after.startswith(before)
    assert cron.without_block(after).rstrip("\n") == before.rstrip("\n")


def test_new_lines_stand_where_the_old_ones_did() -> None:
    newer = cron.block(replace(OWN, every=Every.DAILY), "the installation")
    crontab = f"{OTHERS}{BLOCK}5 5 * * * true\n"
    assert cron.with_block(crontab, newer) == f"{OTHERS}{newer}5 5 * * * true\n"
    assert cron.with_block(crontab, BLOCK) == crontab


@pytest.mark.parametrize("line_of_ours", [0, -1])
def test_marks_that_do_not_belong_together_are_refused(line_of_ours: int) -> None:
    crontab = OTHERS + BLOCK.splitlines(keepends=True)[line_of_ours] + "5 5 * * * true\n"
    with pytest.raises(NotSchedulable, match="do not belong together"):
        cron.with_block(crontab, BLOCK)
    with pytest.raises(NotSchedulable, match="do not belong together"):
        cron.without_block(crontab)


@pytest.mark.parametrize("every", list(Every))
def test_a_real_crontab_finds_nothing_wrong(every: Every, tmp_path: Path) -> None:
    crontab = shutil.which("crontab")
    if crontab is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("cron is not installed")
    assert crontab is not None
    file = tmp_path / "crontab"
    file.write_text(cron.with_block(OTHERS, cron.block(replace(OWN, every=every), "the installation")))
    done = subprocess.run([crontab, "-n", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
