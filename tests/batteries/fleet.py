"""Reporters that send to a collector at once, and what they were told: the books by which the collector is judged."""

from __future__ import annotations

import http.client
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from tests.batteries.tally import Verdict
from tests.support.collecting import Collector, exported, report
from tests.support.program import Program

_START = "2026-11-23T23:00:08.920Z"
_PATIENCE = 60.0
TOGETHER = 5
"""Reports of a batch."""


@dataclass(frozen=True)
class Sent:
    """One report; without a key it is an engine's own."""

    installation: str
    key: str | None

    @property
    def body(self) -> bytes:
        return report(installation=self.installation, start=_START)


@dataclass
class Books:
    """What was acknowledged and in which round, what nobody has answered, and what was answered as nobody should.

    Attributes:
        refused: How many were told to come again.
    """

    acknowledged: dict[str, int] = field(default_factory=dict)
    unanswered: list[tuple[Sent, ...]] = field(default_factory=list)
    refused: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def judged(self, program: Program, rounds: int) -> list[Verdict]:
        """For each round what is missing in the export, and what counts there more than once."""
        counted = Counter(
            one["report"]["installation"]
            for one in exported(program)
            if not one["duplicate"] and not one["quarantined"]
        )
        lost, doubled = [0] * rounds, [0] * rounds
        for installation, number in self.acknowledged.items():
            lost[number] += counted[installation] == 0
            doubled[number] += counted[installation] > 1
        verdicts = [Verdict(*one) for one in zip(lost, doubled, strict=True)]
        unknown = {one.installation for some in self.unanswered for one in some}
        strange = [name for name, count in counted.items() if name not in self.acknowledged and name not in unknown]
        wrong = [f"{text}: {count}" for text, count in self.wrong.items()]
        if strange or wrong:
            verdicts[-1] = Verdict(lost[-1], doubled[-1], 0, f"{wrong} never acknowledged: {strange[:3]}")
        return verdicts


class Fleet:
    """So many reporters, each with one connection, as long as the block lasts.

    Args:
        port: Of the collector.
        books: Where they write what they are told; what was not answered is sent again first.
        number: Of the round.
        chance: For the reports.
        reporters: How many.
    """

    def __init__(self, port: int, books: Books, number: int, chance: random.Random, reporters: int = 8) -> None:
        self._port = port
        self._books = books
        self._round = number
        self._over = threading.Event()
        self._lock = threading.Lock()
        seeds = [chance.random() for _ in range(reporters)]
        self._threads = [threading.Thread(target=self._report, args=(random.Random(seed),)) for seed in seeds]

    def __enter__(self) -> Fleet:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _report(self, chance: random.Random) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE)
        while not self._over.is_set():
            with self._lock:
                some = self._books.unanswered.pop() if self._books.unanswered else _new(chance)
            try:
                status, answer = _asked(connection, some)
            except (OSError, http.client.HTTPException):
                connection.close()
                self._note(some, None, {})
                if self._over.wait(0.02):
                    break
            else:
                self._note(some, status, answer)
                if status == 503 and self._over.wait(0.05):
                    break
        connection.close()

    def _note(self, some: tuple[Sent, ...], status: int | None, answer: dict[str, Any]) -> None:
        receipts = answer.get("receipts", [answer])
        with self._lock:
            if status == 202:
                for one, receipt in zip(some, receipts, strict=True):
                    self._books.acknowledged.setdefault(one.installation, self._round)
                    if one.key is not None and receipt["id"] != one.key:
                        self._books.wrong["another id"] += 1
                return
            self._books.unanswered.append(some)
            if status == 503:
                self._books.refused += 1
            elif status is not None:
                self._books.wrong[f"{status} {answer}"[:200]] += 1


def _new(chance: random.Random) -> tuple[Sent, ...]:
    """One report, of five an engine's own, or a batch."""

    def name() -> str:
        return str(UUID(int=chance.getrandbits(128), version=4))

    kind = chance.randrange(10)
    if kind == 0:
        return tuple(Sent(name(), name()) for _ in range(TOGETHER))
    return (Sent(name(), None if kind < 3 else name()),)


def _asked(connection: http.client.HTTPConnection, some: tuple[Sent, ...]) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    if len(some) == 1:
        if some[0].key is not None:
            headers["Idempotency-Key"] = some[0].key
        connection.request("POST", "/pings", some[0].body, headers)
    else:
        reports = [{"id": one.key, "report": json.loads(one.body)} for one in some]
        connection.request("POST", "/pings/batch", json.dumps({"reports": reports}).encode(), headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status == 503 and not int(answer.headers.get("Retry-After", "0")):
        return 500, {"detail": "503 that does not say when to come again"}
    return answer.status, json.loads(body)


def settled(program: Program, books: Books, number: int) -> None:
    """Send what nobody has answered once more; nothing is in the way now."""
    with Collector(program) as collector:
        connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=_PATIENCE)
        for some in books.unanswered:
            status, answer = _asked(connection, some)
            if status == 202:
                books.acknowledged |= {one.installation: number for one in some}
            else:
                books.wrong[f"{status} {answer}"[:200]] += 1
        books.unanswered = []
        connection.close()


@contextmanager
def place(parent: Path | None = None) -> Iterator[Program]:
    """The program with a directory of its own and an empty configuration, with a bug where one was planted."""
    with TemporaryDirectory(dir=parent) as name:
        program = Program(Path(name))
        program.config.touch()
        program.variables = planted()
        yield program


def planted() -> dict[str, str]:
    """The variables of a child that finds code with a bug, where this process does."""
    return {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
