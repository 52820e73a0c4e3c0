"""Clients that are slow on purpose, and how long a server puts up with them."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.support.waiting import until


def connect(port: int, *, source: str = "127.0.0.1") -> socket.socket:
    """A connection over which nothing was said yet."""
    return socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(source, 0))


def is_closed(connection: socket.socket) -> bool:
    """Whether the other side has ended it, without waiting; what it said before that is thrown away."""
    try:
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(65536):
                return True
    except OSError:
        return True
    return False


def seconds_until_closed(connections: Iterable[socket.socket], most: float) -> float:
    """How long it takes until all have been ended."""
    every = list(connections)
    begun = time.monotonic()
    until(lambda: all(map(is_closed, every)), "they are cut off", seconds=most)
    return time.monotonic() - begun


@contextmanager
def dripping(texts: Mapping[socket.socket, bytes]) -> Iterator[None]:
    """A byte a second of each text, over its connection, again and again."""
    stopped = threading.Event()

    def drip() -> None:
        place = 0
        while not stopped.wait(1):
            for connection, text in texts.items():
                with suppress(OSError):
                    connection.send(text[place % len(text) :][:1])
            place += 1

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
