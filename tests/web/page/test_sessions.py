"""Sessions: what a browser holds, to what it is bound, how long it is good for, and how many there can be."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace

import httpx
import pytest

from telemetry_core.model import MINUTE
from telemetry_web.page.sessions import IDLE, LONGEST, MOST, OF_ONE, Guest, Sessions
from tests.support.certificates import Certificates
from tests.support.clock import ManualClock
from tests.support.disk import contents
from tests.support.guarded_engine import GuardedEngine
from tests.support.page import Visitor
from tests.support.program import Program
from tests.support.web_server import WebServer

FORM = {"user": "ada", "password": "ada-pw"}
ADA, RITA = Guest("ada", may_switch=True), Guest("rita", may_switch=False)
BROWSER = "the same browser"


class Desk:
    """Sessions with a clock that a test moves."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        numbers = iter(range(10_000))
        self.sessions = Sessions(self.clock, lambda: f"word-{next(numbers)}")

    def wait(self, length: int) -> None:
        self.clock.advance(length / 1000)

    def is_in(self, key: str) -> bool:
        return self.sessions.find(key, BROWSER) is not None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_session_ends_after_a_quarter_of_an_hour_without_a_request(desk: Desk) -> None:
    key = desk.sessions.begin("orders", ADA, BROWSER)
    desk.wait(IDLE - 1)
    assert desk.is_in(key)
    desk.wait(IDLE)
    assert not desk.is_in(key)


