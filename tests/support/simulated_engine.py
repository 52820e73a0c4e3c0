"""An engine that is none: answers the REST calls that `telemetry` makes, from a capture, and counts simulated work.

It stands beside the real engines of `tests/engines`, never instead of them: for cases that a real one cannot be brought
into (garbage, clocks, faults), and for a demonstration where there is no Java.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.serving import Served

CAPTURES = Path(__file__).parent.parent / "captures" / "telemetry-data"
PUBLIC = {
    "process-instances": "root-process-instance-start",
    "flow-node-instances": "activity-instance-start",
    "decision-instances": "executed-decision-instances",
    "executed-decision-elements": "executed-decision-elements",
}
Answer = tuple[int, str, bytes]


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    authorization: str = ""
    body: bytes = b""

    @property
    def plain(self) -> str:
        """The path within the REST API, whichever engine it names."""
        return re.sub(r"/engine/[^/]+(?=/)", "", unquote(urlsplit(self.path).path).removeprefix("/engine-rest"))

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}


class SimulatedEngine(Served):
    """One node with its database. Use it as a context manager.

    Args:
        capture: Whose answer of `/telemetry/data` it gives, such as `camunda-7.24.0`.
        now: Its clock, in milliseconds.
    """

    def __init__(self, capture: str = "camunda-7.24.0", *, now: Callable[[], int] | None = None) -> None:
        self.data: dict[str, Any] = json.loads((CAPTURES / f"{capture}.json").read_text(encoding="utf-8"))
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        internals = self.data["product"]["internals"]
        self.commands = Counter({name: one["count"] for name, one in internals["commands"].items()})
        self.unflushed = Counter({PUBLIC[name]: one["count"] for name, one in internals["metrics"].items()})
        self.rows: list[tuple[int, str, int]] = []
        self.has_start_date = "data-collection-start-date" in internals
        self.started_at = self.now()
        self.own_reporter: bool | None = None
        self.override: dict[str, Answer | Callable[[], Answer]] = {}
        self.requests: list[str] = []
        self.last_authorization = ""
        self._lock = threading.Lock()
        super().__init__(_handler(self))
        self.rest = f"http://127.0.0.1:{self.port}/engine-rest"

    @property
    def installation(self) -> str:
        return str(self.data["installation"])

    @installation.setter
    def installation(self, value: str | None) -> None:
        self.data["installation"] = value

    def start_process(self, times: int = 1) -> None:
        """Start process instances, each with a start event and a task."""
        with self._lock:
            self.commands["StartProcessInstanceCmd"] += times
            self.unflushed["root-process-instance-start"] += times
            self.unflushed["activity-instance-start"] += 2 * times

    def flush(self) -> None:
        """Write the counts in memory as rows, as the engine does every 15 minutes and when it stops."""
        with self._lock:
            moment = self.now()
            self.rows += [(moment, name, self.unflushed[name]) for name in PUBLIC.values()]
            self.unflushed.clear()

    def totals(self) -> Counter[str]:
        """All it has counted: metrics by their names in the database, and commands by theirs."""
        with self._lock:
            rows: Counter[str] = Counter(self.unflushed)
            for _, name, value in self.rows:
                rows[name] += value
            return rows + self.commands

    def restart(self) -> None:
        """Stop and start."""
        self.flush()
        self.kill()

    def kill(self) -> None:
        """End without flushing, and start again."""
        with self._lock:
            self.unflushed.clear()
            self.commands.clear()
            self.started_at = self.now()

    def respond(self, asked: Asked) -> Answer:
        """What it answers to a request."""
        return self.answer(asked.path)

    def answer(self, path: str) -> Answer:
        """What the REST API answers."""
        asked = Asked("GET", path)
        self.requests.append(path)
        if asked.plain in self.override:
            made = self.override[asked.plain]
            return made() if callable(made) else made
        with self._lock:
            return self._answer(asked.plain, asked.query)

    @contextmanager
    def hanging(self, path: str) -> Iterator[None]:
        """It takes requests of a path, and answers them, with 500, when the block ends."""
        gate = threading.Event()

        def hang() -> Answer:
            gate.wait(120)
            return 500, "text/plain", b""

        self.override[path] = hang
        try:
            yield
        finally:
            gate.set()

    def _answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == "/telemetry/data":
            return _json(self._data())
        if path == "/telemetry/configuration":
            self.commands["IsTelemetryEnabledCmd"] += 1
            return _json({"enableTelemetry": self.own_reporter})
        if path == "/version":
            return _json({"version": self.data["product"]["version"]})
        if path == "/engine":
            return _json([{"name": "default"}])
        if match := re.fullmatch(r"/metrics/([^/]+)/sum", path):
            self.commands["MetricsQueryImpl"] += 1
            return _json({"result": self._sum(match[1], query)})
        return _json({"type": "NotFoundException", "message": "HTTP 404 Not Found"}, 404)

    def _sum(self, name: str, query: dict[str, str]) -> int:
        name = PUBLIC.get(name, name)
        since, until = _instant(query.get("startDate")), _instant(query.get("endDate"))
        total = sum(
            value
            for moment, row, value in self.rows
            if row == name and (since is None or moment >= since) and (until is None or moment < until)
        )
        recent = until is None or until >= self.now() - 15 * 60 * 1000
        return total + (self.unflushed[name] if recent else 0)

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(json.dumps(self.data))
        internals = data["product"]["internals"]
        self.commands["GetTelemetryDataCmd"] += 1
        internals["commands"] = {name: {"count": count} for name, count in self.commands.items()}
        internals["metrics"] = {public: {"count": self._sum(name, {})} for public, name in PUBLIC.items()}
        if self.has_start_date:
            moment = datetime.fromtimestamp(self.started_at // 1000, UTC)
            internals["data-collection-start-date"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{self.started_at % 1000:03d}+0000"
        return data


def _instant(text: str | None) -> int | None:
    if text is None:
        return None
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)


def _json(value: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(value).encode()


def _handler(engine: SimulatedEngine) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one piece: in two, the second waits 40 ms for the first one's receipt

        def do_GET(self) -> None:
            self._respond()

        def do_POST(self) -> None:
            self._respond()

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            asked = Asked(self.command, self.path, self.headers.get("Authorization", ""), body)
            engine.last_authorization = asked.authorization
            status, kind, content = engine.respond(asked)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            pass

    return Handler
