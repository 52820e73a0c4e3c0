"""The program's `collector serve` as a child process, and a client that sends it reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.child_server import ChildServer
from tests.support.program import Program
from tests.support.web_server import Answered, Caller

ROOT = Path(__file__).parent.parent.parent
CAPTURES = ROOT / "tests" / "captures" / "engine-reports"
VARIABLE = "TELEMETRY_TESTS_AHEAD"
INSTALLATION = "b647de4d-e557-455a-a64f-feaecd55f53c"


def report(
    *, installation: str | None = INSTALLATION, start: str | None = None, count: int = 1, version: str = "7.21.0"
) -> bytes:
    """A small report, as an engine of 7.19 or later or `telemetry` would send it."""
    internals: dict[str, object] = {"metrics": {"process-instances": {"count": count}}, "telemetry-enabled": True}
    if start is not None:
        internals["data-collection-start-date"] = start
    product = {"name": "Camunda BPM Runtime", "version": version, "edition": "community", "internals": internals}
    return json.dumps({"installation": installation, "product": product}, separators=(",", ":")).encode()


def captured(release: str, number: int) -> bytes:
    """What a real engine sent."""
    return (CAPTURES / release / f"{number:03d}.body").read_bytes()


class Collector(ChildServer):
    """A running `collector serve`.

    Args:
        program: With its directory and its configuration.
        arguments: More of the command line.
        ahead: How far its clock is ahead at first (milliseconds); None where time is not to be passed.
        module: What is run instead of the program.
    """

    def __init__(
        self, program: Program, *arguments: str, ahead: int | None = None, module: str = "telemetry_admin"
    ) -> None:
        self.program = program
        self._ahead = program.directory / "ahead"
        variables = {}
        if ahead is not None:
            self.put_ahead(ahead)
            module, variables = "tests.support.ahead", {VARIABLE: str(self._ahead), "PYTHONPATH": str(ROOT)}
        super().__init__(program, (("collector", "serve"), arguments), module=module, variables=variables)

    def is_ready(self) -> bool:
        return self.ask("GET", "/health/ready").status == 200

    def put_ahead(self, milliseconds: int) -> None:
        """Have its clock ahead by that from now on; at no moment does it read half of it."""
        file = self._ahead.with_suffix(".new")
        file.write_text(str(milliseconds))
        file.replace(self._ahead)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pings"

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, source: str = "127.0.0.1", **headers: str
    ) -> Answered:
        """One request over a connection of its own."""
        return Caller(self.port, source=source).ask(method, path, body=body, kind="", **headers)

    def send(self, body: bytes, key: str | None = None, *, source: str = "127.0.0.1", **headers: str) -> Answered:
        """One report, with a key or as engines send theirs."""
        sent = {"Content_Type": "application/json", **headers}
        if key is not None:
            sent["Idempotency_Key"] = key
        return self.ask("POST", "/pings", body=body, source=source, **sent)

    def send_batch(self, *items: tuple[str | None, bytes]) -> Answered:
        """A batch of reports, each with its key or None."""
        parts = [
            (b'{"report":%s}' if key is None else b'{"id":"%s","report":%%s}' % key.encode()) % body
            for key, body in items
        ]
        content = b'{"reports":[' + b",".join(parts) + b"]}"
        return self.ask("POST", "/pings/batch", body=content, Content_Type="application/json")

    def of(self, installation: str) -> list[dict[str, Any]]:
        """What it has stored of an installation, the oldest first."""
        return [one for one in exported(self.program) if one["report"]["installation"] == installation]


def secrets(program: Program) -> list[str]:
    """The keys by which it hashes addresses, the newest first."""
    return [key["secret"] for key in json.loads((program.store.parent / "collector.keys").read_bytes())]


def exported(program: Program, *arguments: str) -> list[dict[str, Any]]:
    """What `collector export` gives."""
    done = program("collector", "export", *arguments)
    assert (done.status, done.errors) == (0, "")
    value = done.json
    assert value["format"] == 1
    reports: list[dict[str, Any]] = value["reports"]
    return reports


def listed(program: Program, *arguments: str) -> list[dict[str, Any]]:
    """What `collector list` gives."""
    done = program("collector", "list", "--json", *arguments)
    assert (done.status, done.errors) == (0, "")
    reports: list[dict[str, Any]] = done.data["reports"]
    return reports
