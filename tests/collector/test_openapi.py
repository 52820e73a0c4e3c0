"""The OpenAPI document of the collector: the one that is served, and against the service, by schemathesis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from telemetry_collector.openapi import document
from tests.support.collecting import Collector

SCHEMATHESIS = Path(sys.executable).with_name("st")


def findings(directory: Path, collector: Collector, written: object) -> str:
    """What schemathesis finds; empty where that is nothing. Rules that no schema can say are tested elsewhere."""
    (directory / "openapi.json").write_text(json.dumps(written))
    done = subprocess.run(
        [SCHEMATHESIS, "run", "openapi.json", "--url", f"http://127.0.0.1:{collector.port}", "--seed", "1",
         "--max-examples", "50", "--no-shrink", "--suppress-health-check", "all",
         "--exclude-checks", "positive_data_acceptance"],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def test_the_document_is_served(lasting: Collector) -> None:
    answer = lasting.ask("GET", "/openapi.json")
    assert (answer.status, answer.json) == (200, json.loads(json.dumps(document())))


def test_schemathesis_finds_nothing(lasting: Collector, tmp_path: Path) -> None:
    assert findings(tmp_path, lasting, document()) == ""


def test_schemathesis_finds_a_document_that_says_something_else(lasting: Collector, tmp_path: Path) -> None:
    wrong = json.loads(json.dumps(document()))
    wrong["components"]["schemas"]["Health"]["properties"]["status"] = {"type": "integer"}
    assert "status" in findings(tmp_path, lasting, wrong)
