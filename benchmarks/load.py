"""A load on an engine that does not wait for it: process instances start when they are due, however slow it is."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_PATH = "/engine-rest/process-definition/key/order/start"


@dataclass(frozen=True)
class Start:
    """One process instance; `seconds` are from when it was due to the end of the answer, with all waiting before it."""

    due: float
    seconds: float


class Load:
    """So many starts a second, evenly, from `with` to its end.

    Args:
        port: Of an engine on loopback.
        rate: Starts a second.
        connections: How many can be on their way at once.
    """

    def __init__(self, port: int, rate: float, connections: int = 16) -> None:
        self.starts: list[Start] = []
        self._port = port
        self._rate = rate
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(connections)]
        self._begun = 0.0
        self._failures: list[str] = []

    def __enter__(self) -> Self:
        self._begun = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        assert not self._failures, self._failures[0]

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        for number in self._numbers:  # each is given to one thread: the interpreter's lock sees to that
            due = self._begun + number / self._rate
            if self._over.wait(max(due - time.monotonic(), 0)):
                break
            connection.request("POST", _PATH, b"{}", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            self.starts.append(Start(due, time.monotonic() - due))
            if answer.status != 200:
                self._failures.append(f"{answer.status} {body[:300]!r}")
        connection.close()
