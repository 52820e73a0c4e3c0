"""`telemetry history` and `preview --diff`: bytes, attempts, the chain that proves them, and what changed."""

from __future__ import annotations

import json
import sqlite3

import pytest

from tests.support.program import Program
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine


def test_verify_counts_documents_and_decisions_when_all_is_as_it_was_written(configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    configured("disable")
    assert configured("history", "--verify", "--json").data == {"decisions": 2, "documents": 2}


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE report SET body = replace(body, '7.24.0', '7.25.0') WHERE kind = 'initial'", "report"),
        ("DELETE FROM report WHERE kind = 'periodic'", "report"),
        ("DELETE FROM document WHERE number = 1", "document"),
        ("UPDATE document SET sha256 = '00' WHERE number = 2", "document"),
        ("DELETE FROM consent WHERE number = 1", "decision"),
        ("UPDATE consent SET decision = replace(decision, 'enabled', 'disabled')", "decision"),
        ("UPDATE property SET value = '1' WHERE name = 'phase'", "property"),
        ("UPDATE base SET ledger = replace(ledger, '{', '{ ')", "base"),
    ],
)
def test_verify_finds_every_change_of_the_past(damage: str, named: str, configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    configured("disable")
    configured("enable", "--yes")
    with sqlite3.connect(configured.store) as database:
        assert database.execute(damage).rowcount > 0
    done = configured("history", "--verify")
    assert done.status == 8
    assert "The store is damaged" in done.errors
    assert named in done.errors


def test_raw_writes_the_bytes_that_left(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    configured("send")
    for request in receiver.received:
        assert configured("history", request.key, "--raw").stdout == request.body


def test_one_report_shows_each_attempt_with_its_outcome_and_the_receivers_answer(
    program: Program, simulated: SimulatedEngine
) -> None:
    with Receiver(lambda _: Reply(503 if len(receiver.received) == 1 else 202, body=b'{"receipt":"r-1"}')) as receiver:
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        program("send", "--initial")
    report = program("history", "--json").data["reports"][0]
    attempts = program("history", report["id"], "--json").data["reports"][0]["attempt-list"]
    assert [(one["number"], one["outcome"], one["status"]) for one in attempts] == [
        (1, "unknown", 503),
        (2, "accepted", 202),
    ]
    assert attempts[1]["answer"] == '{"receipt":"r-1"}'
    assert 'accepted, answered 202: {"receipt":"r-1"}' in program("history", report["id"]).text


@pytest.mark.parametrize(("found", "counts"), [("accepted", [2]), ("refused", [7])])
def test_resolve_closes_a_report_of_which_nobody_knew_whether_it_arrived(
    found: str, counts: list[int], program: Program, simulated: SimulatedEngine
) -> None:
    def lose_then_refuse(request: Received) -> Reply:
        if b"metrics" not in request.body:
            return Reply(202)
        return Reply(None if len(receiver.received) == 2 else 400)

    with Receiver(lose_then_refuse) as receiver:
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        program("enable", "--yes")
        simulated.start_process(5)
        done = program("send")
        assert done.status == 6
        pending = program("history", "--json").data["reports"][0]
        assert (pending["state"], pending["maybe-arrived"]) == ("pending", True)
        assert f"telemetry history {pending['id']} --resolve" in done.errors
        assert program("history", pending["id"], "--resolve", found).status == 0
        assert program("history", pending["id"], "--resolve", found).status == 2
        receiver.answer = lambda _: Reply(202)
        simulated.start_process(2)
        assert program("send", "--force").status == 0
    metrics = json.loads(receiver.received[-1].body)["product"]["internals"]["metrics"]
    assert [metrics["root-process-instance-start"]["count"]] == counts


def test_diff_shows_what_changed_and_marks_kinds_of_values_that_never_left(
    configured: Program, simulated: SimulatedEngine
) -> None:
    configured("enable", "--yes")
    first = configured("preview", "--diff", "--json").data["reports"][0]["diff"]
    assert {change["path"] for change in first if change["new-kind"]} >= {
        "installation",
        "product.internals.jdk.vendor",
    }
    configured("send")
    simulated.data["product"]["internals"]["jdk"]["version"] = "21.0.1"
    simulated.data["product"]["internals"]["license-key"] = {"raw": "customer=ACME;expiryDate=2030-12-31"}
    simulated.start_process(3)
    changed = {
        change["path"]: (change["before"], change["after"], change["new-kind"])
        for change in configured("preview", "--diff", "--json").data["reports"][0]["diff"]
    }
    assert changed["product.internals.jdk.version"] == ("17.0.15", "21.0.1", False)
    assert changed["product.internals.metrics.process-instances.count"] == (0, 3, False)
    assert changed["product.internals.license-key.raw"] == (None, "customer=ACME;expiryDate=2030-12-31", True)
    assert "product.internals.jdk.vendor" not in changed
    text = configured("preview", "--diff").text
    assert '"customer=ACME;expiryDate=2030-12-31"  NEVER LEFT BEFORE' in text
