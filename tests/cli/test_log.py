"""Where the log goes: nowhere by itself, and to standard error, a file, syslog or journald where that is asked for."""

from __future__ import annotations

import array
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

NAME = "org.camunda.bpm.engine.telemetry"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A socket as syslog and journald have it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as place:
        place.bind(str(path))
        place.settimeout(10)
        yield place


def refuse(receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(400)


def fields(datagram: bytes) -> dict[str, str]:
    """The fields of a message to journald (systemd, Native Journal Protocol)."""
    found: dict[str, str] = {}
    while datagram:
        name, _, datagram = datagram.partition(b"\n")
        size = int.from_bytes(datagram[:8], "little")
        found[name.decode()] = datagram[8 : 8 + size].decode()
        assert datagram[8 + size : 9 + size] == b"\n"
        datagram = datagram[9 + size :]
    return found


def test_without_settings_a_failure_is_one_line_and_no_file_is_written(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    before = set(configured.directory.rglob("*"))
    refuse(receiver)
    done = configured("send")
    assert (done.status, done.errors.count("\n")) == (6, 1)
    assert "ENGINE-28" not in done.errors
    assert {path.name for path in set(configured.directory.rglob("*")) - before} == {"telemetry.db.lock"}


@pytest.mark.parametrize("to", ["stderr", "./telemetry.log"])
def test_at_the_default_level_nothing_is_written_when_all_is_well(to: str, configured: Program) -> None:
    configured.variables["TELEMETRY_LOG__TO"] = to
    configured("enable", "--yes")
    for _ in range(2):
        done = configured("send")
        assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    file = configured.directory / "telemetry.log"
    assert not file.exists() or file.read_bytes() == b""


def test_below_warning_it_goes_to_standard_error_unless_it_is_told_where_to(configured: Program) -> None:
    configured("enable", "--yes")
    lines = configured("send", variables={"TELEMETRY_LOG__LEVEL": "DEBUG"}).errors.splitlines()
    codes = [line.split()[4] for line in lines]
    assert codes == ["ENGINE-28001", "ENGINE-28006", "ENGINE-28016", "ENGINE-28006", "ENGINE-28016"]
    moment, level, name, engine, *_ = lines[0].split()
    assert (level, name, engine) == ("DEBUG", NAME, "[orders]")
    assert re.fullmatch(TIME, moment)


def test_a_file_has_warnings_that_standard_error_has_not(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    refuse(receiver)
    configured.variables["TELEMETRY_LOG__TO"] = "./telemetry.log"
    done = configured("send")
    file = configured.directory / "telemetry.log"
    assert done.errors.count("\n") == 1
    lines = file.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["WARNING"] * 2  # the initial report and the periodic one
    assert all("ENGINE-28004 Unexpected response code 400" in line for line in lines)
    assert file.stat().st_mode & 0o777 == 0o640


def test_json_lines_are_objects_with_code_report_and_outcome(configured: Program, receiver: Receiver) -> None:
    configured.configure(configured.config.read_text() + '[log]\nto = "./t.log"\nformat = "json"\nlevel = "debug"\n')
    configured("enable", "--yes")
    receiver.answer = lambda _: Reply(503)
    configured("send", variables={"TELEMETRY_REPORTER__RETRIES": "0"})
    entries = [json.loads(line) for line in (configured.directory / "t.log").read_text().splitlines()]
    failed = next(entry for entry in entries if entry["code"] == "ENGINE-28002")
    assert list(failed) == [
        "time", "level", "logger", "code", "message", "engines", "report", "kind", "endpoint", "outcome", "status",
    ]  # fmt: skip
    assert (failed["level"], failed["logger"], failed["engines"]) == ("WARNING", NAME, ["orders"])
    assert (failed["outcome"], failed["status"]) == ("unknown", 503)
    sent = [entry for entry in entries if entry["code"] == "ENGINE-28006"]
    assert [entry["message"].partition("data: ")[2].encode() for entry in sent] == [
        request.body for request in receiver.received
    ]


def test_a_text_from_outside_never_looks_like_a_record_of_its_own(configured: Program) -> None:
    forged = "2026-11-24T02:30:00.000Z WARNING forged\n2026-11-24T02:30:00.000Z\x1b[31m\u2028x"
    code = f"""
import logging
from telemetry_core import log
from telemetry_core.config import Layers, load
from telemetry_admin import logs
from telemetry_core.errors import StoreDamaged
with logs.opened(load(Layers(environment={{"TELEMETRY_LOG__TO": "stderr"}})).log):
    log.not_started(StoreDamaged({forged!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    first, second = done.stderr.splitlines()
    assert first.endswith("WARNING forged")
    assert second.startswith("    2026-11-24T02:30:00.000Z\\x1b[31m\\u2028x")


def test_syslog_gets_a_line_with_identity_and_priority(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    refuse(receiver)
    with bound(configured.directory / "log.socket") as syslog:
        configured("send", variables={"TELEMETRY_LOG__TO": "syslog:log.socket"})
        line = syslog.recv(65536).decode()
    assert line.startswith("<28>telemetry[")  # facility daemon (3 * 8), warning (4)
    assert f"]: WARNING {NAME} [orders] ENGINE-28002 Could not send initial telemetry data." in line


def test_journald_gets_fields_and_a_payload_of_any_size(
    configured: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    configured("enable", "--yes")
    simulated.commands.update({f"Command{'x' * 200}{number}": 1 for number in range(2000)})
    with bound(configured.directory / "journal.socket") as journal, ThreadPoolExecutor() as pool:
        log = {"TELEMETRY_LOG__TO": "journald:journal.socket", "TELEMETRY_LOG__LEVEL": "debug"}
        run = pool.submit(configured, "send", variables=log)
        got = [received(journal) for _ in range(5)]
        assert run.result().status == 0
    assert [one["TELEMETRY_CODE"] for one in got] == [
        "ENGINE-28001", "ENGINE-28006", "ENGINE-28016", "ENGINE-28006", "ENGINE-28016",
    ]  # fmt: skip
    assert got[1]["PRIORITY"] == "7"
    assert (got[1]["LOGGER"], got[1]["SYSLOG_IDENTIFIER"], got[1]["TELEMETRY_ENGINES"]) == (NAME, "telemetry", "orders")
    assert got[3]["MESSAGE"] == f"ENGINE-28006 Sending telemetry data: {receiver.received[1].body.decode()}"
    assert len(receiver.received[1].body) > 400_000
    assert got[3]["TELEMETRY_REPORT"] == receiver.received[1].key


def received(journal: socket.socket) -> dict[str, str]:
    """One message, as a datagram or by a file descriptor."""
    size = array.array("i").itemsize
    datagram, ancillary, _, _ = journal.recvmsg(1 << 20, socket.CMSG_SPACE(size))
    if ancillary:
        opened = array.array("i", ancillary[0][2][:size])[0]
        with os.fdopen(opened, "rb") as file:
            file.seek(0)
            datagram = file.read()
    return fields(datagram)


def test_a_log_that_is_full_or_gone_keeps_nothing_from_being_sent(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    done = configured("send", variables={"TELEMETRY_LOG__TO": "/dev/full", "TELEMETRY_LOG__LEVEL": "debug"})
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert len(receiver.received) == 2


def test_a_store_that_cannot_be_used_and_one_that_is_lost_are_logged(configured: Program) -> None:
    configured("enable", "--yes")
    configured.variables["TELEMETRY_LOG__TO"] = "./t.log"
    content = configured.store.read_bytes()
    configured.store.write_bytes(b"no store any more" * 1000)
    assert configured("send").status == 8
    configured.store.write_bytes(content)
    configured.store.chmod(0o600)
    configured.store.unlink()
    configured.store.mkdir()
    assert configured("send").status == 8
    lines = (configured.directory / "t.log").read_text().splitlines()
    assert ["ENGINE-28013 Could not start telemetry task. Reason: Store" in line for line in lines] == [True, True]
    assert "StoreLost with message 'The store " in lines[0]
    assert "StoreUnavailable" in lines[1]


def test_a_check_of_the_configuration_finds_a_log_that_cannot_be_written(configured: Program) -> None:
    for to in ("./t.log", "stderr", "syslog"):
        done = configured("config", "check", variables={"TELEMETRY_LOG__TO": to})
        assert (done.status, to) == (0 if to != "syslog" or Path("/dev/log").exists() else 3, to)
    done = configured("config", "check", variables={"TELEMETRY_LOG__TO": "/nonexistent/t.log"})
    assert done.status == 3
    assert "log.to: /nonexistent/t.log cannot be written." in done.errors
    assert not (configured.directory / "t.log").exists()


def test_settings_of_the_log_are_shown_as_they_are_set(configured: Program) -> None:
    for key, value in (("log.to", "journald"), ("log.rotate-size", "10M"), ("log.level", "warning")):
        configured("config", "set", key, value)
        assert configured("config", "get", key).text == f"{value}\n"
    assert configured("config", "get", "log.to", variables={"TELEMETRY_LOG__TO": "syslog:/x"}).text == "syslog:/x\n"
