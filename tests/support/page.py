"""A browser without a window: signs in, follows links, fills in forms, and reads names and values off a page."""

from __future__ import annotations

import html
import re
from types import TracebackType
from typing import Self

import httpx

from tests.support.web_server import WebServer

_TOKEN = re.compile(r'name="form-token" value="([^"]+)"')
_PAIR = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>", re.S)
_TAG = re.compile(r"<[^>]+>")
_BLOCK = re.compile(r"</(?:td|th|p|h\d|li|dt|dd|option)>")


class Visitor:
    """One browser; use it as a context manager.

    Args:
        server: Whose page it looks at.
        language: What it asks for.
    """

    def __init__(self, server: WebServer, *, language: str = "en") -> None:
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": language}
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", headers=headers, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def sign_in(self, user: str, password: str, *, engine: str = "") -> httpx.Response:
        """Fill in the form of the sign-in."""
        form = {"user": user, "password": password, **({"engine": engine} if engine else {})}
        return self.client.post("/sign-in", data=form)

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.client.get(path)

    def page(self, path: str) -> str:
        """The page that is there, as it came."""
        answer = self.get(path)
        assert answer.status_code == 200, (answer.status_code, words(answer.text))
        return answer.text

    def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        """Send a form with the token that the session's forms hold."""
        token = _TOKEN.search(self.client.get("/").text)
        assert token is not None, "nobody is signed in"
        return self.client.post(path, data={"form-token": token[1], **form})

    def submit(self, path: str, **changes: str) -> httpx.Response:
        """Open a form, fill in what is to be changed and send it; an empty text unticks a box."""
        form = {**fields(self.page(path)), **{name.replace("_", "-"): value for name, value in changes.items()}}
        return self.client.post(path, data={name: value for name, value in form.items() if value})


def fields(page: str) -> dict[str, str]:
    """What the main form of a page holds before anything is changed: hidden fields and ticked boxes."""
    main = page.partition("<main")[2]
    found = {}
    for tag in re.findall(r"<input[^>]*>", main):
        given = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if given.get("type") == "hidden" or (given.get("type") == "checkbox" and " checked" in tag):
            found[given["name"]] = given["value"]
    return found


def pairs(page: str) -> list[tuple[str, str]]:
    """Names and values of a page, as somebody reads them."""
    return [(words(name), words(value)) for name, value in _PAIR.findall(page)]


def words(markup: str) -> str:
    """What somebody reads of a piece of a page."""
    return " ".join(html.unescape(_TAG.sub("", _BLOCK.sub(" ", markup))).split())
