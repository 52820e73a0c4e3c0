"""Every bad input leads to one clear line with a next step, to the documented status, and to no loss."""

from __future__ import annotations

import shutil
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import pytest

from telemetry_admin.__main__ import run
from telemetry_admin.host import Host
from tests.bad_inputs import TABLE, BadInput
from tests.support.clock import RealClock
from tests.support.ports import free_port
from tests.support.program import Program, Run
from tests.support.raw_server import RawServer
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.unprivileged import unprivileged, visible_directory


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.what)
def test_one_line_that_says_what_is_wrong_and_what_to_do(
    row: BadInput, program: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    with RawServer(row.script) as raw:
        write_config(row, program, receiver.url, simulated.rest, raw.address)
        row.prepare(program)
        row.engine(simulated)
        before = program.store.read_bytes() if program.store.is_file() else None
        begun = time.monotonic()
        done = (
            program(*row.command.split(), variables=row.variables) if not row.unprivileged else as_nobody(program, row)
        )
        seconds = time.monotonic() - begun
    assert done.status == row.status, done.errors
    assert row.message in done.errors
    assert done.errors.count("\n") == 1
    assert len(done.errors) > len("telemetry: ") + len(row.message) + 8, "no next step"
    assert "Traceback" not in done.errors
    assert "geheim" not in done.errors + done.text
    assert seconds < 6
    if before is not None and row.status == 8:
        assert program.store.read_bytes() == before


def write_config(row: BadInput, program: Program, receiver: str, engine: str, raw: str) -> None:
    if isinstance(row.config, bytes):
        program.config.write_bytes(row.config)
        return
    text = row.config
    for name, value in {"receiver": receiver, "engine": engine, "raw": raw, "free": str(free_port())}.items():
        text = text.replace("{" + name + "}", value)
    program.configure(text)


def as_nobody(program: Program, row: BadInput) -> Run:
    """Root may write everything: to be refused, this process is somebody else for a while."""
    environment = program.environment(row.variables)
    host = Host(RealClock(), environment, is_root=False, is_terminal=False, can_ask=False)
    with visible_directory() as directory, redirect_stderr(StringIO()) as errors:
        shutil.copytree(program.directory, directory, dirs_exist_ok=True)
        directory.chmod(0o755)
        environment["TELEMETRY_STORE"] = str(directory / "state" / "telemetry.db")
        command = ["--config", str(directory / "telemetry.toml")]
        with redirect_stdout(StringIO()):
            for loading in (["status"], ["schedule", "show", "cron", "--json"]):
                run([*command, *loading], host)  # modules that only root may read where Python is root's own
        with unprivileged():
            status = run([*command, *row.command.split()], host)
    return Run(status, b"", errors.getvalue().encode())


@pytest.mark.parametrize(
    "words", [("disable", "--reason", "gr\udcfcn"), ("disable", "--authorized-by", "\udcff"), ("history", "ab\udcff")]
)
def test_bytes_that_are_no_text_are_refused_before_anything_is_done(
    words: tuple[str, ...], configured: Program
) -> None:
    done = configured(*words)
    assert (done.status, done.errors.count("\n")) == (2, 1)
    assert f"{words[-1]!r} is no text in UTF-8." in done.errors
    assert configured("consent", "--json").data["decisions"] == []