def test_a_session_ends_after_an_hour_though_it_is_used_and_though_somebody_signs_in_at_more_engines(
    desk: Desk,
) -> None:
    key = desk.sessions.begin("orders", ADA, BROWSER)
    for _ in range(LONGEST // (10 * MINUTE) - 1):
        desk.wait(10 * MINUTE)
        key = desk.sessions.begin("claims", RITA, BROWSER, before=key)
    assert desk.is_in(key)
    desk.wait(10 * MINUTE)
    assert not desk.is_in(key)


def test_a_clock_that_is_set_back_ends_sessions_instead_of_making_them_longer(desk: Desk) -> None:
    key = desk.sessions.begin("orders", ADA, BROWSER)
    desk.clock.advance(-3600)
    assert not desk.is_in(key)


def test_no_word_that_a_browser_showed_before_the_sign_in_is_good_after_it(desk: Desk, server: WebServer) -> None:
    first = desk.sessions.begin("orders", ADA, BROWSER, before="fixed")
    second = desk.sessions.begin("claims", RITA, BROWSER, before=first)
    assert (desk.is_in("fixed"), desk.is_in(first), desk.is_in(second)) == (False, False, True)
    with Visitor(server) as victim:
        victim.client.cookies.set("telemetry-session", "fixed-by-somebody-else")
        word = victim.sign_in("ada", "ada-pw").cookies["telemetry-session"]
        assert word != "fixed-by-somebody-else"
        victim.client.cookies.clear()
        for given, status in (("fixed-by-somebody-else", 303), (word, 200)):
            assert (
                victim.client.get("/engine/orders", headers={"Cookie": f"telemetry-session={given}"}).status_code
                == status
            )


def test_a_session_that_was_left_is_not_joined_to_a_new_one(desk: Desk) -> None:
    key = desk.sessions.begin("orders", ADA, BROWSER)
    desk.sessions.end(key)
    after = desk.sessions.find(desk.sessions.begin("claims", RITA, BROWSER, before=key), BROWSER)
    assert after is not None
    assert dict(after.guests) == {"claims": RITA}
    stolen = desk.sessions.begin("orders", ADA, BROWSER)
    elsewhere = desk.sessions.find(desk.sessions.begin("claims", RITA, "another", before=stolen), "another")
    assert elsewhere is not None
    assert "orders" not in elsewhere.guests, "a word alone, in another browser, is good for nothing"


def test_of_a_user_there_are_ten_sessions_and_those_of_others_stay(desk: Desk) -> None:
    other = desk.sessions.begin("orders", RITA, BROWSER)
    keys: list[str] = []
    for _ in range(MOST + 5):
        desk.wait(1)
        spelling = replace(ADA, user="ada" if len(keys) % 2 else "ADA")  # which some engines take for one
        keys.append(desk.sessions.begin("orders", spelling, BROWSER))
    assert desk.is_in(other)
    assert [key for key in keys if desk.is_in(key)] == keys[-OF_ONE:]


def test_there_are_never_more_sessions_than_the_most_and_the_idlest_ends(desk: Desk) -> None:
    keys = []
    for number in range(MOST + 3):
        desk.wait(1)
        keys.append(desk.sessions.begin("orders", Guest(f"user-{number}", may_switch=False), BROWSER))
    assert [key for key in keys if desk.is_in(key)] == keys[3:]


def test_a_word_is_good_in_the_browser_and_from_the_address_of_the_sign_in_alone(
    ada: Visitor, server: WebServer
) -> None:
    cookie = f"telemetry-session={ada.client.cookies['telemetry-session']}"
    agent = ada.client.headers["user-agent"]
    for source, kind, status in (("127.0.0.1", agent, 200), ("127.0.0.1", "Other/1", 303), ("127.0.0.2", agent, 303)):
        answer = server.as_nobody(source).ask("GET", "/engine/orders", Cookie=cookie, User_Agent=kind)
        assert answer.status == status
        assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
    pretended = server.as_nobody("127.0.0.2").ask(
        "GET", "/engine/orders", Cookie=cookie, User_Agent=agent, X_Forwarded_For="127.0.0.1", Forwarded="for=127.0.0.1"
    )
    assert pretended.status == 303


def test_words_are_long_and_of_chance_and_are_not_in_any_page(ada: Visitor, server: WebServer) -> None:
    word = ada.client.cookies["telemetry-session"]
    assert len(word) >= 32
    for path in ("/", "/engine/orders", "/engine/orders/enable", "/sign-in"):
        assert word not in ada.page(path)
    with Visitor(server) as another:
        assert another.sign_in("ada", "ada-pw").cookies["telemetry-session"] != word


def cookie_of(answer: httpx.Response) -> tuple[str, set[str]]:
    name, _, rest = answer.headers["set-cookie"].partition("=")
    return name, {part.strip().lower() for part in rest.split(";")[1:]}


def test_the_cookie_is_for_this_host_alone_and_no_script_and_no_other_sites_request_has_it(
    server: WebServer, ada: Visitor
) -> None:
    with Visitor(server) as visitor:
        name, flags = cookie_of(visitor.sign_in("ada", "ada-pw"))
    assert (name, flags) == ("telemetry-session", {"httponly", "path=/", "samesite=strict"}), "no domain, no end"
    name, flags = cookie_of(ada.post("/sign-out", {}))
    assert name == "telemetry-session"
    assert "max-age=0" in flags


def test_with_tls_the_cookie_is_secure_and_of_a_name_that_nobody_else_can_set(
    ready: Program, certificates: Certificates
) -> None:
    ready.configure(ready.config.read_text() + '[serve]\ntls-cert = "server.pem"\ntls-key = "server.key"\n')
    trusting = ssl.create_default_context(cafile=certificates.ca_file)
    headers = {"Sec-Fetch-Site": "same-origin"}
    with WebServer(ready, tls=trusting) as server, httpx.Client(verify=trusting, headers=headers) as client:
        here = f"https://127.0.0.1:{server.port}"
        name, flags = cookie_of(client.post(f"{here}/sign-in", data=FORM))
        assert (name, flags) == ("__Host-telemetry-session", {"httponly", "path=/", "samesite=strict", "secure"})
        assert client.get(f"{here}/engine/orders").status_code == 200
        word = client.cookies[name]
        client.cookies.clear()
        plain = {"Cookie": f"telemetry-session={word}"}
        assert client.get(f"{here}/engine/orders", headers=plain).status_code == 303, "plain HTTP could have set it"


@pytest.mark.parametrize(
    ("setting", "proto"), [("allow-http = true", ""), ("", "https"), ("", "HTTPS"), ("", "https, http")]
)
def test_behind_a_proxy_with_tls_the_cookie_is_as_with_tls(setting: str, proto: str, ready: Program) -> None:
    ready.configure(f"{ready.config.read_text()}[serve]\n{setting}\n")
    headers = {"Sec-Fetch-Site": "same-origin", **({"X-Forwarded-Proto": proto} if proto else {})}
    with WebServer(ready) as server, httpx.Client(headers=headers) as client:
        name, flags = cookie_of(client.post(f"http://127.0.0.1:{server.port}/sign-in", data=FORM))
    assert (name, "secure" in flags) == ("__Host-telemetry-session", True)


@pytest.mark.parametrize("wrong", ["", "x", "0" * 43, "ü"])
def test_nobody_is_signed_out_by_a_form_without_the_token(wrong: str, ada: Visitor) -> None:
    assert ada.client.post("/sign-out", data={"form-token": wrong}).status_code == 403
    assert ada.client.get("/sign-out").status_code == 405
    assert ada.get("/engine/orders").status_code == 200


def test_an_entry_that_means_another_engine_now_is_not_shown_to_who_signed_in_before(
    ready: Program, guarded: GuardedEngine
) -> None:
    with GuardedEngine(users={}) as other, WebServer(ready) as server, Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw")
        before = ready.config.read_text()
        for now in (
            before.replace(guarded.rest, other.rest),
            before.replace("username", 'name = "second"\nusername'),
            before.replace("[engines.orders]", "[engines.removed]"),
        ):
            ready.configure(now)
            for path in ("", "/preview", "/history", "/sources", "/disable", "/license"):
                answer = ada.get(f"/engine/orders{path}")
                assert answer.headers.get("location", "").startswith("/sign-in?engine=") or answer.status_code == 404
            assert ada.get("/").headers["location"] == "/sign-in"
        assert other.requests == []
        ready.configure(before)
        assert ada.get("/engine/orders").status_code == 200


def test_passwords_and_words_are_in_no_output_no_log_and_not_in_the_store(ready: Program) -> None:
    log = ready.directory / "telemetry.log"
    ready.configure(f'{ready.config.read_text()}[log]\nlevel = "debug"\nto = "{log}"\n')
    with WebServer(ready) as server, Visitor(server) as visitor:
        visitor.sign_in("ada", "wrong-canary")
        visitor.sign_in("ada", "ada-pw")
        word = visitor.client.cookies["telemetry-session"]
        tokens = re.findall(r'form-token" value="([^"]+)"', visitor.page("/engine/orders/disable"))
        visitor.submit("/engine/orders/disable", reason="why")
        server.end()
    kept = b"".join(content for file, content in contents(ready.directory).items() if file.name != "password")
    for secret in ("wrong-canary", "ada-pw", word, *tokens):
        assert secret.encode() not in kept + server.output + server.errors
