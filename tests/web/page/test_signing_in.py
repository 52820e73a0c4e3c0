"""Who gets in to the page, as what, and who does not."""

from __future__ import annotations

import pytest

from tests.support.guarded_engine import GuardedEngine
from tests.support.page import Visitor, fields, words
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import WebServer
from tests.web.conftest import USERS

NO_ENTRY = "This user may not see telemetry: it takes an administrator of the engine, or READ on resource System."


def test_an_administrator_may_switch_and_somebody_with_read_may_look(server: WebServer) -> None:
    for user, may_switch in (("ada", True), ("rita", False)):
        with Visitor(server) as visitor:
            answer = visitor.sign_in(user, f"{user}-pw")
            assert (answer.status_code, answer.headers["location"]) == (303, "/engine/orders")
            page = visitor.page("/engine/orders")
            assert ("/engine/orders/enable" in page) is may_switch
            assert visitor.get("/engine/orders/enable").status_code == (200 if may_switch else 403)


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [
        ("mary", "mary-pw", NO_ENTRY),
        ("susi", "susi-pw", NO_ENTRY),
        ("ada", "wrong", "User or password is wrong."),
        ("nobody", "x", "User or password is wrong."),
        ("ada", "", "User or password is wrong."),
        ("", "ada-pw", "User or password is wrong."),
        ("a\u202eda", "ada-pw", "User or password is wrong."),
    ],
)
def test_nobody_else_gets_in(user: str, password: str, said: str, server: WebServer) -> None:
    with Visitor(server) as visitor:
        answer = visitor.sign_in(user, password)
        assert answer.status_code == 403
        assert said in words(answer.text)
        assert "set-cookie" not in answer.headers
        assert visitor.get("/").headers["location"] == "/sign-in"
        assert visitor.get("/engine/orders/preview").headers["location"].startswith("/sign-in?engine=")


def test_after_wrong_passwords_somebody_waits_and_the_rest_api_counts_them_too(
    server: WebServer, guarded: GuardedEngine
) -> None:
    with Visitor(server) as visitor:
        for _ in range(3):
            assert visitor.sign_in("ada", "wrong").status_code == 403
        for _ in range(2):
            assert server.as_user("ada", "wrong").get("/engine-rest/telemetry/configuration").status == 401
        asked = len(guarded.requests)
        answer = visitor.sign_in("ada", "ada-pw")
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 300
        assert "Too many wrong passwords." in words(answer.text)
        assert len(guarded.requests) == asked, "the engine is not asked"


def test_an_engine_that_does_not_answer_says_so_and_lets_nobody_in(ready: Program, guarded: GuardedEngine) -> None:
    with WebServer(ready) as server, Visitor(server) as visitor:
        guarded.override["/identity/verify"] = (503, "text/plain", b"")
        answer = visitor.sign_in("ada", "ada-pw")
        assert answer.status_code == 503
        assert "The engine does not answer, so that nobody can be let in now." in words(answer.text)
        assert visitor.get("/").headers["location"] == "/sign-in"


def test_signing_out_ends_the_session_for_who_kept_its_word(server: WebServer) -> None:
    with Visitor(server) as visitor, Visitor(server) as thief:
        visitor.sign_in("ada", "ada-pw")
        thief.client.cookies.update(visitor.client.cookies)
        assert thief.get("/engine/orders").status_code == 200, "it is good until then"
        assert visitor.post("/sign-out", {}).headers["location"] == "/sign-in"
        assert thief.get("/engine/orders").headers["location"].startswith("/sign-in?engine=")


def test_each_engine_has_its_own_users_and_a_password_is_shown_to_the_chosen_one_alone(
    program: Program, receiver: Receiver
) -> None:
    with GuardedEngine(users=dict(USERS)) as first, GuardedEngine(users=dict(USERS)) as second:
        second.installation = "22222222-2222-2222-2222-222222222222"
        tables = [f'[engines.{name}]\nrest = "{one.rest}"\n' for name, one in (("one", first), ("two", second))]
        program.configure(f'endpoint = "{receiver.url}"\n' + "".join(tables))
        with WebServer(program) as server, Visitor(server) as visitor:
            assert visitor.sign_in("ada", "ada-pw", engine="three").status_code == 403
            visitor.sign_in("ada", "ada-pw", engine="one")
            assert (bool(first.requests), second.requests) == (True, [])
            assert visitor.get("/engine/two").headers["location"].startswith("/sign-in?engine=")
            assert visitor.get("/engine/two/history").headers["location"].startswith("/sign-in?engine=")
            visitor.sign_in("rita", "rita-pw", engine="two")
            assert "/engine/one/enable" in visitor.page("/engine/one"), "still signed in there"
            assert "/engine/two/enable" not in visitor.page("/engine/two")
            overview = words(visitor.page("/"))
            assert "ada (administrator)" in overview
            assert visitor.post("/engine/two/disable", {}).status_code == 403
            program.configure(f'endpoint = "{receiver.url}"\n' + tables[1])
            assert visitor.get("/engine/one").status_code == 404, "it is configured no more"


def test_a_form_for_an_engine_that_is_configured_no_more_shows_its_password_to_no_other(
    server: WebServer, guarded: GuardedEngine
) -> None:
    with Visitor(server) as visitor:
        refused = visitor.sign_in("ada", "ada-pw", engine="billing")
        assert (refused.status_code, guarded.requests) == (403, [])
        assert "User or password is wrong." in words(refused.text)
        for named in ("", "orders"):
            assert (
                visitor.client.post("/sign-in", data={"user": "ada", "password": "ada-pw", "engine": named}).headers[
                    "location"
                ]
                == "/engine/orders"
            )


def test_a_form_of_a_session_that_has_ended_changes_nothing_and_says_so(server: WebServer, ready: Program) -> None:
    with Visitor(server) as visitor:
        visitor.sign_in("ada", "ada-pw")
        form = fields(visitor.page("/engine/orders/disable"))
        visitor.client.cookies.clear()
        answer = visitor.client.post("/engine/orders/disable", data=form)
        assert answer.status_code == 403
        assert "Your session has ended, and nothing was changed." in words(answer.text)
        assert fields(answer.text) == {"section": "disable"}
        assert ready("consent", "--json").data["decisions"] == []
        form = {"user": "ada", "password": "ada-pw", "section": "disable"}
        assert visitor.client.post("/sign-in", data=form).headers["location"] == "/engine/orders/disable"


@pytest.mark.parametrize("section", ["//evil.example", "nothing", "preview/../../x", "preview?x", ""])
def test_after_the_sign_in_nobody_is_sent_elsewhere_than_to_a_page_of_the_engine(
    section: str, server: WebServer
) -> None:
    with Visitor(server) as visitor:
        form = {"user": "ada", "password": "ada-pw", "section": section}
        assert visitor.client.post("/sign-in", data=form).headers["location"] == "/engine/orders"
