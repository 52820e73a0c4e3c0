"""Who comes in to the page: whoever has a token; after wrong ones an address has to wait."""

from __future__ import annotations

from pathlib import Path

from telemetry_collector.limits import Buckets
from telemetry_core.model import Clock
from telemetry_web import tokens
from telemetry_web.page.sessions import Guest, Visit

ENTRY = "collector"
"""What a token that is not good for everything must be good for."""

SETTING = "collector.token-file"
WRONG, MINUTES = 5, 5
"""So many wrong tokens from an address, and then one for each minute."""

_LONGEST = 1000


class Tokens:
    """The tokens of a file, read anew each time, and the wrong ones that were tried, in memory of a fixed size."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._wrong = Buckets(rate=1 / 60, burst=WRONG, slots=4096)

    def guest(self, text: str, address: str) -> Guest | int | None:
        """Whose token a text is; None where it is nobody's, or the seconds until another one may be tried.

        Raises:
            ConfigurationError: The file cannot be used.
            SecretExposed: Others can read it.
        """
        now = self._clock.now()
        seconds = self._wrong.wait(address, now)
        if seconds:
            return seconds
        token = tokens.find(self._read(), text.strip()[:_LONGEST])
        if token is None:
            self._wrong.take(address, now)
            return None
        return Guest(token.name, may_switch=True, addresses=(token.digest,))

    def are_good(self, visit: Visit) -> bool:
        """Whether the token of a session is still in the file.

        Raises:
            ConfigurationError: The file cannot be used.
        """
        guest = visit.guests[ENTRY]
        return any((token.name, (token.digest,)) == (guest.user, guest.addresses) for token in self._read())

    def _read(self) -> tuple[tokens.Token, ...]:
        return tuple(one for one in tokens.read(self._path, setting=SETTING) if one.is_good_for(ENTRY))
