"""Why there was no answer and what ends that: the address's failure told from the proxy's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from telemetry_core.http import tls
from telemetry_core.http.exchanges import Proxy
from telemetry_core.http.tls import Security

PROXY_WANTS_USER = 407
_LONGEST_REASON = 80


@dataclass(frozen=True, slots=True)
class Route:
    """The way that a request takes, for what is said of it; `reaches_proxy` says how far it had come."""

    url: str
    security: Security
    proxy: Proxy | None
    seconds: float

    @property
    def forwarded(self) -> bool:
        """Whether the proxy itself is given the request: it answers for what it does not pass on."""
        return self.proxy is not None and urlsplit(self.url).scheme.lower() == "http"

    def explain(self, error: BaseException, *, at_proxy: bool) -> str:
        """Why there is no answer, as the end of a sentence.

        Args:
            error: What was raised.
            at_proxy: Whether the way had not yet come beyond the proxy.
        """
        import httpx

        if isinstance(error, httpx.ProxyError):
            return self.refused(str(error))
        return self._by(self._plain(error, at_proxy=at_proxy), at_proxy=at_proxy)

    def late(self, *, at_proxy: bool) -> str:
        """The same where time ran out."""
        return self._by(f"no answer within {self.seconds:.3g} s", at_proxy=at_proxy)

    def refused(self, answer: str) -> str:
        """The same where the proxy answered for itself; `answer` is its status with its reason."""
        if answer.startswith(str(PROXY_WANTS_USER)):
            setting = f"{self.security.table}.proxy"
            if self.proxy is not None and self.proxy.username is not None:
                return f"the proxy does not accept this user and password (407): correct them in {setting}"
            return (
                "the proxy wants a user and password (407): write them into a file with mode 0600,"
                f' {setting} = "http://USER:PASSWORD@HOST:PORT"'
            )
        parts = urlsplit(self.url)
        said = f"{parts.netloc} ({answer[:_LONGEST_REASON].strip()})"
        if answer.startswith("4"):
            return f"the proxy refuses the way to {said}: it must allow it"
        return f"the proxy finds no way to {said}"

    def _by(self, text: str, *, at_proxy: bool) -> str:
        return text if self.proxy is None or not at_proxy else f"the proxy {self.proxy.url} cannot be used: {text}"

    def _plain(self, error: BaseException, *, at_proxy: bool) -> str:
        import httpx

        for cause in _causes(error):
            if isinstance(cause, ssl.SSLError):
                url = self.proxy.url if self.proxy is not None and at_proxy else self.url
                return tls.explain(cause, self.security, host=urlsplit(url).hostname or "", to_proxy=at_proxy)
            if isinstance(cause, socket.gaierror):
                return "its name is not known"
            if isinstance(cause, ConnectionRefusedError):
                return "connection refused"
        known: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
            ((httpx.TimeoutException, TimeoutError), f"no answer within {self.seconds:.3g} s"),
            (httpx.RemoteProtocolError, "the connection ended without an HTTP answer"),
            (httpx.ConnectError, "no connection"),
            ((httpx.NetworkError, OSError), "the connection broke off"),
        )
        return next((text for kind, text in known if isinstance(error, kind)), f"{type(error).__name__} while sending")


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
