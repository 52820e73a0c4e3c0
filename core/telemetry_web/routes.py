"""Every path of the server in one place."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telemetry_web import answers, openapi
from telemetry_web.framing import Framing
from telemetry_web.opening import Opener
from telemetry_web.page import pages
from telemetry_web.page.serving import Page
from telemetry_web.passwords import Passwords
from telemetry_web.readings import Readings
from telemetry_web.rest import Rest

ENGINE_REST = "/engine-rest"
BODY_LIMIT = 64 * 1024
"""Bytes; no request needs more."""


def application(opener: Opener) -> Starlette:
    """The server as an ASGI application; a path may end with a slash, as the engine's may."""
    passwords = Passwords(opener.clock)
    readings = Readings(opener.clock)
    rest, page = Rest(opener, passwords, readings), Page(opener, passwords, readings)
    calls = [
        ("/telemetry/configuration", rest.configuration, ["GET", "POST"]),
        ("/telemetry/data", rest.data, ["GET"]),
    ]
    routes = [
        Route(f"{ENGINE_REST}{engine}{path}{end}", endpoint, methods=methods)
        for engine in ("", "/engine/{engine}")
        for path, endpoint, methods in calls
        for end in ("", "/")
    ]
    routes.append(Route("/openapi.json", _document))
    routes += pages.routes(page)

    async def refused(request: Request, refusal: Exception) -> Response:
        """What comes to none of our calls, answered as the engine's framework does, and to none of our pages."""
        if not isinstance(refusal, HTTPException):
            raise refusal
        if str(request.scope["path"]).startswith((f"{ENGINE_REST}/", "/openapi.json")):
            return answers.of_framework(refusal.status_code, refusal.headers or {})
        return page.refused(request, refusal.status_code, refusal.headers)

    served = Starlette(
        routes=routes,
        exception_handlers={HTTPException: refused},
        middleware=[Middleware(Framing)],
        max_body_size=BODY_LIMIT,
    )
    served.router.redirect_slashes = False  # it sends to wherever the header Host says, and from HTTPS to HTTP
    return served


async def _document(request: Request) -> Response:  # noqa: ARG001  # the signature is the library's
    return answers.found(openapi.document())
