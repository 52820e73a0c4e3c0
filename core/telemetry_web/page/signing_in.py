"""Signing in: the engine says whether a password is right, and what its user may do here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telemetry_core.config import Config, Engine
from telemetry_core.engines.identity import Right, Standing
from telemetry_core.errors import EngineError, TelemetryError
from telemetry_core.secret import Secret
from telemetry_web.page.sessions import Guest
from telemetry_web.passwords import Attempt, Passwords, Wait

WRONG = "User or password is wrong."
NOT_ENTITLED = "This user may not see telemetry: it takes an administrator of the engine, or READ on resource System."
UNREACHABLE = "The engine does not answer, so that nobody can be let in now. Try again later."
CLOSED = "The engine cannot be asked for a password; `telemetry config check` says more on the server."
WAIT = "Too many wrong passwords. Try again in {seconds} seconds."
CROWDED = "Too many passwords are being checked at once. Try again in {seconds} seconds."


class Refused(Exception):
    """Nobody was let in; the message says why, for people.

    Attributes:
        status: Of the answer (RFC 9110).
        wait: Seconds until the next attempt, 0 where it may be at once.
    """

    def __init__(self, message: str, status: int, *, wait: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Came:
    """Somebody at the sign-in, with the form that was filled in."""

    config: Config
    form: Mapping[str, str]
    address: str


def sign_in(passwords: Passwords, came: Came) -> tuple[Engine, Guest]:
    """At which engine, and who it is.

    Only the engine that was chosen is asked, or the only one where the form names none: a password is never shown to
    another one.

    Raises:
        Refused: The password is wrong, the user has no right here, or the engine cannot be asked.
    """
    engine = _chosen(came)
    if engine is None:
        raise Refused(WRONG, 403)
    user, password = came.form.get("user", ""), Secret(came.form.get("password", ""))
    try:
        found = passwords.ask(Attempt(engine, user, password, Right.READ, came.address))
    except EngineError:
        raise Refused(UNREACHABLE, 503) from None
    except TelemetryError:  # what is wrong with the configuration is not for strangers
        raise Refused(CLOSED, 500) from None
    if isinstance(found, Wait):
        message = CROWDED if found.is_crowded else WAIT
        raise Refused(message.format(seconds=found.seconds), 429, wait=found.seconds)
    if found is Standing.STRANGER:
        raise Refused(WRONG, 403)
    if not found.may:
        raise Refused(NOT_ENTITLED, 403)
    return engine, Guest(user, found is Standing.ADMINISTRATOR, addresses_of(engine))


def _chosen(came: Came) -> Engine | None:
    engines, name = came.config.engines, came.form.get("engine")
    if not name:
        return engines[0] if len(engines) == 1 else None
    return next((engine for engine in engines if engine.entry == name), None)


def addresses_of(engine: Engine) -> tuple[str, ...]:
    """What makes an entry another engine's, if it changes."""
    return (*map(str, engine.addresses), engine.name or "")
