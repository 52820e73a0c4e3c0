"""The page in a real browser, on real engines with authorization: what somebody sees and clicks, and what follows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, expect

from tests.engines import Engine
from tests.engines.launch import PASSWORD, USER
from tests.support.chromium import Window, chromium
from tests.support.forging import ForgedPage
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import WebServer

STATE = "/engine/default"
PAGES = ("", "/enable", "/disable", "/preview", "/preview?kind=initial", "/history", "/usage", "/license", "/consent",
         "/sources")  # fmt: skip
LICENSE = "MEUCIQDsignature0;customer=ACME;expiryDate=2999-12-31;camundaBPM=true"
ONE_OF_ALL = ["camunda-7.24.0", pytest.param("camunda-7.17.0", marks=pytest.mark.family),
              pytest.param("operaton-1.0.3", marks=pytest.mark.family)]  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A real engine, the program for it, its server, and a browser."""

    engine: Engine
    program: Program
    server: WebServer
    receiver: Receiver
    browser: Browser

    def window(self, **options: object) -> Window:
        return Window(self.browser, self.server.port, **options)


@pytest.fixture
def scene(guarded: Engine, program: Program, receiver: Receiver) -> Iterator[Scene]:
    """The engine is the entry `default`."""
    file = program.directory / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    program.configure(
        f'endpoint = "{receiver.url}"\n[engines.default]\nrest = "{guarded.rest}"\nusername = "{USER}"\n'
        'password-file = "password"\nown-reporter = "off"\n'
    )
    with ExitStack() as stack:
        server, browser = stack.enter_context(WebServer(program)), stack.enter_context(chromium())
        yield Scene(guarded, program, server, receiver, browser)


@pytest.mark.engine
@pytest.mark.parametrize("guarded", ONE_OF_ALL, indirect=True)
def test_an_administrator_switches_sets_a_licence_and_the_store_and_the_next_send_follow(scene: Scene) -> None:
    scene.engine.start_process(2)
    with scene.window() as window:
        page = window.sign_in(USER, PASSWORD)
        page.get_by_role("link", name="Enable telemetry …").click()
        for shown in ("Legal note.", scene.receiver.url, "product.internals.metrics", "telemetry disable"):
            expect(page.locator("main")).to_contain_text(shown)
        page.get_by_label("Reason").fill("in the browser")
        page.get_by_role("button", name="Enable telemetry for default").click()
        expect(page.get_by_role("status")).to_contain_text("Telemetry is enabled.")
        page.get_by_role("link", name="Licence").click()
        page.get_by_label("Licence key").fill(LICENSE)
        page.get_by_role("button", name="Set the licence").click()
        expect(page.locator("main")).to_contain_text("2999-12-31")
        scene.engine.start_process(3)
        assert scene.program("send").status == 0
        internals = json.loads(scene.receiver.received[-1].body)["product"]["internals"]
        assert internals["metrics"]["process-instances"] == {"count": 3}
        assert internals["license-key"] == {
            "customer": "ACME",
            "type": "UNIFIED",
            "valid-until": "2999-12-31",
            "unlimited": False,
            "features": {"camundaBPM": "true"},
            "raw": LICENSE.partition(";")[2],
        }
        page.get_by_role("link", name="History").click()
        page.get_by_role("row", name="periodic accepted").get_by_role("link").click()
        expect(page.locator("main")).to_contain_text(scene.receiver.received[-1].sha256)
        page.goto(f"{STATE}/license")
        page.get_by_role("button", name="Remove the licence").click()
        expect(page.get_by_role("status")).to_contain_text("forgotten")
        assert scene.program("send", "--force").status == 0
        assert "license-key" not in json.loads(scene.receiver.received[-1].body)["product"]["internals"]
        page.goto(f"{STATE}/disable")
        page.get_by_role("button", name="Disable telemetry for default").click()
        expect(page.locator("main")).to_contain_text("no periodic report leaves: consent decides")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert window.asked == {f"127.0.0.1:{scene.server.port}"}, "no request leaves for another host"
        assert window.said == [], "and the browser complains of nothing"
    assert scene.program("send", "--force").status == 4
    decisions = scene.program("consent", "--json").data["decisions"]
    decided = [(one["decided-by"], one["state"], one["how"]) for one in decisions]
    assert decided == [(USER, "enabled", "page"), (USER, "disabled", "page")]


