"""`collector serve` as a running program: a report is stored before it is answered, and given out again."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import signal

import jsonschema

from docs.generate import REFERENCE
from tests.support.collecting import Collector, captured, exported, report
from tests.support.program import Program


def test_a_report_is_answered_with_a_receipt_and_exported_as_it_came(program: Program) -> None:
    program.config.touch()
    body = captured("7.17.0", 1)
    with Collector(program) as collector:
        answer = collector.send(body, "a-key")
        stored = exported(program)
    assert answer.status == 202
    assert set(answer.json) == {"id", "sha256", "received-at", "duplicate"}
    assert (answer.json["id"], answer.json["duplicate"]) == ("a-key", False)
    assert answer.json["sha256"] == hashlib.sha256(body).hexdigest()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", answer.json["received-at"])
    assert stored == [
        {
            "id": "a-key",
            "received-at": answer.json["received-at"],
            "duplicate": False,
            "quarantined": False,
            "report": json.loads(body),
        }
    ]


def test_what_was_acknowledged_is_there_after_a_kill(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        ids = [collector.send(report(count=n), f"key-{n}").json["id"] for n in range(20)]
        collector.end(signal.SIGKILL)
    assert [one["id"] for one in exported(program)] == ids
    with Collector(program) as collector:
        assert collector.send(report(count=7), "key-7").json["duplicate"] is True


def test_its_last_word_as_json_says_where_it_was_and_what_ended_it(program: Program) -> None:
    program.config.touch()
    with Collector(program, "--json") as collector:
        collector.end()
    schema = json.loads((REFERENCE / "json" / "collector-serve.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(collector.output))
    assert json.loads(collector.output)["data"] == {"url": collector.url, "ended-by": "SIGTERM"}


def test_health_says_that_it_lives_and_is_ready(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        assert collector.ask("GET", "/health/live").status == 200
        assert collector.ask("GET", "/health/ready").status == 200
        assert collector.end() == 0
    assert (collector.output, collector.errors) == (b"", b"")


def test_without_any_store_the_export_is_empty_and_makes_none(program: Program) -> None:
    program.config.touch()
    assert exported(program) == []
    assert not program.store.exists()
    assert program("collector", "export", "--format", "csv").text.count("\n") == 1


def test_the_csv_has_a_line_for_each_report(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        collector.send(captured("7.17.0", 1))
        collector.send(report(version="=1+1"), "risky")
    rows = list(csv.DictReader(io.StringIO(program("collector", "export", "--format", "csv").text)))
    assert [row["process-instances"] for row in rows] == ["5", "1"]
    assert rows[0]["application-server-version"] == "Apache Tomcat/9.0.75"
    assert rows[1]["version"] == "'=1+1", "a spreadsheet would calculate with it"
