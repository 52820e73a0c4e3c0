"""Answers in the engine's own forms: its errors, its refusals, its headers (facts §4.2, §4.3)."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from telemetry_core.engines.identity import Right
from telemetry_core.errors import DecidedMeanwhile, EngineError, TelemetryError

#: Nothing of it is kept by a browser or a proxy, or taken for anything else than it is.
HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_NO_HEADERS: Mapping[str, str] = {}

#: What the engine's framework calls the statuses that are its own.
_NAMES: Mapping[int, tuple[str, str]] = {
    404: ("NotFoundException", "HTTP 404 Not Found"),
    405: ("NotAllowedException", "HTTP 405 Method Not Allowed"),
    415: ("NotSupportedException", "HTTP 415 Unsupported Media Type"),
}


def found(value: object) -> Response:
    """An answer."""
    return JSONResponse(value, headers=HEADERS)


def done() -> Response:
    """That it was done."""
    return Response(status_code=204, headers=HEADERS)


def error(status: int, kind: str, message: str, *, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """An error as the engine's REST API makes it, from 7.18 on with a code; ours never have one."""
    return JSONResponse({"type": kind, "message": message, "code": None}, status, headers={**HEADERS, **headers})


def of_framework(status: int, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """An error of a request that does not come to any of our calls."""
    kind, message = _NAMES.get(status, ("WebApplicationException", f"HTTP {status}"))
    return error(status, kind, message, headers=headers)


def invalid(message: str) -> Response:
    """A request that says something else than it should."""
    return error(400, "InvalidRequestException", message)


def unknown_engine(name: str) -> Response:
    """As the engine says it where it asks for a password (facts §4.2)."""
    return error(404, "InvalidRequestException", f"Process engine {name} not available")


def stranger(realm: str) -> Response:
    """Without a body, as the engine's own filter."""
    return Response(status_code=401, headers={**HEADERS, "WWW-Authenticate": f'Basic realm="{realm}"'})


def slowed_down(seconds: int, *, is_crowded: bool = False) -> Response:
    """After too many wrong passwords, or while too many are being checked."""
    reason = "Too many passwords are being checked at once." if is_crowded else "Too many wrong passwords."
    message = f"{reason} Try again in {seconds} seconds."
    return error(429, "TooManyAttempts", message, headers={"Retry-After": str(seconds)})


def crowded(message: str, seconds: int) -> Response:
    """While too many have engines read."""
    return error(429, "TooManyReadings", message, headers={"Retry-After": str(seconds)})


def not_entitled(right: Right) -> Response:
    """The engine's own refusal, word for word (facts §4.3)."""
    message = (
        "ENGINE-03110 Required admin authenticated group or user or any of the following permissions: "
        f"'{right}' permission on resource 'System'."
    )
    body = {
        "type": "AuthorizationException",
        "message": message,
        "code": 0,
        "userId": None,
        "resourceName": None,
        "resourceId": None,
        "permissionName": None,
        "missingAuthorizations": [],
    }
    return JSONResponse(body, 403, headers=HEADERS)


def failure(problem: TelemetryError) -> Response:
    """What went wrong, for somebody who may know: 503 where the engine does not answer, 409 where others decided."""
    status = 503 if isinstance(problem, EngineError) else 409 if isinstance(problem, DecidedMeanwhile) else 500
    return error(status, type(problem).__name__, f"{problem.message} {problem.hint}".strip())


def closed(problem: TelemetryError) -> Response:
    """That nobody can be let in now; why is not for strangers, since it may name addresses and files."""
    if isinstance(problem, EngineError):
        return error(503, type(problem).__name__, "The engine cannot be asked for a password now.")
    return error(500, type(problem).__name__, "The server is not configured right; `telemetry config check` says more.")


def bug() -> Response:
    """What nobody expected; what it was is said where the server runs."""
    return error(500, "TelemetryError", "Something unexpected happened; the server's own output says what.")
