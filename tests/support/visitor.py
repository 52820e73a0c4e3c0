"""Somebody with a browser without scripts: signs in at the page, looks at its pages and sends its forms."""

from __future__ import annotations

from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import httpx

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


class Visitor:
    """A browser with its cookies. Use it as a context manager.

    Args:
        port: The server's, on loopback.
        language: As in `Accept-Language`.
    """

    def __init__(self, port: int, language: str = "en") -> None:
        headers = {"Accept-Language": language, "Sec-Fetch-Site": "same-origin"}
        url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=url, headers=headers, follow_redirects=True, timeout=60, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def look(self, path: str) -> Seen:
        return Seen(self._client.get(path))

    def sign_in(self, user: str, password: str) -> Seen:
        return Seen(self._client.post("/sign-in", data={"user": user, "password": password}))

    def send(self, path: str, form: str, **values: str) -> Seen:
        """Fill in the form of a page and send it.

        Args:
            path: Where it goes.
            form: The page that it is on.
            values: What is filled in beside its hidden fields; `_` stands for `-`.
        """
        filled = {name.replace("_", "-"): value for name, value in values.items()}
        return Seen(self._client.post(path, data={**self.look(form).fields, **filled}))
