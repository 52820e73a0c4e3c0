"""The collector's page in a real browser: signing in, the fleet, a decision, by keyboard and without scripts; axe."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.chromium import Window, chromium
from tests.support.collecting import Collector, captured, report
from tests.support.program import Program

TOKEN = "a-token-of-the-page-of-the-collector"
PAGES = ("/", "/quarantine", "/installation?id=mine", "/nothing")
LOOKS = [("en-GB", "light", 1200), ("de-DE", "dark", 1200), ("de-DE", "light", 390), ("en-GB", "dark", 390)]


@dataclass(frozen=True)
class Scene:
    """A collector with reports, and a browser."""

    collector: Collector
    browser: Browser

    def window(self, **options: object) -> Window:
        return Window(self.browser, self.collector.port, **options)


@pytest.fixture
def scene(program: Program) -> Iterator[Scene]:
    file = program.directory / "tokens"
    file.write_text(f"grace: {hashlib.sha256(TOKEN.encode()).hexdigest()}\n", encoding="utf-8")
    file.chmod(0o600)
    program.configure('[collector]\ntoken-file = "tokens"\n')
    with Collector(program) as collector, chromium() as browser:
        for number in range(12):
            collector.send(report(installation="mine", count=20 + number * number % 17), f"mine-{number}")
        collector.send(captured("7.17.0", 1))
        collector.send(report(installation="mine", version="7.99.0"), "impossible")
        collector.send(report(installation="mine", count=10**9), "leap")
        yield Scene(collector, browser)
        assert collector.end() == 0
        assert collector.errors == b""


def sign_in(window: Window) -> Page:
    """Sign in, and wait until the fleet is there."""
    window.page.goto("/sign-in")
    window.page.locator("#token").fill(TOKEN)
    window.page.locator("main button").click()
    window.page.wait_for_url("**/")
    while window.page.locator("tbody tr").count() < 2 or window.page.locator("svg").count() == 0:
        window.page.wait_for_timeout(300)
        window.page.reload()
    return window.page


def test_somebody_signs_in_looks_at_the_fleet_and_decides_about_what_is_in_quarantine(scene: Scene) -> None:
    with scene.window() as window:
        page = sign_in(window)
        expect(page.get_by_role("img", name="Reports over time")).to_be_visible()
        page.get_by_role("link", name="mine", exact=True).click()
        expect(page.get_by_role("img", name="process-instances")).to_be_visible()
        page.get_by_text("The numbers").first.click()
        expect(page.get_by_role("cell", name="36").first).to_be_visible()
        page.get_by_role("navigation").get_by_role("link", name="Quarantine").click()
        expect(page.locator("main")).to_contain_text("There is no release 7.99.0 of Camunda BPM Runtime.")
        expect(page.locator("main")).to_contain_text("process-instances counts 1000000000; after all that came before")
        page.get_by_role("region", name="There is no release").get_by_role("button", name="Drop").click()
        expect(page.get_by_role("status")).to_contain_text("The report impossible is dropped")
        page.get_by_role("button", name="Release").click()
        expect(page.get_by_role("status")).to_contain_text("The report leap counts now")
        expect(page.locator("main")).to_contain_text("Nothing waits for a decision.")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert window.asked == {f"127.0.0.1:{scene.collector.port}"}, "no request leaves for another host"
        assert window.said == [], "and the browser complains of nothing"
    listed = scene.collector.program("collector", "list", "--json").data["reports"]
    assert {one["id"]: one["state"] for one in listed if one["reason"]} == {"impossible": "dropped", "leap": "counted"}


@pytest.mark.parametrize(("locale", "scheme", "width"), LOOKS)
def test_no_page_of_the_collector_keeps_anybody_out(scene: Scene, locale: str, scheme: str, width: int) -> None:
    with scene.window(locale=locale, color_scheme=scheme) as window:
        window.page.set_viewport_size({"width": width, "height": 800})
        window.page.goto("/sign-in")
        assert window.violations() == []
        sign_in(window)
        for path in PAGES:
            window.page.goto(path)
            assert window.violations() == [], path
            assert window.page.locator("html").get_attribute("lang") == locale[:2]
            assert not window.is_cut_off(), (path, "nothing is cut off or needs sideways scrolling")


def test_the_collectors_page_is_used_by_keyboard_alone_and_without_javascript(scene: Scene) -> None:
    with scene.window(java_script_enabled=False) as window:
        page = window.page
        page.goto("/sign-in")
        for _ in range(3):
            page.keyboard.press("Tab")
        expect(page.locator("#token")).to_be_focused()
        page.keyboard.type(TOKEN)
        page.keyboard.press("Enter")
        page.wait_for_url("**/")
        window.tab_to("Quarantine")
        page.keyboard.press("Enter")
        page.wait_for_url("**/quarantine")
        window.tab_to("Release")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("counts now")
