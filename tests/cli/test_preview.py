"""`telemetry preview`: what is shown is what is sent, and looking changes nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine


def test_without_consent_it_shows_the_report_and_says_that_nothing_would_be_sent(
    configured: Program, receiver: Receiver
) -> None:
    done = configured("preview")
    assert done.status == 0
    assert "Nothing would be sent: Telemetry is not configured for orders." in done.text
    shown = configured("preview", "--json").data["reports"][0]
    assert shown["would-be-sent"] is False
    assert shown["missing"]["product.internals.metrics"] == "not enabled"
    assert shown["missing"]["product.internals.commands"] == "not enabled"
    assert receiver.received == []
    assert not configured.store.exists()


def test_the_request_that_leaves_is_the_one_that_was_shown_to_the_letter(
    configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    shown = configured("preview", "--keep", "--json").data["reports"][0]
    configured("send")
    received = receiver.received[1]
    assert received.head[0] == f"{shown['request']['method']} /pings HTTP/1.1"
    assert list(received.head[1:]) == [f"{name}: {value}" for name, value in shown["request"]["headers"].items()]
    assert received.body.decode() == shown["body"]
    assert received.sha256 == shown["sha256"]


def test_keep_twice_changes_nothing_and_later_work_is_not_in_it(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    first = configured("preview", "--keep", "--raw").stdout
    simulated.start_process(9)
    assert configured("preview", "--keep", "--raw").stdout == first
    assert configured("preview", "--raw").stdout == first
    configured("send")
    assert receiver.received[1].body == first
    configured("send", "--force")
    assert b'"root-process-instance-start":{"count":9}' in receiver.received[2].body


def test_keep_without_a_permit_is_not_permitted(configured: Program) -> None:
    assert configured("preview", "--keep").status == 4


def test_raw_writes_the_body_and_nothing_else(configured: Program) -> None:
    configured("enable", "--yes")
    raw = configured("preview", "--raw")
    assert raw.stderr == b""
    assert json.loads(raw.stdout)["product"]["internals"]["telemetry-enabled"] is True
    assert raw.stdout[-1:] == b"}"


def test_the_initial_report_has_the_documented_keys_and_is_shown_before_and_after_it_was_sent(
    configured: Program, simulated: SimulatedEngine
) -> None:
    raw = configured("preview", "--initial", "--raw").stdout
    assert raw.decode() == (
        f'{{"installation":"{simulated.installation}","product":{{"name":"Camunda BPM Runtime","version":"7.24.0",'
        '"edition":"community","internals":{"telemetry-enabled":null}}}'
    )
    configured("send", "--initial")
    after = configured("preview", "--initial", "--json").data["reports"][0]
    assert after["would-be-sent"] is False
    assert "sent already" in after["obstacle"]


def test_looking_changes_no_count(configured: Program, simulated: SimulatedEngine) -> None:
    configured("enable", "--yes")
    simulated.start_process(3)
    for _ in range(3):
        assert '"root-process-instance-start":{"count":3}' in configured("preview", "--raw").text


def test_every_value_has_a_source_and_every_missing_one_a_reason(configured: Program) -> None:
    configured("enable", "--yes")
    shown = configured("preview", "--json").data["reports"][0]
    internals = json.loads(shown["body"])["product"]["internals"]
    for name in internals:
        path = "product.internals." + ("*-integration" if name.endswith("-integration") else name)
        assert shown["sources"][path]
    assert shown["missing"] == {"product.internals.license-key": "the engine has none"}


def test_withheld_fields_are_named_and_absent_from_the_bytes(configured: Program) -> None:
    configured.variables["TELEMETRY_WITHHOLD"] = "jdk.vendor,webapps,commands.DeployCmd"
    configured("enable", "--yes")
    shown = configured("preview", "--json").data["reports"][0]
    internals = json.loads(shown["body"])["product"]["internals"]
    assert internals["jdk"] == {"version": "17.0.15"}
    assert "webapps" not in internals
    assert "DeployCmd" not in internals["commands"]
    assert shown["withheld"] == [
        "product.internals.commands.DeployCmd",
        "product.internals.jdk.vendor",
        "product.internals.webapps",
    ]


@pytest.mark.parametrize("width", ["80", "40"])
def test_it_is_plain_when_piped_and_ends_with_size_and_digest(width: str, configured: Program) -> None:
    configured("enable", "--yes")
    configured("preview", "--keep")
    done = configured("preview", variables={"COLUMNS": width})
    body = configured("preview", "--raw").stdout
    assert "\x1b" not in done.text
    assert done.text.endswith(f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}\n")
