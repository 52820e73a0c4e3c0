"""What every piece of work needs: configuration, store and clock, and the consent of now that follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core import consent, wire
from telemetry_core.config import Config, Engine
from telemetry_core.consent import Consent
from telemetry_core.errors import UnknownEngine
from telemetry_core.model import Clock, Decision, State
from telemetry_core.store import Store

FIRST_RUN = "first-run"

#: The names of all fields that consent is asked for.
FIELDS = (*wire.ALWAYS, *wire.FIELDS)


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the program over one store.

    Attributes:
        passing: Whether the store goes with its container.
        supposed: Decisions that count as made, though nobody has recorded them: to see what would follow.
    """

    config: Config
    store: Store
    clock: Clock
    passing: bool = False
    supposed: tuple[Decision, ...] = ()

    def consent(self, entry: str) -> Consent:
        """The consent of now for an engine's entry, read anew from the store at each call.

        Before the first run of a store it is what `initialize-telemetry` will make of it.

        Raises:
            StoreDamaged: The consent's history is not as it was written.
        """
        planned = self.first_run_decision(entry)
        return self._decide(entry, [] if planned is None else [planned])

    def recorded_consent(self, entry: str) -> Consent:
        """The consent without what the first run will decide."""
        return self._decide(entry, [])

    def first_run_decision(self, entry: str, user: str = "") -> Decision | None:
        """What the first run decides for an entry by `initialize-telemetry`; None where it decides nothing (any more).

        What somebody has decided stands, before the first run too.
        """
        wanted, endpoint = self.config.initialize_telemetry, self.config.endpoint
        if wanted is None or self.store.lost_at is not None or self.store.properties.get("", FIRST_RUN) is not None:
            return None
        if self.recorded_consent(entry).decision is not None:
            return None
        return Decision(
            engine=entry,
            state=State.ENABLED if wanted else State.DISABLED,
            requests=True,
            decided_at=self.clock.now(),
            decided_by=user,
            how="first run",
            fields=FIELDS if wanted else (),
            endpoint=endpoint.origin if wanted and endpoint is not None else None,
        )

    def _decide(self, entry: str, planned: list[Decision]) -> Consent:
        history = [*planned, *self.store.consents.history(), *self.supposed]
        lost = self.store.lost_at is not None
        return consent.decide(self.config, entry, history, passing=self.passing, lost=lost)

    def group(self, engine: Engine) -> tuple[Engine, ...]:
        """All configured entries that showed the same installation as an engine at the last contact, with itself."""
        contact = self.store.contacts.get(engine.entry)
        return (engine,) if contact is None else self.sharing(contact.installation) or (engine,)

    def installation(self, engine: Engine) -> str | None:
        """The installation of an engine's entry: of the last contact, else as configured; None where neither says."""
        contact = self.store.contacts.get(engine.entry)
        return engine.installation if contact is None else contact.installation

    def sharing(self, installation: str) -> tuple[Engine, ...]:
        """All configured entries that showed an installation at the last contact, in the configured order."""
        contacts = ((engine, self.store.contacts.get(engine.entry)) for engine in self.config.engines)
        return tuple(
            engine for engine, contact in contacts if contact is not None and contact.installation == installation
        )

    def consent_of(self, group: tuple[Engine, ...]) -> Consent:
        """The consent for entries with one installation: permitted only if each permits, withheld is the union."""
        return consent.strictest([self.consent(engine.entry) for engine in group])

    def recorded_consent_of(self, group: tuple[Engine, ...]) -> Consent:
        """The same without what the first run will decide."""
        return consent.strictest([self.recorded_consent(engine.entry) for engine in group])

    def engines(self, patterns: tuple[str, ...]) -> tuple[Engine, ...]:
        """The configured engines whose entry matches one of some names or globs; all of them without any.

        Raises:
            UnknownEngine: A name or glob that matches none.
        """
        return matching(self.config.engines, patterns)


def matching(configured: tuple[Engine, ...], patterns: tuple[str, ...]) -> tuple[Engine, ...]:
    """Those of some engines whose entry matches one of some names or globs; all of them without any.

    Raises:
        UnknownEngine: A name or glob that matches none.
    """
    from fnmatch import fnmatchcase

    for pattern in patterns:
        if not any(fnmatchcase(engine.entry, pattern) for engine in configured):
            names = ", ".join(engine.entry for engine in configured) or "none"
            raise UnknownEngine(f"No engine is called {pattern!r}.", hint=f"Configured are: {names}.")
    if not patterns:
        return configured
    return tuple(engine for engine in configured if any(fnmatchcase(engine.entry, pattern) for pattern in patterns))
