"""The server itself: where it listens, its TLS, its limits; it runs until it is told to end."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telemetry_core import listening
from telemetry_core.config import Serve
from telemetry_core.config.values import is_loopback
from telemetry_core.errors import ConfigurationError
from telemetry_web import tokens

if TYPE_CHECKING:
    import ssl

    from telemetry_web.opening import Opener

_CONNECTIONS = 200
_IDLE_SECONDS = 5
_ENDING_SECONDS = 10
_PLACE = "Check serve.listen and serve.port, and that no other program listens there."


@dataclass(frozen=True, slots=True)
class Listening:
    """A server that could begin: its place is taken and its files were read."""

    url: str
    socket: socket.socket
    context: ssl.SSLContext | None


def listen(settings: Serve) -> Listening:
    """Take the place, and read what is needed there.

    Raises:
        ConfigurationError: Something of it cannot be used, or passwords would cross the network in clear.
        SecretExposed: Others can read the key, or the digests of tokens.
    """
    _require_libraries()
    _refuse_plain_http(settings)
    if settings.token_file is not None:
        tokens.read(settings.token_file)
    context = None
    if settings.tls_cert is not None:
        from telemetry_core.http import tls

        context = tls.server_context(settings.tls_cert, settings.tls_key, table="serve")
    url = f"{'http' if context is None else 'https'}://{listening.authority(settings.listen, settings.port)}"
    return Listening(url, listening.bound(settings.listen, settings.port, hint=_PLACE), context)


def run(place: Listening, opener: Opener) -> None:
    """Serve until SIGTERM or SIGINT; what is at work then comes to its end, since engines have time limits."""
    import uvicorn

    from telemetry_web import slow
    from telemetry_web.routes import application

    context = place.context
    config = uvicorn.Config(
        application(opener),
        http=slow.Protocol,
        loop="telemetry_web.slow:Loop",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # failures are told to the opener; what strangers send is no news
        access_log=False,
        proxy_headers=False,  # who may say where a request comes from would go round the limit for wrong passwords
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_ENDING_SECONDS,
        ssl_context_factory=None if context is None else lambda _config, _default: context,
    )
    uvicorn.Server(config).run(sockets=[place.socket])


def _require_libraries() -> None:
    try:
        import limits  # noqa: F401  # said now, and not at the first request
        import starlette  # noqa: F401  # as above
        import uvicorn  # noqa: F401  # as above
    except ImportError:
        raise ConfigurationError(
            "What `telemetry serve` needs is not installed.",
            hint="Install it with: pip install 'telemetry-admin[serve]'",
        ) from None


def _refuse_plain_http(settings: Serve) -> None:
    if settings.tls_key is not None and settings.tls_cert is None:
        raise ConfigurationError("serve.tls-key is set without serve.tls-cert.", hint="Set both, or neither.")
    if settings.tls_cert is None and not settings.allow_http and not is_loopback(settings.listen):
        raise ConfigurationError(
            f"Passwords would come to {settings.listen} in plain HTTP.",
            hint="Set serve.tls-cert and serve.tls-key; behind a proxy that speaks TLS, serve.allow-http = true.",
        )
