"""The service itself: where it listens, and what it tends to beside requests; it runs until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from telemetry_collector import retention
from telemetry_collector.addresses import Keys
from telemetry_collector.desk import Desk
from telemetry_collector.writer import Opening, Writer
from telemetry_core import listening
from telemetry_core.config import Collector
from telemetry_core.errors import ConfigurationError, StoreError, TelemetryError
from telemetry_core.model import HOUR, Millis

_BACKLOG = 2048
_PLACE = "Name another place with --listen and --port, or end the program that listens there."
_IDLE_SECONDS = 75
_ENDING_SECONDS = 20
_LOOK_SECONDS = 1.0
_AFTER_BUG_SECONDS = 3600.0
_DAY = 24 * HOUR
_YOUNG = 5000
"""New objects after which those are looked for that hold one another; of requests there are many at once."""

_FEW_FILES = 512
"""Where the system does not say how many there may be."""


class Host(Opening, Desk, Protocol):
    """Who runs the service and its page."""


@dataclass(frozen=True, slots=True)
class Listening:
    """A service that could begin: its place is taken."""

    url: str
    socket: socket.socket


def listen(settings: Collector) -> Listening:
    """Take the place.

    Raises:
        ConfigurationError: It cannot be had, or what the service needs is not installed, or its page has no tokens.
        SecretExposed: Others can read the digests of tokens.
    """
    _require_libraries()
    if settings.token_file is not None:
        from telemetry_collector.page import pages

        pages.check(settings)
    taken = listening.bound(settings.listen, settings.port, hint=_PLACE, backlog=_BACKLOG)
    return Listening(f"http://{listening.authority(settings.listen, settings.port)}/pings", taken)


def run(place: Listening, settings: Collector, opening: Host, keys: Keys) -> None:
    """Receive reports until SIGTERM or SIGINT; what has arrived by then is still answered.

    Args:
        place: Where it listens.
        settings: Who is before it.
        opening: What opens the store, and runs the page.
        keys: Of the addresses.

    Raises:
        StoreError: The store cannot be opened.
    """
    import uvicorn

    from telemetry_collector import routes, slow
    from telemetry_collector.door import Door

    files = _allow_many_files()
    writer = Writer(opening, opening.store(again=False))
    keys.renew(opening.clock.now())
    life = routes.living(writer, _Tending(writer, opening, keys).tend)
    door = Door(settings, keys, opening.clock)
    application = routes.application(door, writer, life, routes.page_of(opening, settings, door, writer))
    config = uvicorn.Config(
        application,
        http=slow.protocol(files),
        loop="asyncio",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="critical",  # failures are told to the opening; what strangers send is no news
        access_log=False,  # it would have addresses
        proxy_headers=False,  # the door knows whom to believe
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_ENDING_SECONDS,
    )
    _shorten_pauses()
    uvicorn.Server(config).run(sockets=[place.socket])


class _Tending:
    """What is to be done from time to time: keys of addresses renewed, the fleet followed, old reports summed up."""

    def __init__(self, writer: Writer, opening: Opening, keys: Keys) -> None:
        self._writer = writer
        self._opening = opening
        self._keys = keys
        self._hashes_are_due = True
        self._is_key_trouble_said = False
        self._retained_on = -1

    @asynccontextmanager
    async def tend(self) -> AsyncIterator[None]:
        """Do it for as long as the block lasts."""
        task = asyncio.create_task(self._often())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _often(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self.tend_once()
            except StoreError:  # the writer has said it; what was not done is due still
                continue
            except Exception:  # noqa: BLE001  # whatever it is, reports are received, and it is tried again
                self._opening.note_bug()
                await asyncio.sleep(_AFTER_BUG_SECONDS)

    async def tend_once(self) -> None:
        """Do what is due.

        Raises:
            StoreError: Something could not be done.
        """
        now = self._opening.clock.now()
        self._renew(now)  # also while the store is away
        await self._writer.call(lambda store: store.look())  # commands beside it must not find the log of a lost file
        if self._hashes_are_due:
            gone, removed = self._keys.gone(now), self._keys.removed(now)
            self._hashes_are_due = not await self._writer.call(lambda store: store.hashes.forget(gone, removed))
        await self._writer.call(lambda store: store.fleet.follow())
        if self._retained_on != now // _DAY:
            while await self._writer.call(lambda store: retention.step(store, now)):
                pass
            if not await self._writer.call(lambda store: retention.is_due(store, now)):
                self._retained_on = now // _DAY

    def _renew(self, now: Millis) -> None:
        """Renew the keys. Where their file cannot be used that is said once, and those of before serve meanwhile."""
        try:
            self._hashes_are_due |= self._keys.renew(now)
            self._is_key_trouble_said = False
        except TelemetryError as problem:
            if not self._is_key_trouble_said:
                self._opening.note(problem)
            self._is_key_trouble_said = True


def _shorten_pauses() -> None:
    """Not look through what is there now, and stays, again and again for objects that hold one another."""
    gc.freeze()
    gc.set_threshold(_YOUNG)


def _allow_many_files() -> int:
    """As many as the system lets this process have, for connections; how many that are."""
    try:
        import resource
    except ImportError:
        return _FEW_FILES
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        now = most
    return sys.maxsize if now == resource.RLIM_INFINITY else now


def _require_libraries() -> None:
    try:
        import httptools  # noqa: F401  # said now, and not at the first request
        import starlette  # noqa: F401  # as above
        import uvicorn  # noqa: F401  # as above
    except ImportError:
        raise ConfigurationError(
            "What `telemetry collector serve` needs is not installed.",
            hint="Install it with: pip install 'telemetry-admin[serve]'",
        ) from None
