"""A signature that is given to `telemetry license` appears nowhere: not on a stream, in a file, or in a process."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from telemetry_admin.__main__ import run
from telemetry_admin.host import Host
from tests.cli.test_license import CANARY, KEY, LINES
from tests.support.clock import RealClock
from tests.support.disk import contents
from tests.support.program import Program, Run
from tests.support.receiver import Receiver

ALL_SIGNATURE = "\n".join([LINES[0], *LINES[1:6], LINES[-1]])
JSON = f'{{"customer": "ACME", "expires": "2030-12-31", "signature": "{CANARY}"}}'
BROKEN = f'{{"customer": "ACME", "signature": "{CANARY}"'


def traces(program: Program) -> list[Path]:
    """Files of the program that hold the signature."""
    files = contents(program.directory).items()
    return [file for file, content in files if file.name != "license.txt" and CANARY.encode() in content]


@pytest.mark.parametrize("text", [KEY, JSON, BROKEN, ALL_SIGNATURE, f"{CANARY};ACME;2030-12-31", f"{CANARY};\x00"])
def test_no_output_no_file_and_no_report_has_it(text: str, configured: Program, receiver: Receiver) -> None:
    file = configured.directory / "license.txt"
    file.write_text(text, encoding="utf-8")
    configured("enable", "--yes")
    runs = [
        configured("license", "set", "--file", str(file), *more) for more in ([], ["--json"], ["--engine", "nobody"])
    ]
    runs.append(configured("license", "set", "-", stdin=text.encode()))
    if "\x00" not in text:
        runs.append(configured("license", "set", text))
    commands = (
        "license show", "license show --json", "preview", "preview --json", "preview --raw", "environment",
        "environment --json", "send", "status", "status --json", "history --json", "license remove --json",
    )  # fmt: skip
    runs += [configured(*command.split()) for command in commands]
    for done in runs:
        assert CANARY.encode() not in done.stdout + done.stderr
        assert b"Traceback" not in done.stderr
    assert len(receiver.received) == 2
    assert all(CANARY.encode() not in request.body for request in receiver.received)
    assert traces(configured) == []


@pytest.mark.parametrize("key", [CANARY, KEY, "\n".join(LINES[1:]), f"--{CANARY}", f"--{CANARY}=x"])
@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(
    "around",
    [
        ("license", "KEY"),
        ("license", "set", "one", "KEY"),
        ("license", "set", "KEY", "two"),
        ("license", "set", "KEY", "--file", "x"),
        ("license", "set", "KEY", "--no-such-option"),
        ("license", "set", "--file", "KEY"),
        ("license", "set", "KEY", "--engine", "KEY"),
        ("license", "show", "KEY"),
        ("license", "remove", "KEY"),
        ("--config", "KEY.toml", "license", "KEY"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_without_repeating_it(
    around: tuple[str, ...], json: bool, key: str, configured: Program
) -> None:
    arguments = [key if word == "KEY" else word for word in around]
    done = here(configured, [*arguments, *(["--json"] if json else [])])
    assert done.status == 2
    assert CANARY not in done.text + done.errors
    assert "Traceback" not in done.errors
    if json:
        assert done.json["error"]["code"] in ("usage", "unknown-engine")
    assert not configured.store.exists() or traces(configured) == []


def here(program: Program, arguments: list[str]) -> Run:
    """The same as a process of its own would do, in this one: a hundred of them would take minutes."""
    host = Host(RealClock(), program.environment(), is_root=False, is_terminal=False, can_ask=False)
    with redirect_stdout(StringIO()) as output, redirect_stderr(StringIO()) as errors:
        status = run(arguments, host)
    return Run(status, output.getvalue().encode(), errors.getvalue().encode())


def test_a_key_from_standard_input_is_in_the_arguments_of_no_process(configured: Program) -> None:
    """The program is held at its standard input after the key: what runs then is looked at."""
    command = [sys.executable, "-m", "telemetry_admin", "license", "set", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=configured.environment()
    ) as process:
        assert process.stdin is not None
        seen: list[bytes] = []
        process.stdin.write(KEY.encode())
        process.stdin.flush()
        process.stdin.close()
        watching = threading.Thread(target=lambda: watch(process, seen))
        watching.start()
        process.wait(60)
        watching.join()
    assert process.returncode == 0
    assert seen
    assert all(CANARY.encode() not in line for line in seen)


def watch(process: subprocess.Popen[bytes], seen: list[bytes]) -> None:
    while process.poll() is None:
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(file.read_bytes())
            except OSError:
                continue
