"""Limits of time, size and number for clients, which uvicorn does not have: nobody keeps others out or fills memory."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from telemetry_web.taking import Taking

HEAD_SECONDS = 10
"""From the beginning of a connection, or the first byte of a request, until its head is whole."""

BODY_SECONDS = 40
"""From there until the request is whole; after 30 the application has told whoever is slow to try again."""

HEAD_LIMIT = 64 * 1024
"""Bytes of a head beside those that it began with, and of all its fields, with those after the body."""

FIELD = 256
"""Bytes of memory that each field of a head is counted for beside its own."""

AHEAD = 8
"""Requests that a client may have sent before an earlier one is answered; who sends more is cut off."""

MOST = 4096
"""Of connections; one more, and the one goes that nothing was done for the longest: who floods loses his own."""

_AT_ONCE = 32 * 1024
"""Bytes that are read before others have their turn."""

_OTHER_FILES = 64


class _Stage(Enum):
    """What is waited for, and how long."""

    HEAD = HEAD_SECONDS
    BODY = BODY_SECONDS
    NOTHING = 0


class Protocol(Taking, HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it by httptools, where a client that keeps us waiting is cut off without a word.

    Attributes:
        most: How many connections there may be.
        waiting: Those that nothing is done for, the longest first, each with what ends it; between two requests that is
            uvicorn's own limit.
    """

    most: ClassVar[int] = MOST
    waiting: ClassVar[dict[Protocol, asyncio.TimerHandle | None]] = {}

    _stage = _Stage.HEAD
    _awaited = _Stage.NOTHING
    _head_size = 0
    _fields_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin to wait for a request."""
        super().connection_made(transport)
        transport.max_size = _AT_ONCE  # type: ignore[attr-defined]  # the standard library's; without it, 256 KiB
        self._wait()
        if len(self.connections) > self.most:
            next(iter(self.waiting))._cut()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a request, and no more once it is whole, as it nearly always is at once."""
        was_in_head = self._stage is _Stage.HEAD
        if self._stage is _Stage.NOTHING:
            self._stage = _Stage.HEAD
        super().data_received(data)
        if self._stage is _Stage.NOTHING:
            self._wait_no_more()
            return
        if self._stage is _Stage.HEAD and was_in_head:
            self._head_size += len(data)
            if self._head_size > HEAD_LIMIT:
                self._cut()
                return
        if self._stage is not self._awaited:
            self._wait_no_more()
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._stage = _Stage.HEAD
        self._head_size = self._fields_size = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of it, or one after a body.

        Raises:
            ValueError: There are too many; httptools makes a request of it that is none.
        """
        self._fields_size += len(name) + len(value) + FIELD
        if self._fields_size > HEAD_LIMIT:
            raise ValueError("too many header fields")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """It is whole.

        Raises:
            ValueError: Too many wait already; it is no request, as above.
        """
        if len(self.pipeline) >= AHEAD:
            raise ValueError("too many requests")
        self._stage = _Stage.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """So is the body."""
        self._stage = _Stage.NOTHING
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Not while another request is being answered: it would be taken for the answer to that one."""
        is_new = self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # it is None at first
        if (is_new or self._stage is _Stage.BODY) and not self.pipeline:
            super().send_400_response(msg)
        else:
            self._cut()

    def on_response_complete(self) -> None:
        """Nothing is done for this connection now, unless there was more in what it has sent."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.waiting.setdefault(self, None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._awaited = self._stage
        self.waiting[self] = self.loop.call_later(self._stage.value, self._cut)

    def _wait_no_more(self) -> None:
        self._awaited = _Stage.NOTHING
        timer = self.waiting.pop(self, None)
        if timer is not None:
            timer.cancel()

    def _cut(self) -> None:
        self._wait_no_more()
        self.transport.abort()


def protocol(files: int) -> type[Protocol]:
    """The protocol of one server.

    Args:
        files: How many this process may open; connections are files.
    """
    most = min(MOST, max(files - _OTHER_FILES, 1))
    return type("Protocol", (Protocol,), {"most": most, "waiting": {}})
