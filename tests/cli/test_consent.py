"""`telemetry consent`, `enable --without` and `--with`, `status --explain`, and the policy of the host."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

import pytest

from telemetry_core.store import rows
from tests.support.apart import apart
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

JDK = "product.internals.jdk"


def internals(receiver: Receiver) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(receiver.received[-1].body)["product"]["internals"]
    return found


def test_before_anything_was_decided_it_says_so(configured: Program) -> None:
    assert configured("consent").text == "Nothing was decided yet.\n"
    assert configured("consent", "--json").data == {"decisions": []}


def test_every_decision_is_shown_with_who_when_how_and_why(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes", "--authorized-by", "Ada", "--reason", "ticket 7", "--without", "license")
    configured("disable", "--no-requests", "--reason", "audit")
    first, second = configured("consent", "--json").data["decisions"]
    assert (first["number"], first["name"], first["state"], first["how"]) == (1, "orders", "enabled", "command")
    assert (first["authorized-by"], first["reason"], first["withheld"]) == (
        "Ada", "ticket 7", ["product.internals.license-key"],
    )  # fmt: skip
    assert (first["legal-note-shown"], len(first["legal-note-sha256"])) == (True, 64)
    assert (second["state"], second["requests"], second["reason"], second["fields"]) == ("disabled", False, "audit", [])
    text = configured("consent").text
    for part in ("1  orders: enabled", "authorized by", "Ada", "ticket 7", receiver.url[:-6], "2  orders: disabled"):
        assert part in text


def test_it_is_about_the_engines_that_are_named(configured: Program) -> None:
    configured("enable", "--yes")
    assert len(configured("consent", "--engine", "orders", "--json").data["decisions"]) == 1
    assert configured("consent", "--engine", "billing").status == 2


@pytest.mark.parametrize(
    ("option", "absent"),
    [
        ("license", {"license-key"}),
        ("jdk", {"jdk"}),
        ("usage", {"commands", "metrics"}),
        ("product.internals.webapps", {"webapps"}),
    ],
)
def test_what_consent_is_given_without_is_in_no_byte_and_shown_as_withheld(
    option: str, absent: set[str], configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    simulated.data["product"]["internals"]["license-key"] = {"raw": "ACME;unlimited"}
    assert configured("enable", "--yes", "--without", option).status == 0
    assert configured("send").status == 0
    assert not absent & set(internals(receiver))
    shown = configured("status", "--json").data["engines"][0]["withheld"]
    assert {name.removeprefix("product.internals.") for name in shown} >= absent


def test_what_was_withheld_stays_so_until_it_is_agreed_to(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes", "--without", "jdk", "--without", "webapps")
    done = configured("enable", "--yes", "--json").data["engines"][0]
    assert (done["changed"], done["withheld"]) == (False, [JDK, "product.internals.webapps"])
    done = configured("enable", "--yes", "--with", "jdk", "--json").data["engines"][0]
    assert (done["changed"], done["withheld"]) == (True, ["product.internals.webapps"])
    configured("send")
    assert "jdk" in internals(receiver)
    assert "webapps" not in internals(receiver)


def test_disabling_does_not_forget_what_was_withheld(configured: Program) -> None:
    configured("enable", "--yes", "--without", "jdk")
    configured("disable")
    assert configured("enable", "--yes", "--json").data["engines"][0]["withheld"] == [JDK]


def test_a_single_command_name_can_be_withheld(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes", "--without", "commands.StartProcessInstanceCmd")
    simulated.start_process(2)
    configured("send")
    assert "StartProcessInstanceCmd" not in internals(receiver)["commands"]
    assert internals(receiver)["commands"]


def test_a_pending_report_that_has_what_is_withheld_now_never_leaves(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    assert configured("preview", "--keep").status == 0
    configured("enable", "--yes", "--without", "jdk")
    configured("send")
    periodic = [request for request in receiver.received if b'"metrics"' in request.body]
    assert len(periodic) == 1
    assert b'"jdk"' not in periodic[0].body


@pytest.mark.parametrize(
    ("name", "reason"), [("general", "in every report"), ("jkd", "nearest is jdk"), ("installation", "in every report")]
)
def test_what_cannot_be_withheld_is_said_before_anything_is_asked(name: str, reason: str, configured: Program) -> None:
    done = configured("enable", "--without", name)
    assert done.status == 2
    assert reason in done.errors
    assert configured("consent", "--json").data["decisions"] == []


def forget_a_field(program: Program, name: str) -> None:
    """Make of the decision what a release that did not have that field yet would have left."""
    with sqlite3.connect(program.store) as store:
        ((text,),) = store.execute("SELECT decision FROM consent WHERE number = 1")
        decision = json.loads(text)
        decision["fields"].remove(name)
        text = json.dumps(decision, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        digest = rows.digest("", 1, "orders", text)
        store.execute("UPDATE consent SET decision = ?, digest = ?", (text, digest))
        value = rows.digest("", "consent-end", digest)
        store.execute("UPDATE property SET value = ?, digest = ? WHERE name = 'consent-end'", (digest, value))
    store.close()


def test_a_field_of_a_later_release_is_held_back_silently_until_somebody_agrees(
    configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    forget_a_field(configured, "jdk")
    assert configured("history", "--verify").status == 0
    done = configured("send")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert "jdk" not in internals(receiver)
    assert configured("status", "--json").data["engines"][0]["new-fields"] == [JDK]
    assert "held back until `telemetry enable` agrees" in " ".join(configured("status").text.split())
    asked = configured("enable", "--yes").text
    assert f"{JDK} (held back until now)" in asked
    configured("send", "--force")
    assert "jdk" in internals(receiver)
    assert configured("status", "--json").data["engines"][0]["new-fields"] == []


def test_explain_marks_the_layer_that_decides_and_exit_code_tells_it(configured: Program) -> None:
    undecided = configured("status", "--explain", "--exit-code")
    assert undecided.status == 24
    assert "orders: no periodic report leaves: consent decides" in undecided.text
    assert "> consent" in undecided.text
    configured("enable", "--yes")
    assert configured("status", "--exit-code").status == 0
    assert configured("status", "--explain", "--exit-code", variables={"DO_NOT_TRACK": "1"}).status == 21
    assert configured("status", "--explain", variables={"DO_NOT_TRACK": "1"}).status == 0
    layers = configured("status", "--explain", "--json", variables={"DO_NOT_TRACK": "1"}).data["engines"][0]
    assert (layers["result"], layers["exit-code"]) == ("do-not-track", 21)
    assert [one["name"] for one in layers["layers"] if one["decides"]] == ["DO_NOT_TRACK"]


APART = """\
mkdir -p /etc/telemetry && chmod 755 /etc/telemetry
printf 'forbid = true\\nwithhold = ["jdk"]\\n' > /etc/telemetry/policy.toml
"$PYTHON" -m telemetry_admin enable --yes
"$PYTHON" -m telemetry_admin send
"$PYTHON" -m telemetry_admin send --initial || echo "status $?"
"$PYTHON" -m telemetry_admin --config "$TELEMETRY_CONFIG" status --explain --json
"""


def test_the_policy_of_the_host_is_obeyed_where_it_lies(configured: Program, receiver: Receiver) -> None:
    environment = {**configured.environment(), "PYTHON": sys.executable}
    done = apart(APART, environment, etc=configured.directory / "etc", own_processes=False)
    assert done.returncode == 0, done.stderr
    assert receiver.received == []
    assert "The policy of this host forbids telemetry (/etc/telemetry/policy.toml:1)." in " ".join(done.stdout.split())
    assert "status 4" in done.stdout
    assert "Only the administrator of this host can change that." in done.stderr
    layers = json.loads(done.stdout.splitlines()[-1])["data"]["engines"][0]
    assert (layers["result"], layers["layers"][0]["origin"]) == ("policy", "/etc/telemetry/policy.toml:1")
