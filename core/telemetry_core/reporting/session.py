"""What every piece of work needs: configuration, store and clock, and the consent of now that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core import consent
from telemetry_core.config import Config, Engine
from telemetry_core.consent import Consent
from telemetry_core.errors import UnknownEngine
from telemetry_core.model import Clock
from telemetry_core.store import Store


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the program over one store."""

    config: Config
    store: Store
    clock: Clock

    def consent(self, entry: str) -> Consent:
        """The consent of now for an engine's entry, read anew from the store at each call.

        Raises:
            StoreDamaged: The consent's history is not as it was written.
        """
        return consent.decide(self.config, entry, self.store.consents.history())

    def engines(self, patterns: tuple[str, ...]) -> tuple[Engine, ...]:
        """The configured engines whose entry matches one of some names or globs; all of them without any.

        Raises:
            UnknownEngine: A name or glob that matches none.
        """
        from fnmatch import fnmatchcase

        configured = self.config.engines
        for pattern in patterns:
            if not any(fnmatchcase(engine.entry, pattern) for engine in configured):
                names = ", ".join(engine.entry for engine in configured) or "none"
                raise UnknownEngine(f"No engine is called {pattern!r}.", hint=f"Configured are: {names}.")
        if not patterns:
            return configured
        return tuple(engine for engine in configured if any(fnmatchcase(engine.entry, pattern) for pattern in patterns))
