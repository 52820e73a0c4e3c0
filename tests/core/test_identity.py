"""What an engine says of somebody: password, administrators' group, rights on System; with a filter and without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from telemetry_core import secret
from telemetry_core.config import Engine, Layers, load
from telemetry_core.engines import identity
from telemetry_core.engines.identity import Right, Standing
from telemetry_core.errors import ConfigurationError, EngineError, EngineUnreachable, NotAnEngine
from telemetry_core.secret import Secret
from tests.support.clock import RealClock
from tests.support.guarded_engine import GuardedEngine, User

USERS = {
    "ada": User("ada-pw", groups=("camunda-admin",)),
    "otto": User("otto-pw", groups=("operaton-admin",)),
    "rita": User("rita-pw", permissions=("READ",)),
    "susi": User("susi-pw", permissions=("SET",)),
    "mary": User("mary-pw", groups=("accounting",)),
}
ALLOWED = {("ada", "READ"), ("ada", "SET"), ("otto", "READ"), ("otto", "SET"), ("rita", "READ"), ("susi", "SET")}


@pytest.fixture
def filtered() -> Iterator[GuardedEngine]:
    with GuardedEngine(users=USERS) as running:
        yield running


@pytest.fixture
def open_to_all() -> Iterator[GuardedEngine]:
    with GuardedEngine(users=USERS, filtered=False) as running:
        yield running


#: Members of the groups that administer Camunda and Operaton.
ADMINISTRATORS = ("ada", "otto")


def entry(*addresses: str, **more: str) -> Engine:
    variables = {"TELEMETRY_ENGINES__ORDERS__NODES": ",".join(addresses), "TELEMETRY_ENGINES__ORDERS__TIMEOUT": "5s"}
    (engine,) = load(Layers(environment=variables | more)).engines
    return engine


def standing(engine: Engine, user: str, password: str, right: Right = Right.SET) -> Standing:
    return identity.standing(engine, user, Secret(password), right, RealClock())


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("user", USERS)
def test_an_administrator_and_a_right_on_system_entitle_and_nothing_else_does(
    user: str, right: Right, filtered: GuardedEngine
) -> None:
    known = Standing.ADMINISTRATOR if user in ADMINISTRATORS else Standing.ENTITLED
    wanted = known if (user, right) in ALLOWED else Standing.KNOWN
    assert standing(entry(filtered.rest), user, f"{user}-pw", right) is wanted


@pytest.mark.parametrize("user", USERS)
def test_without_a_filter_the_password_still_counts_and_only_the_group_entitles(
    user: str, open_to_all: GuardedEngine
) -> None:
    wanted = Standing.ADMINISTRATOR if user in ADMINISTRATORS else Standing.KNOWN
    assert standing(entry(open_to_all.rest), user, f"{user}-pw") is wanted
    assert standing(entry(open_to_all.rest), user, "wrong") is Standing.STRANGER


@pytest.mark.parametrize(("user", "password"), [("ada", "wrong"), ("nobody", "x"), ("ada", ""), ("", "")])
def test_a_wrong_password_is_a_strangers(user: str, password: str, filtered: GuardedEngine) -> None:
    assert standing(entry(filtered.rest), user, password) is Standing.STRANGER
    assert not any("groups" in request for request in filtered.requests), "a stranger asks for nothing more"


def test_before_7_15_only_the_group_entitles() -> None:
    with GuardedEngine(users=USERS, old=True) as engine:
        assert standing(entry(engine.rest), "ada", "ada-pw") is Standing.ADMINISTRATOR
        assert standing(entry(engine.rest), "susi", "susi-pw") is Standing.KNOWN


def test_a_named_engine_is_asked_by_its_name(filtered: GuardedEngine) -> None:
    engine = entry(filtered.rest, TELEMETRY_ENGINES__ORDERS__NAME="second")
    assert standing(engine, "ada", "ada-pw") is Standing.ADMINISTRATOR
    assert all("/engine-rest/engine/second/" in request for request in filtered.requests)


def test_the_next_node_is_asked_where_one_gives_no_answer(filtered: GuardedEngine) -> None:
    engine = entry("http://127.0.0.1:1/engine-rest", filtered.rest)
    assert standing(engine, "ada", "ada-pw") is Standing.ADMINISTRATOR
    with pytest.raises(EngineUnreachable):
        standing(entry("http://127.0.0.1:1/engine-rest"), "ada", "ada-pw")


def test_what_is_no_answer_of_an_engine_entitles_nobody(open_to_all: GuardedEngine) -> None:
    open_to_all.override["/identity/groups"] = (503, "text/plain", b"")
    with pytest.raises(EngineError):
        standing(entry(open_to_all.rest), "ada", "ada-pw")
    open_to_all.override["/identity/groups"] = (200, "application/json", b'{"groups":"camunda-admin"}')
    with pytest.raises(NotAnEngine):
        standing(entry(open_to_all.rest), "ada", "ada-pw")
    open_to_all.override["/identity/verify"] = (200, "application/json", b'{"authenticated":"true"}')
    with pytest.raises(NotAnEngine):
        standing(entry(open_to_all.rest), "ada", "ada-pw")
    open_to_all.override["/identity/verify"] = (404, "text/plain", b"")
    with pytest.raises(EngineError):
        standing(entry(open_to_all.rest), "ada", "ada-pw")


def test_an_entry_without_an_address_can_ask_nobody() -> None:
    variables = {"TELEMETRY_ENGINES__ORDERS__DATABASE": "postgresql://u@db/camunda"}
    (engine,) = load(Layers(environment=variables)).engines
    with pytest.raises(ConfigurationError, match="no REST address"):
        standing(engine, "ada", "ada-pw")


def test_passwords_of_others_are_not_kept_in_mind(filtered: GuardedEngine) -> None:
    standing(entry(filtered.rest), "ada", "a-password-of-its-own")
    text = "a-password-of-its-own"
    assert secret.without_revealed(text) == text


def test_an_answer_that_repeats_the_password_is_shown_without_it(filtered: GuardedEngine) -> None:
    filtered.override["/identity/verify"] = (500, "application/json", b'{"message":"no user has ada-pw"}')
    with pytest.raises(EngineError) as refused:
        standing(entry(filtered.rest), "ada", "ada-pw")
    assert "ada-pw" not in refused.value.message
