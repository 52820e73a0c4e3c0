"""Licences that an administrator sets here: kept per installation, never with their signature, reported on consent."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core.config import Engine
from telemetry_core.errors import EngineError
from telemetry_core.model import KeptLicense, License
from telemetry_core.reporting import Session, observe


@dataclass(frozen=True, slots=True)
class Licensed:
    """The licence of an engine's entry as it is now.

    Attributes:
        engine: The entry.
        installation: Whose licence it is; None where no contact and no configuration has said it yet.
        kept: What was set here; None where nothing was.
        changed: Whether the call has changed it.
        is_read: Whether the engine itself has said at this call which installation it is.
    """

    engine: str
    installation: str | None
    kept: KeptLicense | None
    changed: bool = False
    is_read: bool = False


def set_license(session: Session, engine: Engine, license_key: License, user: str) -> Licensed:
    """Keep a licence for the installation of an entry; its next periodic report carries it (user guide, General Data).

    The engine is read, which is kept as any reading: it may show another installation than before, as on a database
    that was made anew. Where it does not answer, the installation that is known so far has the licence.

    Args:
        session: Where it is kept.
        engine: The entry; others with the same installation have the licence too.
        license_key: As `license.parse` gives it, hence without a signature.
        user: Who sets it.

    Raises:
        EngineError: The installation is not known yet, and the engine does not say it; nothing was changed.
        ConfigurationError: The engine's credentials cannot be used; nothing was changed.
    """
    installation, is_read = _installation(session, engine)
    kept = KeptLicense(license_key, session.clock.now(), user)
    session.store.licenses.put(installation, kept)
    return Licensed(engine.entry, installation, kept, changed=True, is_read=is_read)


def _installation(session: Session, engine: Engine) -> tuple[str, bool]:
    """The installation that an entry shows, and whether it was read; else the one that is known so far."""
    before = session.installation(engine)
    try:
        seen = observe(session, session.group(engine), keep=True)
    except EngineError:
        if before is None:
            raise
        return before, False
    if engine.entry in seen.engines or before is None:
        return seen.installation, True
    now = session.installation(engine) or before  # others of its installation have answered; it may have moved
    return now, now != before


def licensed(session: Session, engine: Engine) -> Licensed:
    """What was set here for an entry's installation; asks nobody."""
    installation = session.installation(engine)
    kept = None if installation is None else session.store.licenses.get(installation)
    return Licensed(engine.entry, installation, kept)


def remove_license(session: Session, engine: Engine) -> Licensed:
    """Forget the licence of an entry's installation; a key that the engine itself has is reported as before."""
    with session.store.transaction():
        before = licensed(session, engine)
        if before.installation is not None and before.kept is not None:
            session.store.licenses.remove(before.installation)
    return Licensed(engine.entry, before.installation, None, changed=before.kept is not None)
