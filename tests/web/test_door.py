"""Who comes in: users by the password that their engine knows, machines by tokens; and how often somebody may try."""

from __future__ import annotations

import hashlib
import re
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from limits import RateLimitItemPerSecond
from starlette.responses import Response

from telemetry_core.config import Layers, load
from telemetry_core.engines.identity import Right
from telemetry_web.door import Knock, Visitor, admit
from telemetry_web.passwords import WRONG, Passwords
from tests.support.clock import RealClock
from tests.support.guarded_engine import GuardedEngine, User
from tests.support.program import Program
from tests.support.web_server import CONFIGURATION, DATA, Caller, WebServer, basic

REST_API = (Path(__file__).parents[2] / "docs" / "rest-api.md").read_text(encoding="utf-8")
TOKEN = "Dq3oYvU0n5pS7tX1zB4cE6gH8jK2mN9r"
SYSTEM = "ENGINE-03110 Required admin authenticated group or user or any of the following permissions: "


def refusal(right: str) -> dict[str, object]:
    return {
        "type": "AuthorizationException",
        "message": f"{SYSTEM}'{right}' permission on resource 'System'.",
        "code": 0,
        "userId": None,
        "resourceName": None,
        "resourceId": None,
        "permissionName": None,
        "missingAuthorizations": [],
    }


@pytest.mark.parametrize(
    ("user", "may_read", "may_set"),
    [("ada", True, True), ("rita", True, False), ("susi", False, True), ("mary", False, False)],
)
def test_an_administrator_and_a_right_on_system_let_in_and_others_get_the_engines_refusal(
    user: str, may_read: object, may_set: object, server: WebServer
) -> None:
    caller = server.as_user(user, f"{user}-pw")
    for path in (CONFIGURATION, DATA):
        answer = caller.get(path)
        assert answer.status == (200 if may_read else 403)
        assert may_read or answer.json == refusal("READ")
    switched = caller.switch(enabled=False)
    assert switched.status == (204 if may_set else 403)
    assert may_set or switched.json == refusal("SET")
    now = server.as_user("ada", "ada-pw").get(CONFIGURATION).json
    assert now == {"enableTelemetry": False if may_set else None}


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic !!!",
        f"Basic {b64encode(b'ada').decode()}",
        f"Basic {b64encode(b'ada:').decode()}",
        f"Basic {b64encode(b':ada-pw').decode()}",
        f"Basic {b64encode(b'ada:ada-pw' + bytes([255])).decode()}",
        f"Basic {b64encode(b'a' * 300 + b':x').decode()}",
        basic("ada", "wrong"),
        basic("ada", "ada-pw "),
        basic("Ada", "ada-pw"),
        basic("nobody", "x"),
        "Bearer ada-pw",
        "Bearer",
        "Digest username=ada",
        "Negotiate YII=",
    ],
)
def test_who_is_nobody_is_asked_for_a_password_as_by_the_engines_own_filter(
    authorization: str, lasting: WebServer
) -> None:
    for method, path in (("GET", CONFIGURATION), ("GET", DATA), ("POST", CONFIGURATION)):
        answer = Caller(lasting.port, authorization).ask(method, path, body=b'{"enableTelemetry":true}')
        if answer.status == 429:  # of the wrong passwords before
            continue
        assert (answer.status, answer.body) == (401, b"")
        assert answer.headers["www-authenticate"] == 'Basic realm="orders"'
    assert lasting.as_user("rita", "rita-pw").get(CONFIGURATION).json == {"enableTelemetry": None}


def test_an_engine_without_a_filter_is_open_and_this_server_is_not(server: WebServer, guarded: GuardedEngine) -> None:
    guarded.filtered = False
    assert server.as_nobody().get(CONFIGURATION).status == 401
    assert server.as_user("ada", "wrong").get(CONFIGURATION).status == 401
    assert server.as_user("susi", "susi-pw").switch(enabled=True).status == 403, "rights cannot be asked for there"
    assert server.as_user("ada", "ada-pw").switch(enabled=True).status == 204


def test_an_administrator_of_one_engine_sees_and_switches_that_one_alone(ready: Program) -> None:
    others = {"ada": User("another-pw"), "bob": User("bob-pw", groups=("operaton-admin",))}
    with GuardedEngine(users=others) as second:
        ready.configure(ready.config.read_text() + f'[engines.claims]\nrest = "{second.rest}"\n')
        with WebServer(ready) as server:
            orders, claims = (f"/engine-rest/engine/{name}/telemetry/configuration" for name in ("orders", "claims"))
            ada, bob = server.as_user("ada", "ada-pw"), server.as_user("bob", "bob-pw")
            assert (ada.switch(False, orders).status, ada.switch(False, claims).status) == (204, 401)  # noqa: FBT003
            assert (bob.switch(False, orders).status, bob.switch(False, claims).status) == (401, 204)  # noqa: FBT003
            assert (ada.get(orders).status, ada.get(claims).status) == (200, 401)
            assert server.as_user("ada", "another-pw").get(claims).status == 403


