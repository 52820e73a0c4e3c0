"""A server on loopback in a thread of its own, for the doubles of engines and receivers."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class LoopbackServer(ThreadingHTTPServer):
    """A server whose clients may go away at any moment."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what is wrong with the server, not with the other side."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the library's type is private


class Served:
    """What answers at a free port from `with` to its end."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._server = LoopbackServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Answer no more, as a server that has ended; nothing listens there any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
