"""Completion: the scripts are as generated, and real shells complete commands, options and values with them."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from completions import generate
from tests.support.program import Program

FOLDER = generate.DIRECTORY
BASH = (
    'source {script}; COMP_WORDS=({words}); COMP_CWORD={last}; _telemetry_completion telemetry; '
    'printf "%s\\n" "${{COMPREPLY[@]}}"'
)  # fmt: skip


def environment(program: Program) -> dict[str, str]:
    values = program.environment({"TERM": "dumb"})
    return {**values, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{values['PATH']}"}


def shell(name: str) -> str:
    path = shutil.which(name)
    if path is None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(f"{name} is not installed")
    assert path is not None
    return path


def bash(program: Program, line: str) -> set[str]:
    words = line.split(" ")
    command = BASH.format(
        script=FOLDER / "telemetry.bash", words=" ".join(f"'{word}'" for word in words), last=len(words) - 1
    )
    done = subprocess.run(
        [shell("bash"), "--norc", "-c", command], env=environment(program), capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def fish(program: Program, line: str) -> set[str]:
    command = f"source {FOLDER / 'telemetry.fish'}; complete -C '{line}'"
    done = subprocess.run(
        [shell("fish"), "--no-config", "-c", command],
        env=environment(program),
        capture_output=True,
        text=True,
        check=True,
    )
    return {row.split("\t")[0] for row in done.stdout.splitlines()}


def zsh(program: Program, line: str) -> str:
    """What stands on the line of a real interactive zsh after the tabulator key."""
    process, terminal = pty.fork()
    if process == 0:
        os.execve(shell("zsh"), ["zsh", "-f", "-i"], environment(program))
    try:
        setup = f"PS1='ready> '; fpath=({FOLDER} $fpath); autoload -Uz compinit; compinit -u -D; echo set-$((1+1))up\n"
        os.write(terminal, setup.encode())
        _read_until(terminal, "set-2up")
        os.write(terminal, f"{line}\t".encode())
        return _read_until(terminal, None)
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)


def _read_until(terminal: int, sign: str | None, seconds: float = 15.0) -> str:
    """Everything the shell writes until a sign, or until it was silent for three seconds after the first answer."""
    text, ends = "", time.monotonic() + seconds
    while time.monotonic() < ends and (sign is None or sign not in text):
        ready, _, _ = select.select([terminal], [], [], 3.0)
        if not ready:
            if sign is None:
                break
            continue
        text += os.read(terminal, 4096).decode(errors="replace")
    return text


@pytest.mark.parametrize("name", generate.FILES)
def test_each_script_is_as_generated(name: str) -> None:
    written = (FOLDER / generate.FILES[name]).read_text(encoding="utf-8")
    assert written == generate.script(name), "run `make completions`"


@pytest.mark.parametrize("complete", [bash, fish])
def test_commands_options_and_values_complete(complete: object, configured: Program) -> None:
    assert callable(complete)
    assert "preview" in complete(configured, "telemetry pre")
    assert {"--keep"} <= complete(configured, "telemetry preview --ke")
    assert complete(configured, "telemetry preview --engine o") == {"orders"}
    configured("enable", "--yes")
    configured("send")
    first = configured("history", "--json").data["reports"][0]["id"]
    assert complete(configured, f"telemetry history {first[:6]}") == {first}


def test_zsh_completes_at_the_first_key(configured: Program) -> None:
    assert "telemetry preview" in zsh(configured, "telemetry previ")
    assert "telemetry preview --engine orders" in zsh(configured, "telemetry preview --engine or")


def test_a_broken_configuration_leaves_the_shell_in_peace(program: Program) -> None:
    program.configure("endpoint = ")
    assert bash(program, "telemetry preview --engine o") == set()
