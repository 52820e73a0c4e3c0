"""Who comes in to the REST API, and what for: users by the password that their engine knows, machines by tokens."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

from starlette.responses import Response

from telemetry_core.config import Engine, Serve
from telemetry_core.engines.identity import Right, Standing
from telemetry_core.secret import Secret
from telemetry_web import answers, tokens
from telemetry_web.passwords import Attempt, Passwords, Wait


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may do what was asked for; `name` is for the record."""

    name: str


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at the door.

    Attributes:
        engine: The entry that it is about.
        right: What it wants to do there.
        authorization: The header of that name, empty without one.
        address: Where it comes from.
    """

    engine: Engine
    right: Right
    authorization: str
    address: str


def admit(passwords: Passwords, settings: Serve, knock: Knock) -> Visitor | Response:
    """Who it is, or what is answered instead.

    Raises:
        EngineError: The engine does not answer as one does.
        ConfigurationError: The engine cannot be asked for a password, or the file with the tokens cannot be used.
    """
    kind, _, word = knock.authorization.partition(" ")
    if kind.lower() == "bearer" and settings.token_file is not None:
        token = tokens.find(tokens.read(settings.token_file), word.strip())
        if token is not None and token.is_good_for(knock.engine.entry):
            return Visitor(f"token {token.name}")
    if kind.lower() == "basic":
        user, password = _credentials(word)
        return _by_password(passwords, Attempt(knock.engine, user, Secret(password), knock.right, knock.address))
    return answers.stranger(knock.engine.entry)


def _by_password(passwords: Passwords, attempt: Attempt) -> Visitor | Response:
    found = passwords.ask(attempt)
    if isinstance(found, Wait):
        return answers.slowed_down(found.seconds, is_crowded=found.is_crowded)
    if found is Standing.STRANGER:
        return answers.stranger(attempt.engine.entry)
    return Visitor(attempt.user) if found.may else answers.not_entitled(attempt.right)


def _credentials(word: str) -> tuple[str, str]:
    """User and password of HTTP Basic; empty where they are none."""
    try:
        user, _, password = b64decode(word.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return user, password
