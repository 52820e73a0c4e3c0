"""Where a server listens: its place is taken before it begins, so that a place that is taken already is an error."""

from __future__ import annotations

import socket

from telemetry_core.errors import ConfigurationError


def authority(listen: str, port: int) -> str:
    """Address and port as in a URL (RFC 3986 §3.2): `127.0.0.1:8470`, `[::1]:8470`."""
    return f"[{listen}]:{port}" if ":" in listen else f"{listen}:{port}"


def bound(listen: str, port: int, *, hint: str, backlog: int | None = None) -> socket.socket:
    """A socket that listens.

    Args:
        listen: An address, or a name that has one.
        port: The port.
        hint: What to do where it cannot be had.
        backlog: How many may wait to be accepted; None for the system's usual number.

    Raises:
        ConfigurationError: It cannot be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(listen, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        taken = socket.create_server(address, family=family, backlog=backlog)
        # What it accepts has this from it; asyncio sets it for its own sockets alone, and an answer's body would wait
        # 40 ms for the other side to confirm its head.
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise ConfigurationError(
            f"Nothing can listen at {listen}, port {port}: {error.strerror or error}.", hint=hint
        ) from error
    return taken
