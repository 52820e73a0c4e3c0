"""`telemetry license`: set in every way, shown, reported under consent alone, and removed."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

CANARY = "Q0FOQVJZLXNpZ25hdHVyZQ"
RAW = "customer=ACME;expiryDate=2030-12-31;camundaBPM=true;optimize=false"
LINES = [
    "--------------- BEGIN CAMUNDA BPM LICENSE KEY ---------------",
    *[f"{CANARY}{number}" for number in range(5)],
    "",
    f";{RAW}",
    "---------------  END CAMUNDA BPM LICENSE KEY  ---------------",
]
KEY = "\n".join(LINES) + "\n"
STRUCTURED = {
    "customer": "ACME",
    "type": "UNIFIED",
    "valid-until": "2030-12-31",
    "unlimited": False,
    "features": {"camundaBPM": "true"},
    "raw": RAW,
}


def internals(receiver: Receiver) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(receiver.received[-1].body)
    found: dict[str, Any] = report["product"]["internals"]
    return found


def shown(program: Program) -> dict[str, Any]:
    one: dict[str, Any] = program("license", "show", "--json").data["engines"][0]
    return one


def typed(program: Program, text: str) -> tuple[int, str]:
    """`license set` on a terminal, where somebody pastes a text when asked; the status and all that is seen."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "telemetry_admin", "license", "set"]
    with subprocess.Popen(
        command,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=program.environment({"TERM": "dumb"}),
        cwd=program.directory,
        start_new_session=True,
    ) as process:
        os.close(follower)
        seen = read_until(leader, "ends it: ")
        os.write(leader, text.encode())
        seen += read_until(leader, None)
        status = process.wait(60)
    os.close(leader)
    return status, seen


def read_until(terminal: int, sign: str | None) -> str:
    text, ends = "", time.monotonic() + 60
    while time.monotonic() < ends and (sign is None or sign not in text):
        if select.select([terminal], [], [], 1.0)[0]:
            try:
                text += os.read(terminal, 4096).decode(errors="replace")
            except OSError:  # the other end is closed
                break
    return text


