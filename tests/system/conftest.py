"""Fixtures of tests on real engines that ask for passwords."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines import Engine

#: Users beside the administrator, with their permission on System.
USERS = {"mary": None, "rita": "READ", "susi": "SET"}


@pytest.fixture
def guarded(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """A real engine with authorization enabled, HTTP Basic before its REST API, and more users."""
    with Engine.start(request.param, authorization=True) as engine:
        for user, permission in USERS.items():
            profile = {"id": user, "firstName": "F", "lastName": "L"}
            credentials = {"password": f"s3cret-of-{user}"}
            engine.call("POST", "/engine-rest/user/create", body={"profile": profile, "credentials": credentials})
            grant = {"type": 1, "permissions": [permission], "userId": user, "resourceType": 21, "resourceId": "*"}
            if permission is not None and request.param != "camunda-7.14.0":  # which has no such resource
                engine.call("POST", "/engine-rest/authorization/create", body=grant)
        yield engine