def test_an_engine_that_does_not_answer_lets_nobody_in_and_its_address_is_no_strangers_business(
    server: WebServer, ready: Program
) -> None:
    ready.configure(ready.config.read_text().replace("127.0.0.1:", "127.0.0.1:1/not-"))
    answer = server.as_user("ada", "ada-pw").get(CONFIGURATION)
    assert (answer.status, answer.json["type"]) == (503, "EngineUnreachable")
    assert "127.0.0.1" not in answer.body.decode()


def test_after_five_wrong_passwords_the_engine_is_not_asked_any_more(server: WebServer, guarded: GuardedEngine) -> None:
    for _ in range(WRONG):
        assert server.as_user("ada", "wrong").get(CONFIGURATION).status == 401
    asked = len(guarded.requests)
    for password in ("wrong", "ada-pw"):
        slowed = server.as_user("ada", password).get(CONFIGURATION)
        assert (slowed.status, slowed.json["type"]) == (429, "TooManyAttempts")
        assert 0 < int(slowed.headers["retry-after"]) <= 300
    assert server.as_user("ADA", "ada-pw").get(CONFIGURATION).status == 429, "some directories take both for one"
    assert len(guarded.requests) == asked
    assert server.as_user("rita", "rita-pw").get(CONFIGURATION).status == 200, "another user"
    elsewhere = server.as_user("ada", "ada-pw", source="127.0.0.2")
    assert elsewhere.get(CONFIGURATION).status == 200, "from another address"
    pretended = server.as_user("ada", "ada-pw").ask("GET", CONFIGURATION, X_Forwarded_For="127.0.0.3")
    assert pretended.status == 429, "who may say where a request comes from would go round it"


def test_of_many_wrong_passwords_at_once_five_come_to_the_engine(server: WebServer, guarded: GuardedEngine) -> None:
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: server.as_user("ada", "wrong").get(CONFIGURATION).status, range(20)))
    assert sorted(answers) == [401] * WRONG + [429] * (20 - WRONG)
    assert len(guarded.requests) == WRONG


def test_a_right_password_ends_the_count_of_wrong_ones(server: WebServer) -> None:
    for _ in range(3):
        for _ in range(WRONG - 1):
            assert server.as_user("mary", "wrong").get(CONFIGURATION).status == 401
        assert server.as_user("mary", "mary-pw").get(CONFIGURATION).status == 403


def test_who_was_slowed_down_may_try_again_once_the_first_attempt_is_old(guarded: GuardedEngine) -> None:
    variables = {"TELEMETRY_ENGINES__ORDERS__REST": guarded.rest}
    config = load(Layers(environment=variables))
    passwords = Passwords(RealClock(), limit=RateLimitItemPerSecond(1, 2))
    knock = Knock(config.engines[0], Right.READ, basic("ada", "wrong"), "127.0.0.1")
    right = replace(knock, authorization=basic("ada", "ada-pw"))
    begun = time.monotonic()
    first = admit(passwords, config.serve, knock)
    second = admit(passwords, config.serve, right)
    assert isinstance(first, Response)
    assert first.status_code == 401
    if time.monotonic() - begun < 2:
        assert isinstance(second, Response)
        assert second.status_code == 429
    limit = time.monotonic() + 60
    while not isinstance(admit(passwords, config.serve, right), Visitor):
        assert time.monotonic() < limit
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("first", "same", "other"),
    [
        ("2001:db8:1:2::%x", "2001:db8:1:2:ffff::1", "2001:db8:1:3::1"),
        ("::ffff:192.0.2.7", "192.0.2.7", "::ffff:192.0.2.8"),
        ("fe80::%x%%eth0", "fe80::99%eth0", "fe80:0:0:1::1"),
    ],
)
def test_wrong_passwords_from_one_network_of_ipv6_count_together(
    first: str, same: str, other: str, guarded: GuardedEngine
) -> None:
    config = load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__REST": guarded.rest}))
    passwords = Passwords(RealClock())
    wrong = Knock(config.engines[0], Right.READ, basic("ada", "wrong"), "")
    right = replace(wrong, authorization=basic("ada", "ada-pw"))
    for number in range(1, WRONG + 1):
        address = first % number if "%x" in first else first
        refused = admit(passwords, config.serve, replace(wrong, address=address))
        assert isinstance(refused, Response)
        assert refused.status_code == 401
    waits = admit(passwords, config.serve, replace(right, address=same))
    assert isinstance(waits, Response)
    assert waits.status_code == 429
    assert isinstance(admit(passwords, config.serve, replace(right, address=other)), Visitor)


