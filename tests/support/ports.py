"""Ports of loopback for servers that tests start."""

from __future__ import annotations

import random
import socket
from itertools import cycle

_FIRST, _LAST = 15_000, 32_000
"""Below those that Linux gives to connections (32768 and above): one of them may take a port before its server does."""

_ports = cycle(range(_FIRST, _LAST))
for _ in range(random.randrange(_LAST - _FIRST)):  # where another run of the tests is elsewhere
    next(_ports)


def free_port() -> int:
    """A port on which nothing listens, and which was not given out just before."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is always a next one")
