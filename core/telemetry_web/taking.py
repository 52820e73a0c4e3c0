"""A client that does not take its answers is cut off, in whichever of uvicorn's protocols."""

from __future__ import annotations

import asyncio

TAKING_SECONDS = 30
"""Until a client has taken an answer that is ready."""


class Taking(asyncio.Protocol):
    """Stands before one of uvicorn's protocols, whose loop and transport it uses."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Have ourselves told of whatever is not taken."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=1)

    def pause_writing(self) -> None:
        """Begin to wait until an answer is taken."""
        super().pause_writing()
        self._taking = self.loop.call_later(TAKING_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It was."""
        super().resume_writing()
        self._wait_no_longer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def _wait_no_longer(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