@pytest.fixture
def tokens(ready: Program) -> Path:
    """The file with the tokens."""
    file = ready.directory / "tokens"
    file.touch(mode=0o600)
    ready.configure(ready.config.read_text() + '[serve]\ntoken-file = "tokens"\n')
    return file


def line(name: str, token: str, *engines: str) -> str:
    return f"{name}: {hashlib.sha256(token.encode()).hexdigest()} {' '.join(engines)}\n"


@pytest.fixture
def machines(tokens: Path, ready: Program) -> Iterator[WebServer]:
    """A server with a token for everything."""
    tokens.write_text("# who may switch\n\n" + line("pipeline", TOKEN))
    with WebServer(ready) as running:
        yield running


def test_a_machine_with_a_token_switches_without_asking_the_engine_who_it_is(
    machines: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    machine = machines.as_machine(TOKEN)
    assert machine.switch(enabled=False).status == 204
    assert machine.get(CONFIGURATION).json == {"enableTelemetry": False}
    assert guarded.requests == []
    assert ready("consent", "--json").data["decisions"][0]["decided-by"] == "token pipeline"


def test_the_documentation_says_how_a_token_is_made(machines: WebServer, tokens: Path) -> None:
    recipe = re.findall(r"^ {6}(\S.*/etc/telemetry/tokens|token=.*)$", REST_API, re.MULTILINE)
    assert len(recipe) == 2
    script = "\n".join([*recipe, "printf %s $token"]).replace("/etc/telemetry/tokens", str(tokens))
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert machines.as_machine(done.stdout).get(CONFIGURATION).status == 200


def test_a_token_counts_as_long_as_it_is_in_the_file_and_for_the_engines_beside_it(
    machines: WebServer, tokens: Path
) -> None:
    tokens.write_text(line("other", "another token") + line("claims", TOKEN, "claims"))
    assert machines.as_machine(TOKEN).get(CONFIGURATION).status == 401
    tokens.write_text(line("both", TOKEN, "claims", "orders"))
    assert machines.as_machine(TOKEN).get(CONFIGURATION).status == 200
    tokens.write_text("")
    assert machines.as_machine(TOKEN).get(CONFIGURATION).status == 401


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", hashlib.sha256(TOKEN.encode()).hexdigest()])
def test_a_wrong_token_is_nobodys(token: str, machines: WebServer) -> None:
    assert machines.as_machine(token).get(CONFIGURATION).status == 401


def test_wrong_tokens_keep_nobody_out(machines: WebServer) -> None:
    for _ in range(WRONG + 3):
        assert machines.as_machine("wrong").get(CONFIGURATION).status == 401
    assert machines.as_machine(TOKEN).get(CONFIGURATION).status == 200


def test_a_file_that_others_can_read_or_that_holds_no_tokens_lets_nobody_in(machines: WebServer, tokens: Path) -> None:
    tokens.chmod(0o640)
    exposed = machines.as_machine(TOKEN).get(CONFIGURATION)
    assert (exposed.status, exposed.json["type"]) == (500, "SecretExposed")
    assert str(tokens) not in exposed.body.decode()
    tokens.chmod(0o600)
    tokens.write_text(f"pipeline: {TOKEN}\n")
    wrong = machines.as_machine(TOKEN).get(CONFIGURATION)
    assert (wrong.status, wrong.json["type"]) == (500, "ConfigurationError")
    assert TOKEN not in wrong.body.decode()
    assert machines.as_user("ada", "ada-pw").get(CONFIGURATION).status == 200, "users need no tokens"


def test_passwords_and_tokens_are_in_no_output_and_no_file(ready: Program, tokens: Path) -> None:
    tokens.write_text(line("pipeline", TOKEN))
    with WebServer(ready) as server:
        for caller in (server.as_user("ada", "ada-pw"), server.as_machine(TOKEN), server.as_user("ada", "wrong-pw")):
            caller.switch(enabled=True)
            caller.get(DATA)
            caller.ask("GET", "/nothing")
        server.end()
    outputs = [server.output, server.errors, ready("consent", "--json").stdout, ready("history", "--json").stdout]
    for secret in (TOKEN.encode(), b"ada-pw", b"wrong-pw", basic("ada", "ada-pw").split()[1].encode()):
        assert not [output for output in outputs if secret in output]
        assert not [file for file in ready.store.parent.iterdir() if secret in file.read_bytes()]
