"""The system's Chromium, driven by Playwright: whom it asks is kept, and it finds nothing but loopback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import Browser, Page, sync_playwright

#: Chromium itself must not call home either: what it would look up does not exist.
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


def executable() -> str:
    """Where it is; without one the test is skipped, or fails where nothing may be skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
            pytest.fail("there is no Chromium on this system")
        pytest.skip("there is no Chromium on this system")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without windows."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


class Window:
    """One window with cookies of its own; `asked` is every host that it has asked for something."""

    def __init__(self, browser: Browser, port: int, **options: Any) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self._context = browser.new_context(base_url=self.base, viewport={"width": 1200, "height": 800}, **options)
        self.asked: set[str] = set()
        self.said: list[str] = []
        self.page: Page = self._context.new_page()
        self._context.on("request", lambda request: self.asked.add(urlsplit(request.url).netloc))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.set_default_timeout(20_000)

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def sign_in(self, user: str, password: str) -> Page:
        """Sign in as somebody does."""
        self.page.goto("/sign-in")
        self.page.locator("#user").fill(user)
        self.page.locator("#password").fill(password)
        self.page.locator("main button").click()
        return self.page

    def tab_to(self, name: str) -> None:
        """Press the tabulator until something has the focus, without a script in the page."""
        wanted = self.page.get_by_text(name, exact=True)
        for _ in range(40):
            self.page.keyboard.press("Tab")
            if wanted.and_(self.page.locator(":focus")).count():
                return
        raise AssertionError(f"{name} never has the focus")

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA and its best practices."""
        found = Axe().run(self.page)
        return [f"{one['id']}: {node['html'][:200]}" for one in found.response["violations"] for node in one["nodes"]]

    def is_cut_off(self) -> bool:
        """Whether the page is wider than its window, and has to be moved sideways."""
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        return bool(self.page.evaluate(wider))
