"""Pages out of templates: everything that is filled in is escaped, and nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from telemetry_core.words.instants import instant
from telemetry_web.page.texts import VERBATIM, Texts, printable

#: Of every page: no script at all, nothing from another host, in no frame, kept nowhere (OWASP, CSP level 3).
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}

PACKAGE = "telemetry_web.page"
"""Whose templates and files there are; another page's may extend and include these templates."""

_FILES = {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


def draw(
    template: str, texts: Texts, values: Mapping[str, object], *, status: int = 200, package: str = PACKAGE
) -> Response:
    """A page in a language, by a template of a package."""
    text = (
        _templates(package)
        .get_template(template)
        .render({**values, "_": texts.word, "said": texts.said, "language": texts.language, "verbatim": VERBATIM})
    )
    headers = {**HEADERS, "Content-Language": texts.language, "Vary": "Accept-Language, Cookie"}
    return Response(text, status, headers, media_type="text/html; charset=utf-8")


def file(digest: str, name: str) -> Response | None:
    """One of the page's own files, None where there is none; its address changes with what it holds.

    Under any other digest there is nothing: a cache could be made to keep this file for the next release's.
    """
    if name not in _FILES or digest != _digest(name):
        return None
    kept = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(_bytes(name), headers={**kept, "Content-Type": _FILES[name]})


def _filled_in(value: object) -> object:
    """Every value, before it is escaped; what is marked up already was looked at when it was."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _address(name: str) -> str:
    return f"/page/{_digest(name)}/{name}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_bytes(name)).hexdigest()[:12]


@cache
def _bytes(name: str) -> bytes:
    return resources.files(PACKAGE).joinpath("files", name).read_bytes()


@cache
def _templates(package: str) -> Environment:
    packages = dict.fromkeys((package, PACKAGE))
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, "templates") for name in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_filled_in,
    )
    environment.globals["file"] = _address
    environment.filters["instant"] = instant
    return environment
