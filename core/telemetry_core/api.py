"""The Python API: the calls of the engine's `ManagementService` that were about telemetry (user guide, Java/Rest API).

Each takes a session, and the name of an engine's entry where more than one is configured and none is called `default`.
"""

from __future__ import annotations

from telemetry_core import administration, reporting
from telemetry_core import license as licenses
from telemetry_core.administration import Author, Decided
from telemetry_core.config import Config, Engine
from telemetry_core.errors import LicenseRefused, UnknownEngine
from telemetry_core.model import License, Payload
from telemetry_core.reporting import Session
from telemetry_core.secret import Secret

_DEFAULT = "default"


def toggle_telemetry(
    session: Session,
    enabled: bool,
    *,
    user: str,
    engine: str | None = None,
    authorized_by: str | None = None,
    reason: str | None = None,
) -> Decided:
    """Enable telemetry for an engine, or disable it; recorded as decided by way of Python, without the note shown.

    Enabling reads the engine and takes the base, so that nothing counted before ever leaves. Disabling asks nobody.

    Args:
        session: Where it is recorded.
        enabled: What is decided.
        user: Who decides, for the record.
        engine: The entry.
        authorized_by: On whose authority, for the record.
        reason: Why, for the record.

    Raises:
        UnknownEngine: There is no such entry, or several and none was named.
        EndpointMissing: It is enabled, and there is nowhere to send reports to.
        EngineError: It is enabled, and the engine does not answer; nothing was changed.
        DecidedMeanwhile: It is enabled, and somebody has disabled it while the engine was read; nothing was changed.
    """
    author = Author(user, "Python", authorized_by=authorized_by, reason=reason)
    chosen = entry_of(session.config, engine)
    if enabled:
        return administration.enable(session, chosen, author)
    return administration.disable(session, chosen, author)


def is_telemetry_enabled(session: Session, *, engine: str | None = None) -> bool | None:
    """What was decided last for an engine; None where nobody has decided. Asks nobody.

    Raises:
        UnknownEngine: There is no such entry, or several and none was named.
    """
    return session.consent(entry_of(session.config, engine).entry).state.flag


def get_telemetry_data(session: Session, *, engine: str | None = None) -> Payload:
    """What telemetry has of an engine by now: its environment, and the counts since the last report.

    Reads the engine and changes nothing. What is None is unknown; without consent there are no counts. `withheld` names
    what reports leave out.

    Raises:
        UnknownEngine: There is no such entry, or several and none was named.
        EngineError: The engine does not answer.
    """
    return reporting.collected(session, entry_of(session.config, engine))


def set_license_key(session: Session, license_key: str, *, user: str, engine: str | None = None) -> None:
    """Keep a licence for the reports: its raw text alone, without signature and header (user guide, General Data).

    `telemetry license set` and the administration page keep customer, end and features too. The engine is read, and the
    installation that it shows has the licence; where it does not answer, the one that is known so far.

    Args:
        session: Where it is kept.
        license_key: The whole key, as it was received.
        user: Who sets it, for the record.
        engine: The entry.

    Raises:
        LicenseRefused: It is no licence, it cannot be told what of it is its signature, or it has no raw text.
        UnknownEngine: There is no such entry, or several and none was named.
        EngineError: The installation is not known yet, and the engine does not say it; nothing was changed.
        ConfigurationError: The engine's credentials cannot be used; nothing was changed.
    """
    raw = licenses.parse(Secret(license_key)).raw
    if raw is None:
        raise LicenseRefused("This licence has no raw text.", hint="`telemetry license set` keeps what else it holds.")
    administration.set_license(session, entry_of(session.config, engine), License(raw=raw), user)


def get_license_key(session: Session, *, engine: str | None = None) -> str | None:
    """The raw text of the licence that was set here, without its signature; None where none was. Asks nobody.

    Raises:
        UnknownEngine: There is no such entry, or several and none was named.
    """
    kept = administration.licensed(session, entry_of(session.config, engine)).kept
    return None if kept is None else kept.license.raw


def delete_license_key(session: Session, *, engine: str | None = None) -> bool:
    """Forget the licence that was set here; whether there was one. The engine's own key is reported as before.

    Raises:
        UnknownEngine: There is no such entry, or several and none was named.
    """
    return administration.remove_license(session, entry_of(session.config, engine)).changed


def entry_of(config: Config, name: str | None) -> Engine:
    """The entry of a name; without one the entry called `default`, or the only one there is.

    Raises:
        UnknownEngine: There is none.
    """
    engines = {engine.entry: engine for engine in config.engines}
    if name is None and len(engines) == 1:
        return config.engines[0]
    if (name or _DEFAULT) in engines:
        return engines[name or _DEFAULT]
    wrong = f"No engine is called {name!r}." if name is not None else "It is not said which engine is meant."
    raise UnknownEngine(wrong, hint=f"Configured are: {', '.join(engines) or 'none'}.")
