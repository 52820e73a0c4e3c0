"""What is known of the browser that asks: its cookie, its language, where it is, and whether a form is its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from telemetry_web.page.texts import Texts, language_of, texts

COOKIE = "telemetry-session"
"""The cookie of the administration page; cookies are of a host with all its ports, so another page has another one."""

_FIELDS = 50


class Settings(Protocol):
    """The table of the server that is asked."""

    @property
    def allow_http(self) -> bool:
        """Whether a proxy before it speaks TLS."""


class NotAForm(Exception):
    """The body of a request is no form of ours; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Browser:
    """One request, as far as it says who asks.

    Attributes:
        address: Where it comes from.
        key: What its cookie says; empty without one.
        binding: What a session is bound to: address and kind of the browser, as a digest.
        secure: Whether it came by TLS, to us or to a proxy before us.
        name: Of the cookie, without what TLS adds.
    """

    address: str
    key: str
    binding: str
    secure: bool
    texts: Texts
    name: str = COOKIE

    @property
    def cookie(self) -> str:
        """The cookie's name: with TLS one that no other host and no plain HTTP can set (RFC 6265bis)."""
        return _cookie(self.name, secure=self.secure)

    def keep(self, response: Response, key: str) -> Response:
        """Have the browser keep a word for as long as it runs."""
        response.set_cookie(self.cookie, key, path="/", secure=self.secure, httponly=True, samesite="strict")
        return response

    def forget(self, response: Response) -> Response:
        """Have the browser forget it."""
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict")
        return response


def browser(request: Request, settings: Settings, *, name: str = COOKIE, address: str | None = None) -> Browser:
    """Who asks, as far as a request says it.

    Args:
        request: It.
        settings: Of the server.
        name: Of the page's cookie.
        address: Where it comes from, where more is known of that than who has connected.
    """
    headers = request.headers
    if address is None:
        address = "" if request.client is None else request.client.host
    outermost = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    proxied = outermost == "https"  # who forges it has a stricter cookie, no more
    secure = request.scope["scheme"] == "https" or settings.allow_http or proxied
    binding = hashlib.sha256(repr((address, headers.get("user-agent", ""))).encode()).hexdigest()
    language = texts(language_of(headers.get("accept-language", "")))
    key = request.cookies.get(_cookie(name, secure=secure), "")
    return Browser(address, key, binding, secure, language, name)


def _cookie(name: str, *, secure: bool) -> str:
    return f"__Host-{name}" if secure else name


def is_from_here(request: Request) -> bool:
    """Whether a form was sent from a page of this server, as the browser says (Fetch Metadata, RFC 6454)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:
        return False
    return bool(origin) and origin == request.headers.get("host", "")


def fields_of(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form; of one that comes twice the last.

    Raises:
        NotAForm: It is none, or not UTF-8, or has more fields than any of ours.
    """
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise NotAForm("This is no form of this page.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="strict")
    except ValueError:
        raise NotAForm("This is no form of this page.") from None
    return dict(pairs)
