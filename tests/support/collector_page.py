"""The collector's page for tests: tokens in a file, somebody who has signed in, and waiting for the fleet."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.collecting import Collector
from tests.support.page import Seen, Visitor
from tests.support.program import Program

TOKEN = "token-of-grace-0123456789abcdef"
PATHS = ("/", "/installation?id=a", "/quarantine", "/sign-in", "/nothing")


def let_in(program: Program, *lines: str, more: str = "") -> None:
    """A configuration with tokens: lines as they stand in the file."""
    file = program.directory / "tokens"
    file.write_text("\n".join(lines or (line(),)) + "\n", encoding="utf-8")
    file.chmod(0o600)
    program.configure(f'[collector]\ntoken-file = "tokens"\n{more}')


def line(name: str = "grace", token: str = TOKEN, *entries: str) -> str:
    return " ".join([f"{name}: {hashlib.sha256(token.encode()).hexdigest()}", *entries])


@contextmanager
def visiting(collector: Collector, token: str = TOKEN, language: str = "en") -> Iterator[Visitor]:
    with Visitor(collector, language=language) as visitor:
        visitor.client.post("/sign-in", data={"token": token})
        yield visitor


def fleet(visitor: Visitor, *, lines: int) -> Seen:
    """The first page, once the fleet has so many installations: it is followed every second."""
    wait_until(lambda: visitor.look("/").html.count('<th scope="row">') >= lines)
    return visitor.look("/")


def wait_until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.2)