@pytest.mark.engine
@pytest.mark.parametrize("guarded", ONE_OF_ALL, indirect=True)
def test_another_user_cannot_switch_nor_by_a_form_of_another_site(scene: Scene) -> None:
    with scene.window() as window:
        page = window.sign_in("mary", "s3cret-of-mary")
        expect(page.get_by_role("alert")).to_contain_text("This user may not see telemetry")
        page = window.sign_in("rita", "s3cret-of-rita")
        expect(page.locator("main")).to_contain_text("Only a member of the engine's administrators' group")
        assert page.get_by_role("link", name="Enable").count() == 0
        answer = page.goto(f"{STATE}/enable")
        assert answer is not None
        assert answer.status == 403
    target = f"http://127.0.0.1:{scene.server.port}{STATE}/disable"
    with scene.window() as window:
        page = window.sign_in(USER, PASSWORD)
        for host in ("127.0.0.1", "localhost"):  # of the same site, whose cookies a browser sends along, and of another
            with ForgedPage(target, {"form-token": "guessed", "no-requests": "yes"}) as forged:
                page.goto(f"http://{host}:{forged.port}/")
                page.wait_for_url(target)
                expect(page.get_by_role("alert")).to_contain_text("This form is not from this page")
        page.goto(STATE)
        expect(page.locator("main")).to_contain_text("no decision yet")
    assert scene.program("consent", "--json").data["decisions"] == []


@pytest.mark.engine
@pytest.mark.parametrize("guarded", ["camunda-7.24.0"], indirect=True)
def test_every_page_is_accessible_in_light_and_dark_on_desktop_and_phone_and_in_both_languages(scene: Scene) -> None:
    assert scene.program("enable", "--yes").status == 0
    scene.engine.start_process(2)
    assert scene.program("send").status == 0
    looks = (("en-GB", "light", 1200), ("de-DE", "dark", 390))
    for locale, scheme, width in looks:
        with scene.window(locale=locale, color_scheme=scheme) as window:
            window.page.set_viewport_size({"width": width, "height": 800})
            window.page.goto("/sign-in")
            assert window.violations() == []
            window.sign_in(USER, PASSWORD)
            reports = scene.program("history", "--json").data["reports"]
            for path in ("/", *(STATE + path for path in PAGES), f"{STATE}/history/{reports[0]['id']}", "/nothing"):
                window.page.goto(path)
                assert window.violations() == [], (locale, path)
                assert window.page.locator("html").get_attribute("lang") == locale[:2]
                assert not window.is_cut_off(), (path, "nothing is cut off or needs sideways scrolling")


@pytest.mark.engine
@pytest.mark.parametrize("guarded", ["camunda-7.24.0"], indirect=True)
def test_it_is_used_by_keyboard_alone_and_without_javascript(scene: Scene) -> None:
    with scene.window(java_script_enabled=False) as window:
        page = window.page
        page.goto("/sign-in")
        keys = page.keyboard
        keys.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        for _ in range(2):
            keys.press("Tab")
        expect(page.locator("#user")).to_be_focused()
        keys.type(USER)
        keys.press("Tab")
        keys.type(PASSWORD)
        keys.press("Enter")
        page.wait_for_url(f"**{STATE}")
        window.tab_to("Enable telemetry …")
        keys.press("Enter")
        page.wait_for_url(f"**{STATE}/enable")
        window.tab_to("Enable telemetry for default")
        keys.press("Enter")
        page.wait_for_url(f"**{STATE}")
        expect(page.get_by_role("status")).to_contain_text("Telemetry is enabled.")
    assert scene.program("status", "--json").data["engines"][0]["state"] == "enabled"
