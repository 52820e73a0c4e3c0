"""Limits of time and number for clients, which uvicorn does not have: nobody keeps a connection by being slow."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from telemetry_web.taking import Taking

ASKING_SECONDS = 10
"""From the beginning of a connection, or the first byte of a request, until the request is whole."""

MOST = 400
"""Of connections; more are closed at once, before files run out. (Over half of them requests are answered with 503.)"""

LINES = 1000
"""Of what comes at once; each takes time that others wait for, as a field, a piece of a body or a part of a head."""

_HANDSHAKE_SECONDS = 10
_WHOLE = (h11.DONE, h11.MUST_CLOSE)


class Protocol(Taking, H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, where a client that keeps us waiting is cut off without a word."""

    _asking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for a request."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
            return
        self._asking = self.loop.call_later(ASKING_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request from its first byte on, and no more once it is whole."""
        if data.count(b"\n") > LINES:
            self.transport.abort()
            return
        if self._asking is None:
            self._asking = self.loop.call_later(ASKING_SECONDS, self.transport.abort)
        super().data_received(data)
        if self.conn.their_state in _WHOLE:
            self._asking.cancel()
            self._asking = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        if self._asking is not None:
            self._asking.cancel()
        super().connection_lost(exc)


class Loop(asyncio.SelectorEventLoop):
    """The loop of the standard library; who connects by TLS has less time to agree on it than the usual minute."""

    async def create_server(self, *arguments: Any, **named: Any) -> asyncio.Server:
        """As the standard library's."""
        if named.get("ssl") is not None:
            named["ssl_handshake_timeout"] = _HANDSHAKE_SECONDS
        return await super().create_server(*arguments, **named)
