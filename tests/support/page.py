"""A browser without a window: signs in, follows links, fills in forms, and reads names and values off a page."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from types import TracebackType
from typing import Protocol, Self

import httpx

_TOKEN = re.compile(r'name="form-token" value="([^"]+)"')
_PAIR = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>", re.S)
_TAG = re.compile(r"<[^>]+>")
_BLOCK = re.compile(r"</(?:td|th|p|h\d|li|dt|dd|option)>")


PAGES = (
    "/",
    "/sign-in",
    "/engine/orders",
    "/engine/orders/preview",
    "/engine/orders/preview?kind=initial",
    "/engine/orders/history",
    "/engine/orders/usage",
    "/engine/orders/license",
    "/engine/orders/consent",
    "/engine/orders/sources",
    "/engine/orders/enable",
    "/engine/orders/disable",
)


class _Reader(HTMLParser):
    """What stands between the tags, what of it is marked as English, and the hidden fields of the forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.english: list[str] = []
        self.fields: dict[str, str] = {}
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"] or ""] = given["value"] or ""
        if tag == "span" and given.get("lang") == "en" and not self._depth:
            self.english.append("")
            self._depth = 1
        elif tag == "span" and self._depth:
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "span" and self._depth > 0

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._depth:
            self.english[-1] += data


class Seen:
    """One page as it came."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.html = response.text
        self.headers = response.headers
        read = _Reader(self.html)
        self.text, self.english, self.fields = read.text, read.english, read.fields


class Served(Protocol):
    """A running server."""

    port: int


class Visitor:
    """One browser; use it as a context manager.

    Args:
        server: Whose page it looks at.
        language: What it asks for.
    """

    def __init__(self, server: Served, *, language: str = "en") -> None:
        headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": language}
        url = f"http://127.0.0.1:{server.port}"
        self.client = httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False)

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

    def look(self, path: str) -> Seen:
        """The page that is there, or that one is sent to from there."""
        return Seen(self.client.get(path, follow_redirects=True))

    def send(self, path: str, form: str, **values: str) -> Seen:
        """Fill in the form of a page and send it; what comes of it.

        Args:
            path: Where it goes.
            form: The page that it is on.
            values: What is filled in beside its hidden fields; `_` stands for `-`.
        """
        filled = {name.replace("_", "-"): value for name, value in values.items()}
        return Seen(self.client.post(path, data={**self.look(form).fields, **filled}, follow_redirects=True))

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
