"""The OpenAPI document: the one that is served, and against the server, by schemathesis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from telemetry_web.openapi import document
from tests.support.program import Program
from tests.support.web_server import DATA, WebServer

SCHEMATHESIS = Path(sys.executable).with_name("st")


def written(directory: Path) -> Any:
    """The document, with the engine that is there beside those that are not."""
    made: Any = json.loads(json.dumps(document()))
    for path, operations in made["paths"].items():
        if "{engine}" in path:
            operations["parameters"][0]["schema"] = {"enum": ["orders"]}
    (directory / "openapi.json").write_text(json.dumps(made))
    return made


def findings(directory: Path, server: WebServer, user: str, password: str, *more: str) -> str:
    """What schemathesis finds; empty where that is nothing."""
    done = subprocess.run(
        [SCHEMATHESIS, "run", "openapi.json", "--url", f"http://127.0.0.1:{server.port}",
         "--auth", f"{user}:{password}", "--seed", "1", "--max-examples", "20", "--no-shrink",
         "--suppress-health-check", "all", *more],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def test_the_document_is_served_to_everybody(lasting: WebServer) -> None:
    answer = lasting.as_nobody().get("/openapi.json")
    assert (answer.status, answer.json) == (200, document())


def test_schemathesis_finds_nothing(server: WebServer, ready: Program) -> None:
    """Wrong passwords are tried of one call only: the sixth is answered with 429, which that check does not expect."""
    written(ready.directory)
    wrong_passwords = "ignored_auth"
    assert findings(ready.directory, server, "ada", "ada-pw", "--exclude-checks", wrong_passwords) == ""
    one = ("--checks", wrong_passwords, "--phases", "coverage", "--include-path", DATA)
    assert findings(ready.directory, server, "ada", "ada-pw", *one) == ""


def test_schemathesis_finds_a_document_that_says_something_else(server: WebServer, ready: Program) -> None:
    wrong = written(ready.directory)
    wrong["components"]["schemas"]["Configuration"]["properties"]["enableTelemetry"] = {"type": "string"}
    (ready.directory / "openapi.json").write_text(json.dumps(wrong))
    assert "enableTelemetry" in findings(ready.directory, server, "ada", "ada-pw", "--phases", "coverage")
