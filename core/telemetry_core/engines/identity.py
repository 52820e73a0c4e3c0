"""What somebody may do at an engine, as it says itself: by password, administrators' group and rights on System."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, StrEnum
from typing import TypeVar

import msgspec

from telemetry_core.config import Engine
from telemetry_core.engines import answers, refusals
from telemetry_core.engines.address import Address
from telemetry_core.errors import ConfigurationError, EngineError, EngineUnreachable
from telemetry_core.http import Answer
from telemetry_core.model import Clock
from telemetry_core.secret import Secret, basic

#: The groups whose members administer an engine: of Camunda and CIB seven, and of Operaton (facts §4.3).
ADMINISTRATORS = frozenset({"camunda-admin", "operaton-admin"})
T = TypeVar("T")

_SYSTEM = {"resourceName": "System", "resourceType": "21"}


class Right(StrEnum):
    """What one may do with telemetry; the words are the engine's permissions on its resource System (facts §4.3)."""

    READ = "READ"
    SET = "SET"


class Standing(Enum):
    """What an engine says of somebody."""

    STRANGER = "user or password is wrong"
    KNOWN = "known, without the right"
    ENTITLED = "known, with the right"
    ADMINISTRATOR = "member of the administrators' group, who may do everything"

    @property
    def may(self) -> bool:
        """Whether it includes the right that was asked for."""
        return self in (Standing.ENTITLED, Standing.ADMINISTRATOR)


class Verified(msgspec.Struct, frozen=True):
    """`POST /identity/verify`."""

    authenticated: bool


class Group(msgspec.Struct, frozen=True):
    """One of the groups of a user."""

    id: str


class Groups(msgspec.Struct, frozen=True):
    """`GET /identity/groups`."""

    groups: list[Group]


class Checked(msgspec.Struct, frozen=True):
    """`GET /authorization/check`."""

    authorized: bool


def standing(engine: Engine, user: str, password: Secret, right: Right, clock: Clock) -> Standing:
    """Ask an engine whether a password is a user's, and whether that user may do something (facts §4.1, §4.3).

    Everything is asked with the user's own credentials. Engines without a filter for authentication are open to
    everybody, but tell a right password from a wrong one; they cannot be asked for rights, only for groups.

    Args:
        engine: The entry; the first of its nodes that answers decides.
        user: The id that was given.
        password: The password that was given.
        right: What is wanted.
        clock: For the time limit, the entry's own.

    Raises:
        EngineError: No node answers as an engine does.
        ConfigurationError: The entry has no REST address, or its certificates cannot be used.
    """
    authorization = basic(user, password.reveal())
    failure: EngineError | None = None
    try:
        for address in engine.addresses:
            with Address(engine, address, clock, authorization) as node:
                try:
                    return _Asked(engine, node).standing(user, password, right)
                except EngineUnreachable as error:
                    failure = failure or error
    finally:
        authorization.forget()
        password.forget()
    if failure is not None:
        raise failure
    raise ConfigurationError(
        f"Engine {engine.entry} has no REST address, so that nobody can be asked for a password.",
        hint=f"Set engines.{engine.entry}.rest to its REST API.",
    )


class _Asked:
    """One node that is asked."""

    def __init__(self, engine: Engine, node: Address) -> None:
        self._engine = engine
        self._node = node

    def standing(self, user: str, password: Secret, right: Right) -> Standing:
        if not self._verified(user, password):
            return Standing.STRANGER
        found = self._answer("/identity/groups", {"userId": user}, Groups)
        if found is not None and any(group.id in ADMINISTRATORS for group in found.groups):
            return Standing.ADMINISTRATOR
        checked = self._answer("/authorization/check", {"permissionName": right, **_SYSTEM}, Checked)
        return Standing.ENTITLED if checked is not None and checked.authorized else Standing.KNOWN

    def _verified(self, user: str, password: Secret) -> bool:
        """A filter for authentication lets nobody through to the question itself who has a wrong password (401)."""
        body = msgspec.json.encode({"username": user, "password": password.reveal()})
        source = f"{self._node.root}/identity/verify"
        answer = self._node.ask(source, body=body)
        if answer.status == 401:
            return False
        if answer.status != 200:
            raise self._unexpected(answer, source)
        return answers.convert(answers.decode(answer.body, source), Verified, source).authenticated

    def _answer(self, path: str, query: Mapping[str, str], kind: type[T]) -> T | None:
        """None where the engine does not let this be asked: without a filter (401), or before 7.15 (400)."""
        source = self._node.root + path
        answer = self._node.ask(source, query)
        if answer.status >= 500:
            raise self._unexpected(answer, source)
        if answer.status != 200:
            return None
        return answers.convert(answers.decode(answer.body, source), kind, source)

    def _unexpected(self, answer: Answer, source: str) -> EngineError:
        return refusals.explain(self._engine, replace(answer, body=self._node.said(answer).encode()), source)
