"""Who is at the door: the hashes of where a request comes from; the address itself goes no further."""

from __future__ import annotations

from starlette.requests import Request

from telemetry_collector import addresses
from telemetry_collector.addresses import Keys, Proxies
from telemetry_collector.intake import Origin
from telemetry_core.config import Collector
from telemetry_core.model import Clock


class Door:
    """Looks at every request before its body is read."""

    def __init__(self, settings: Collector, keys: Keys, clock: Clock) -> None:
        self._proxies = Proxies(settings.proxies)
        self._header = settings.forwarded if settings.proxies else ""
        self._keys = keys
        self._clock = clock

    def origin(self, request: Request) -> Origin:
        """When a request has come, and where from."""
        peer = "" if request.client is None else request.client.host
        said = ",".join(request.headers.getlist(self._header)) if self._header else ""
        address = self._proxies.client(peer, addresses.hops(said, self._header))
        return Origin(self._clock.now(), self._keys.hashes(address))
