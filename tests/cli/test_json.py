"""The JSON that programs rely on: one object, its envelope, and the keys of each command."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from docs.shapes import SHAPES
from telemetry_admin import app
from tests.support.program import Program
from tests.support.simulated_engine import SimulatedEngine

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "reference" / "json"

#: How each shape of data is called for; NEWEST is the id of the newest report, KEY a file with a licence, IMAGE a
#: folder, ENDED the id of a process that nobody has waited for.
COMMANDS = {
    "config check": "config check",
    "config get": "config get endpoint",
    "config path": "config path",
    "config set": "config set reporter.period 12h",
    "config show": "config show",
    "config unset": "config unset reporter.period",
    "consent": "consent",
    "disable": "disable",
    "enable": "enable --yes",
    "environment": "environment",
    "history": "history",
    "history ID": "history NEWEST",
    "history --verify": "history --verify",
    "license remove": "license remove",
    "license set": "license set --file KEY",
    "license show": "license show",
    "preview": "preview",
    "preview --diff": "preview --diff",
    "run": "run --with ENDED",
    "schedule install": "schedule install cron --image IMAGE",
    "schedule remove": "schedule remove --image IMAGE",
    "schedule show": "schedule show systemd --image IMAGE",
    "send": "send --force",
    "send --dry-run": "send --dry-run",
    "status": "status",
    "status --check": "status --check",
    "status --openmetrics": "status --openmetrics telemetry.prom",
    "status --explain": "status --explain",
    "telemetry --version": "--version",
}
#: They end only when they are told to: tests/web/test_serve.py, tests/collector/test_serve.py; or need what was
#: received: tests/collector/test_deciding.py.
ELSEWHERE = {"serve", "collector serve", "collector list", "collector release", "collector drop"}
REPORT_KEYS = {
    "id", "kind", "trigger", "state", "installation", "engines", "endpoint", "attempts", "maybe-arrived",
    "sha256", "size", "created-at", "accepted-at",
}  # fmt: skip
STATUS_KEYS = {
    "name", "installation", "product", "state", "obstacle", "endpoint", "due-at", "last-accepted-at",
    "last-contact-at", "pending", "initial-sent-at", "initial-due-at", "initial-obstacle", "trouble",
    "license-warning", "copies", "withheld", "new-fields",
}  # fmt: skip


def valid(command: str, envelope: dict[str, Any]) -> None:
    """The whole envelope fits the published schema, which allows no key that it does not name."""
    schema = json.loads((SCHEMAS / f"{command.replace(' --', '-').replace(' ', '-').lower()}.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(envelope)


@pytest.mark.parametrize("command", COMMANDS)
def test_success_is_one_object_on_one_line_and_fits_its_schema(command: str, configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    newest = configured("history", "--json").data["reports"][0]["id"]
    key = configured.directory / "license.txt"
    key.write_text("c2hvcnQ=;customer=ACME;expiryDate=2030-12-31;camundaBPM=true", encoding="utf-8")
    configured("license", "set", "--file", str(key))
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        words = {"NEWEST": newest, "KEY": str(key), "ENDED": str(ended.pid), "IMAGE": str(configured.directory)}
        called = " ".join(words.get(word, word) for word in COMMANDS[command].split())
        done = configured(*called.split(), "--json")
    assert done.status == 0
    assert done.text.count("\n") == 1
    assert done.stderr == b""
    envelope = done.json
    assert set(envelope) == {"format", "command", "ok", "data"}
    assert (envelope["format"], envelope["ok"]) == (1, True)
    assert envelope["command"] == command.partition(" --")[0].removesuffix(" ID")
    valid(command, envelope)


def test_every_command_has_a_schema_and_a_test_of_it() -> None:
    assert set(COMMANDS) | ELSEWHERE == set(SHAPES)
    first_words = {name.partition(" ")[0] for name in {*COMMANDS, *ELSEWHERE}}
    assert set(app.COMMANDS) <= first_words


@pytest.mark.parametrize(
    ("arguments", "command", "status", "code"),
    [
        (["preview", "--no-such-option", "--json"], "preview", 2, "usage"),
        (["no-such-command", "--json"], "no-such-command", 2, "usage"),
        (["history", "--raw", "--json"], "history", 2, "usage"),
        (["history", "ffff", "--json"], "history", 2, "unknown-report"),
        (["enable", "--json"], "enable", 2, "usage"),
        (["preview", "--engine", "x", "--json"], "preview", 2, "unknown-engine"),
        (["send", "--force", "--json"], "send", 4, "not-permitted"),
        (["--config", "/nonexistent.toml", "status", "--json"], "status", 3, "configuration"),
    ],
)
def test_every_error_is_an_envelope_with_code_message_hint_and_status(
    arguments: list[str], command: str, status: int, code: str, configured: Program
) -> None:
    done = configured(*arguments)
    assert done.status == status
    assert done.stderr == b""
    envelope = done.json
    if command in COMMANDS:
        valid(command, envelope)
    assert {key: envelope[key] for key in ("format", "command", "ok")} == {"format": 1, "command": command, "ok": False}
    assert set(envelope["error"]) == {"code", "message", "hint", "exit-status"}
    assert (envelope["error"]["code"], envelope["error"]["exit-status"]) == (code, status)
    assert envelope["error"]["message"]
    assert envelope["error"]["hint"]


def test_an_engine_that_does_not_answer_is_5_in_the_envelope_too(
    configured: Program, simulated: SimulatedEngine
) -> None:
    simulated.override["/telemetry/data"] = (401, "text/plain", b"")
    done = configured("preview", "--json")
    assert done.status == 5
    assert done.json["error"]["code"] == "engine-refused"
    assert done.json["error"]["exit-status"] == 5


def test_history_lists_reports_newest_first_with_the_keys_of_the_contract(configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    reports = configured("history", "--json").data["reports"]
    assert [report["kind"] for report in reports] == ["periodic", "initial"]
    for report in reports:
        assert set(report) == REPORT_KEYS
        assert report["state"] == "accepted"
        assert report["engines"] == ["orders"]
        assert report["attempts"] == 1
        assert INSTANT.fullmatch(report["created-at"])
        assert INSTANT.fullmatch(report["accepted-at"])


def test_one_report_of_the_history_has_its_attempts(configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    report = configured("history", "--json").data["reports"][0]
    one = configured("history", report["id"][:8], "--json").data["reports"]
    assert [entry["id"] for entry in one] == [report["id"]]
    attempt = one[0]["attempt-list"][0]
    assert (attempt["number"], attempt["outcome"], attempt["status"]) == (1, "accepted", 202)


def test_status_has_the_keys_of_the_contract_before_and_after(configured: Program, simulated: SimulatedEngine) -> None:
    before = configured("status", "--json").data["engines"][0]
    assert set(before) == STATUS_KEYS
    assert before["installation"] is before["due-at"] is before["pending"] is before["last-accepted-at"] is None
    configured("enable", "--yes")
    configured("preview", "--keep")
    kept = configured("status", "--json").data["engines"][0]
    assert kept["installation"] == simulated.installation
    assert kept["pending"] == configured("history", "--json").data["reports"][0]["id"]
    configured("send")
    after = configured("status", "--json").data["engines"][0]
    assert after["pending"] is None
    assert INSTANT.fullmatch(after["last-accepted-at"])
    assert after["due-at"] > after["last-accepted-at"]


def test_where_one_of_two_engines_fails_both_result_and_error_are_there(
    program: Program, simulated: SimulatedEngine
) -> None:
    program.configure(
        f'[engines.up]\nrest = "{simulated.rest}"\n[engines.down]\nrest = "http://127.0.0.1:9/engine-rest"\n'
    )
    done = program("environment", "--json")
    assert done.status == 5
    assert [engine["name"] for engine in done.data["engines"]] == ["up"]
    assert done.json["error"]["code"] == "engine-unreachable"


def test_the_version_is_an_envelope_too(program: Program) -> None:
    assert program("--version").text == "telemetry 0.1.0\n"
    assert json.loads(program("--version", "--json").stdout)["data"] == {"version": "0.1.0"}
