"""One server on loopback for a simulated installation and the receiver of its reports, which keeps books.

Nodes stand at `/node0/engine-rest` and so on, a load balancer that asks them in turn at `/balanced/engine-rest`.
"""

from __future__ import annotations

import json
import re
import socket
from collections import Counter, deque
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.serving import Served
from tests.support.world import NAMES, READING, World

INSTALLATION = "8343cc7a-8ad1-42d4-97d2-43452c0bdfa3"

#: What the receiver does with a report: whether it keeps it, and the status it answers, None for no answer.
REPLIES = {
    "accepts": (True, 202),
    "keeps it, and its answer is lost": (True, None),
    "is gone before it has it": (False, None),
    "keeps it, and says 500": (True, 500),
    "says 503": (False, 503),
    "refuses": (False, 400),
    "says 409": (False, 409),
}


class Crossroads(Served):
    """The server. Use it as a context manager; `world` is what it shows, and changes with every example.

    Attributes:
        kept: The reports that the receiver has, by their key.
        replies: What it does with the next requests; afterwards it accepts.
        turn: The node that the load balancer asked last.
        said: What nodes have said first, by their place, since this was cleared.
    """

    def __init__(self) -> None:
        super().__init__(_handler(self))
        self.root = f"http://127.0.0.1:{self.port}"
        self.begin(World([0]), start_dates=True)

    def begin(self, world: World, *, start_dates: bool) -> None:
        """Another installation, and a receiver that has nothing."""
        self.world = world
        self.start_dates = start_dates
        self.kept: dict[str, bytes] = {}
        self.bodies: dict[str, bytes] = {}
        self.changed: list[str] = []
        self.replies: deque[str] = deque()
        self.turn = 0
        self.said: dict[int, Counter[str]] = {}

    def receive(self, key: str, body: bytes) -> int | None:
        """What the receiver answers; a report that it has already is accepted again, as `Idempotency-Key` asks."""
        if self.bodies.setdefault(key, body) != body:
            self.changed.append(key)
        keeps, status = REPLIES[self.replies.popleft() if self.replies else "accepts"]
        if keeps:
            self.kept.setdefault(key, body)
        if status == 400 and key not in self.kept:
            del self.bodies[key]  # the initial report has one key, and is made anew once it was refused
        return status

    def answer(self, path: str) -> tuple[int, object]:
        """What a node answers."""
        parts = urlsplit(path)
        match = re.fullmatch(r"/(balanced|node\d)/engine-rest(/.*)", unquote(parts.path))
        if match is None:
            return 404, None
        resource = match[2]
        if match[1] == "balanced" and resource == "/telemetry/data":
            self.turn = (self.turn + 1) % len(self.world.nodes)
        place = self.turn if match[1] == "balanced" else int(match[1].removeprefix("node"))
        if not self.world.nodes[place].answers:
            return 503, None
        if resource == "/telemetry/data":
            return 200, self._data(place)
        if resource == "/telemetry/configuration":
            return 200, {"enableTelemetry": False}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        name = resource.removeprefix("/metrics/").removesuffix("/sum")
        return 200, {"result": self._sum(place, name, query)}

    def _sum(self, place: int, name: str, query: dict[str, str]) -> int:
        since, until = _instant(query["startDate"]), query.get("endDate")
        return self.world.sum(place, name, since, None if until is None else _instant(until)) if name in NAMES else 0

    def _data(self, place: int) -> dict[str, Any]:
        self.world.execute(place, READING)
        node = self.world.nodes[place]
        counts = node.counts
        self.said.setdefault(place, counts)
        internals: dict[str, Any] = {"commands": {name: {"count": count} for name, count in counts.items()}}
        if self.start_dates:
            moment = datetime.fromtimestamp(node.started_at // 1000, UTC)
            internals["data-collection-start-date"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{node.started_at % 1000:03d}+0000"
        version = "7.24.0" if self.start_dates else "7.17.0"
        product = {"name": "Camunda BPM Runtime", "version": version, "edition": "community", "internals": internals}
        return {"installation": INSTALLATION, "product": product}


def _instant(text: str) -> int:
    return round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)


def _handler(crossroads: Crossroads) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one packet: otherwise each answer waits for an acknowledgement
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, value = crossroads.answer(self.path)
            self._reply(status, json.dumps(value).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = crossroads.receive(self.headers["Idempotency-Key"], body)
            if status is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self._reply(status, b"")

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            pass

    return Handler