def test_the_next_report_carries_it_structured_and_without_its_signature(
    configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    assert configured("license", "set", "-", stdin=KEY.encode()).status == 0
    preview = configured("preview", "--json").data["reports"][0]
    assert json.loads(preview["body"])["product"]["internals"]["license-key"] == STRUCTURED
    assert preview["sources"]["product.internals.license-key"] == "license set"
    configured("send")
    assert internals(receiver)["license-key"] == STRUCTURED
    assert list(internals(receiver)["license-key"]) == list(STRUCTURED)


def test_it_comes_from_standard_input_a_file_or_an_argument_which_is_warned_about(configured: Program) -> None:
    file = configured.directory / "license.txt"
    file.write_text(KEY, encoding="utf-8")
    ways = [("-", KEY.encode()), (f"--file={file}", b""), (KEY, b"")]
    for argument, stdin in ways:
        done = configured("license", "set", argument, "--json", stdin=stdin)
        assert done.status == 0
        assert {name: done.data["engines"][0][name] for name in STRUCTURED} == STRUCTURED
        assert ("can be seen by other users" in done.errors) == (argument == KEY)
        assert CANARY not in done.text + done.errors
        assert configured("license", "remove").status == 0


@pytest.mark.parametrize("end", ["", "and more that no shell may see\n", "\x04"])
def test_a_terminal_is_asked_and_shows_nothing_of_what_is_pasted(end: str, configured: Program) -> None:
    status, seen = typed(configured, KEY + end)
    assert status == 0, seen
    assert CANARY not in seen
    assert "BEGIN" not in seen
    assert "no shell" not in seen
    assert shown(configured)["customer"] == "ACME"


def test_on_a_terminal_an_empty_line_ends_a_key_without_header(configured: Program) -> None:
    status, seen = typed(configured, f"{CANARY};my company;unlimited\n\n")
    assert status == 0, seen
    assert CANARY not in seen
    assert (shown(configured)["customer"], shown(configured)["unlimited"]) == ("my company", True)


def test_show_and_status_warn_from_60_days_before_the_end_on(configured: Program) -> None:
    today = datetime.now(UTC).date()
    for days, words in ((70, None), (30, "The licence ends on {}, in"), (-3, "The licence ended on {}.")):
        end = str(today + timedelta(days=days))
        configured("license", "set", "-", stdin=f"c2ln;ACME;{end}".encode())
        warning, status = shown(configured)["warning"], configured("status", "--json").data["engines"][0]
        assert status["license-warning"] == warning
        assert warning is None if words is None else warning.startswith(words.format(end))
        for command in (("status",), ("license", "show")):
            assert bool(warning) == ("The licence end" in configured(*command).text)


def test_show_and_remove_ask_no_engine_and_set_asks_each_time_which_installation_it_is(
    configured: Program, simulated: SimulatedEngine
) -> None:
    assert not shown(configured)["set"]
    assert configured("license", "remove", "--json").data["engines"] == [
        {"name": "orders", "installation": None, "removed": False}
    ]
    assert simulated.requests == []
    configured("license", "set", "-", stdin=KEY.encode())
    assert simulated.requests
    simulated.requests.clear()
    assert shown(configured)["installation"] == simulated.installation
    assert configured("license", "remove", "--json").data["engines"][0]["removed"]
    assert not shown(configured)["set"]
    assert simulated.requests == []
    configured("license", "set", "-", stdin=b"c2ln;my company;unlimited")
    assert simulated.requests


def test_a_licence_is_for_the_installation_that_the_engine_shows_now(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    configured("send")
    simulated.installation = "of a new database"
    done = configured("license", "set", "-", stdin=KEY.encode())
    assert "The next periodic report carries it if telemetry is enabled" in done.text
    assert shown(configured)["installation"] == "of a new database"
    assert configured("send", "--force").status == 0
    assert json.loads(receiver.received[-1].body)["installation"] == "of a new database"
    assert internals(receiver)["license-key"] == STRUCTURED


def test_an_entry_that_shared_an_installation_gets_the_licence_for_the_one_that_it_shows_itself(
    program: Program, simulated: SimulatedEngine
) -> None:
    with SimulatedEngine() as other:
        tables = (f'[engines.{name}]\nrest = "{one.rest}"\n' for name, one in (("a", simulated), ("b", other)))
        program.configure("".join(tables))
        program("license", "set", "-", stdin=b"c2ln;old;unlimited")
        before, simulated.installation = other.installation, "of a new database"
        done = program("license", "set", "-", "--engine", "b", "--json", stdin=KEY.encode())
    assert done.data["engines"][0]["installation"] == before
    found = {one["name"]: one["customer"] for one in program("license", "show", "--json").data["engines"]}
    assert found == {"a": None, "b": "ACME"}


def test_of_an_engine_that_does_not_answer_the_installation_known_so_far_has_the_licence_and_that_is_said(
    configured: Program, simulated: SimulatedEngine
) -> None:
    configured("enable", "--yes")
    simulated.stop()
    done = configured("license", "set", "-", stdin=KEY.encode())
    assert done.status == 0
    said = " ".join(done.text.split())
    assert "orders: The engine does not answer, so the licence is kept for the installation known so far." in said
    assert "The next periodic report carries it" not in said
    assert shown(configured)["installation"] == simulated.installation


def test_an_engine_that_does_not_answer_and_was_never_seen_has_no_licence_set(program: Program) -> None:
    program.configure('[engines.a]\nrest = "http://127.0.0.1:9/x"\n[engines.b]\nrest = "http://127.0.0.1:9/x"\n')
    with program.config.open("a", encoding="utf-8") as config:
        config.write('installation = "known"\n')
    done = program("license", "set", "-", "--json", stdin=KEY.encode())
    assert done.status == 5
    assert [one["name"] for one in done.data["engines"]] == ["b"]
    assert done.json["error"]["code"] == "engine-unreachable"
    only = program("license", "set", "-", "--engine", "a", stdin=KEY.encode())
    assert (only.status, only.text) == (5, "")


def test_environment_shows_the_engines_own_beside_it_where_they_differ(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    simulated.data["product"]["internals"]["license-key"] = {"raw": "other company;unlimited"}
    configured("license", "set", "-", stdin=KEY.encode())
    engine = configured("environment", "--json").data["engines"][0]
    assert engine["found"]["license-key"] == {"value": STRUCTURED, "source": "license set"}
    source = f"REST {simulated.rest}"
    assert engine["also-found"] == {"license-key": [{"value": {"raw": "other company;unlimited"}, "source": source}]}
    text = configured("environment").text
    assert re.search(r"license-key .*customer ACME.*\[license set]\n +also found +raw other company;unlimited ", text)
    configured("license", "remove")
    engine = configured("environment", "--json").data["engines"][0]
    assert engine["found"]["license-key"] == {"value": {"raw": "other company;unlimited"}, "source": source}
    assert engine["also-found"] == {}


def test_removed_it_is_in_no_later_report_and_not_in_the_store(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    configured("license", "set", "-", stdin=KEY.encode())
    assert RAW.encode() in configured.store.read_bytes()
    configured("license", "remove")
    assert RAW.encode() not in configured.store.read_bytes()
    configured("send")
    assert "license-key" not in internals(receiver)


@pytest.mark.parametrize("consent", ["withheld", "disabled", "not-configured"])
def test_without_consent_it_never_leaves(consent: str, configured: Program, receiver: Receiver) -> None:
    if consent == "withheld":
        configured("config", "set", "withhold", "license-key")
        configured("enable", "--yes")
    if consent == "disabled":
        configured("disable")
    assert configured("license", "set", "-", stdin=KEY.encode()).status == 0
    configured("send")
    configured("send", "--force")
    assert all(b"ACME" not in request.body for request in receiver.received)
    assert bool(receiver.received) == (consent != "not-configured")


def test_entries_of_one_installation_share_it_and_other_installations_do_not(
    program: Program, simulated: SimulatedEngine
) -> None:
    with SimulatedEngine() as other:
        other.installation = "another"
        program.configure(
            f'[engines.a]\nrest = "{simulated.rest}"\n[engines.b]\nrest = "{other.rest}"\n'
            f'[engines.c]\nrest = "{simulated.rest}"\n'
        )
        program("license", "set", "-", "--engine", "b", "--engine", "c", stdin=b"c2ln;old;unlimited")
        program("license", "set", "-", "--engine", "a", stdin=KEY.encode())
        found = {one["name"]: one["customer"] for one in program("license", "show", "--json").data["engines"]}
    assert found == {"a": "ACME", "b": "old", "c": "ACME"}
