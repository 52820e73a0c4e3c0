"""A simulated engine with users, groups and permissions, with or without a filter before its REST API."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass

from tests.support.simulated_engine import Answer, Asked, SimulatedEngine


@dataclass(frozen=True)
class User:
    """One user of it."""

    password: str
    groups: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


class GuardedEngine(SimulatedEngine):
    """It answers `/identity/verify`, `/identity/groups` and `/authorization/check` as the real ones do.

    Args:
        users: By their ids.
        filtered: Whether HTTP Basic stands before everything.
        old: Whether it knows no permissions on System, as before 7.15.
    """

    def __init__(self, *, users: dict[str, User], filtered: bool = True, old: bool = False) -> None:
        self.users = users
        self.filtered = filtered
        self.old = old
        super().__init__()

    def respond(self, asked: Asked) -> Answer:
        """What the REST API answers."""
        caller = self._caller(asked.authorization)
        if self.filtered and caller is None:
            self.requests.append(asked.path)
            return 401, "text/plain", b""
        answers = {
            "/identity/verify": lambda: self._verify(asked),
            "/identity/groups": lambda: self._groups(asked),
            "/authorization/check": lambda: self._check(asked, caller),
        }
        if asked.plain in self.override or asked.plain not in answers:
            return super().respond(asked)
        self.requests.append(asked.path)
        return answers[asked.plain]()

    def _verify(self, asked: Asked) -> Answer:
        assert asked.method == "POST"
        said = json.loads(asked.body)
        user = self.users.get(said["username"])
        right = user is not None and user.password == said["password"]
        return _json({"authenticatedUser": said["username"], "groups": None, "tenants": None, "authenticated": right})

    def _groups(self, asked: Asked) -> Answer:
        user = self.users.get(asked.query["userId"])
        groups = [{"id": group, "name": group} for group in (user.groups if user else ())]
        return _json({"groups": groups, "groupUsers": []})

    def _check(self, asked: Asked, caller: str | None) -> Answer:
        if caller is None or not self.filtered:
            return _json({"type": "InvalidRequestException", "message": "You must be authenticated."}, 401)
        if self.old:
            return _json({"type": "BadUserRequestException", "message": "ENGINE-03086"}, 400)
        assert (asked.query["resourceName"], asked.query["resourceType"]) == ("System", "21")
        return _json({"authorized": asked.query["permissionName"] in self.users[caller].permissions})

    def _caller(self, authorization: str) -> str | None:
        kind, _, word = authorization.partition(" ")
        name, _, password = b64decode(word).decode().partition(":") if kind == "Basic" else ("", "", "")
        user = self.users.get(name)
        return name if user is not None and user.password == password else None


def _json(value: object, status: int = 200) -> Answer:
    return status, "application/json", json.dumps(value).encode()
