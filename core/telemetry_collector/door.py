"""Who is at the door: the hashes of where a request comes from; the address itself goes no further."""

from __future__ import annotations

from telemetry_collector import addresses
from telemetry_collector.addresses import Keys, Proxies
from telemetry_collector.intake import Origin
from telemetry_collector.limits import Buckets
from telemetry_collector.model import Refusal
from telemetry_core.config import Collector
from telemetry_core.model import Clock

_REMEMBERED = 4096
_NOBODY = "forwarded-by-nobody"
_THIS_HOST = ("127.", "::/")

NETWORK_RATE, NETWORK_BURST = 50, 5000
"""Requests of one address, or one network of IPv6, in a second, and at once after a rest: all engines of a company may
be behind one, and cron starts them in the same minute. This host has no such limit."""


class Door:
    """Looks at every request before its body is read.

    Attributes:
        header: In which proxies say where a request comes from.
    """

    def __init__(self, settings: Collector, keys: Keys, clock: Clock) -> None:
        self.header = settings.forwarded if settings.proxies else _NOBODY
        self._proxies = Proxies(settings.proxies)
        self._keys = keys
        self._clock = clock
        self._addresses: dict[tuple[str, str], str] = {}
        self._networks = Buckets(rate=NETWORK_RATE, burst=NETWORK_BURST)

    def origin(self, client: tuple[str, int] | None, forwarded: str) -> Origin | Refusal:
        """When a request has come, and where from; a refusal where too many came from there.

        Args:
            client: Who has connected.
            forwarded: What `header` says.
        """
        now = self._clock.now()
        address = self._address("" if client is None else client[0], forwarded)
        if not address.startswith(_THIS_HOST):
            seconds = self._networks.take(address, now)
            if seconds:
                return Refusal(429, "network", "Too many requests come from this network.", retry_after=seconds)
        return Origin(now, self._keys.hashes(address))

    def _address(self, peer: str, forwarded: str) -> str:
        found = self._addresses.get((peer, forwarded))
        if found is None:
            found = self._proxies.client(peer, addresses.hops(forwarded, self.header))
            if len(self._addresses) >= _REMEMBERED:
                self._addresses.clear()
            self._addresses[peer, forwarded] = found
        return found
