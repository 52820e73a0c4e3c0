"""Who is at the door: the hashes of where a request comes from; the address itself goes no further."""

from __future__ import annotations

from telemetry_collector import addresses
from telemetry_collector.addresses import Keys, Proxies
from telemetry_collector.intake import Origin
from telemetry_core.config import Collector
from telemetry_core.model import Clock

_REMEMBERED = 4096
_NOBODY = "forwarded-by-nobody"


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

    def origin(self, client: tuple[str, int] | None, forwarded: str) -> Origin:
        """When a request has come, and where from.

        Args:
            client: Who has connected.
            forwarded: What `header` says.
        """
        return Origin(
            self._clock.now(), self._keys.hashes(self._address("" if client is None else client[0], forwarded))
        )

    def _address(self, peer: str, forwarded: str) -> str:
        found = self._addresses.get((peer, forwarded))
        if found is None:
            found = self._proxies.client(peer, addresses.hops(forwarded, self.header))
            if len(self._addresses) >= _REMEMBERED:
                self._addresses.clear()
            self._addresses[peer, forwarded] = found
        return found
