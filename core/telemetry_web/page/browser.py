"""What is known of the browser that asks: its cookie, its language, where it is, and whether a form is its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from telemetry_core.config import Serve
from telemetry_web.page.texts import Texts, language_of, texts

_COOKIE = "telemetry-session"
_FIELDS = 50


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
    """

    address: str
    key: str
    binding: str
    secure: bool
    texts: Texts

    @property
    def cookie(self) -> str:
        """The cookie's name: with TLS one that no other host and no plain HTTP can set (RFC 6265bis)."""
        return f"__Host-{_COOKIE}" if self.secure else _COOKIE

    def keep(self, response: Response, key: str) -> Response:
        """Have the browser keep a word for as long as it runs."""
        response.set_cookie(self.cookie, key, path="/", secure=self.secure, httponly=True, samesite="strict")
        return response

    def forget(self, response: Response) -> Response:
        """Have the browser forget it."""
        response.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True, samesite="strict")
        return response


def browser(request: Request, settings: Serve) -> Browser:
    """Who asks, as far as a request says it."""
    headers = request.headers
    address = "" if request.client is None else request.client.host
    outermost = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    proxied = outermost == "https"  # who forges it has a stricter cookie, no more
    secure = request.scope["scheme"] == "https" or settings.allow_http or proxied
    name = f"__Host-{_COOKIE}" if secure else _COOKIE
    binding = hashlib.sha256(repr((address, headers.get("user-agent", ""))).encode()).hexdigest()
    language = texts(language_of(headers.get("accept-language", "")))
    return Browser(address, request.cookies.get(name, ""), binding, secure, language)


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
