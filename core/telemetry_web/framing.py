"""Requests whose end two readers could see in different places (request smuggling) are refused before all else."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from telemetry_web import answers


class Framing:
    """Stands before the application; a proxy before us may have taken another of two lengths (RFC 9112 §6.1)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse and close, or pass on."""
        names = {name for name, _ in scope.get("headers", [])}
        if {b"content-length", b"transfer-encoding"} <= names:
            message = "The length of the body is said twice."
            refusal = answers.error(400, "InvalidRequestException", message, headers={"Connection": "close"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
