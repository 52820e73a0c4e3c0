"""Who is at the door: the hashes of where a request comes from, and who comes too often; no address goes further."""

from __future__ import annotations

from telemetry_collector import addresses
from telemetry_collector.addresses import Keys, Proxies
from telemetry_collector.intake import Origin
from telemetry_collector.limits import Buckets
from telemetry_collector.model import Refusal, Submission
from telemetry_core.config import Collector, Rate
from telemetry_core.model import Clock

_REMEMBERED = 4096
_LONGEST = 200
"""Characters of a header that is remembered."""

_NOBODY = "forwarded-by-nobody"
_THIS_HOST = ("127.", "::/")


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
        self._networks = _buckets(settings.network_limit)
        self._installations = _buckets(settings.installation_limit)
        self._all = _buckets(settings.total_limit, slots=1)

    def origin(self, client: tuple[str, int] | None, forwarded: str) -> Origin | Refusal:
        """When a request has come, and where from; a refusal where too many came from there.

        Args:
            client: Who has connected.
            forwarded: What `header` says.
        """
        now = self._clock.now()
        address = self.address(client, forwarded)
        seconds = 0 if address.startswith(_THIS_HOST) else self._networks.take(address, now)
        return _of_network(seconds) if seconds else Origin(now, self._keys.hashes(address))

    def batch(self, client: tuple[str, int] | None, forwarded: str, count: int) -> Refusal | None:
        """Whether a request that was let in has more reports than may come from there; else they are counted.

        Its first report is counted by its request. It is let in whole where its network owes nothing, so that one that
        is larger than a burst is not refused for ever; what comes after it waits until that is paid.

        Args:
            client: Who has connected.
            forwarded: What `header` says.
            count: How many reports there are.
        """
        address = self.address(client, forwarded)
        seconds = 0 if address.startswith(_THIS_HOST) else self._networks.owe(address, self._clock.now(), count - 1)
        return _of_network(seconds) if seconds else None

    def refused(self, submission: Submission) -> Refusal | None:
        """Whether a report comes on top of what one installation, or all together, may send."""
        now, installation = submission.received_at, submission.installation
        seconds = self._installations.take(installation, now)  # of all that do not know theirs as of one
        if seconds:
            return Refusal(429, "installation", "Too many reports of this installation come.", retry_after=seconds)
        seconds = self._all.take("", now)
        return Refusal(429, "total", "Too many reports come.", retry_after=seconds) if seconds else None

    def address(self, client: tuple[str, int] | None, forwarded: str) -> str:
        """The canonical address of whoever asks, of IPv6 its network; empty where that is not known."""
        asks = "" if client is None else client[0], "" if self.header == _NOBODY else forwarded
        found = self._addresses.get(asks)
        if found is None:
            found = self._proxies.client(asks[0], addresses.hops(asks[1], self.header))
            if len(self._addresses) >= _REMEMBERED:
                self._addresses.clear()
            if len(asks[1]) <= _LONGEST:
                self._addresses[asks] = found
        return found


def _of_network(seconds: int) -> Refusal:
    return Refusal(429, "network", "Too many reports come from this network.", retry_after=seconds)


def _buckets(limit: Rate, slots: int = 65536) -> Buckets:
    return Buckets(rate=limit.per_second, burst=limit.burst, slots=slots)
