"""Requests that end in time: the only module that sends them, by httpx, loaded when the first one leaves.

httpx has time limits for single steps but none for a whole request, and name lookup has none at all. Each request
therefore runs in a daemon thread of its own; when its time is over, its socket is shut down and it is left behind.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from telemetry_core.http import tls
from telemetry_core.http.exchanges import Answer, Exchange, Proxy
from telemetry_core.http.failures import PROXY_WANTS_USER, Route
from telemetry_core.http.tls import Security
from telemetry_core.secret import Secret, basic, redacted
from telemetry_core.wire import Request

if TYPE_CHECKING:
    import httpx

_BODY_BEGINS = "http11.send_request_body.started"
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete", "proxy.start_tls.complete")
_CLEANING_UP = (".failed", ".response_closed.started", ".response_closed.complete")


class Client:
    """Sends requests to one place, one at a time; connections are kept between them. Use it as a context manager."""

    def __init__(
        self, *, security: Security, limit: int, proxy: Proxy | None = None, authorization: Secret | None = None
    ) -> None:
        """Nothing is opened yet.

        Args:
            security: For https addresses.
            limit: Bytes that are read of an answer's body.
            proxy: Where requests go through.
            authorization: The value of the `Authorization` header.
        """
        self._security = security
        self._limit = limit
        self._proxy = proxy
        self._authorization = authorization
        self._context: ssl.SSLContext | None = None
        self._client: httpx.Client | None = None
        self._connection: socket.socket | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()

    def prepare(self, url: str) -> None:
        """Read the certificates that requests to an address need; what is not prepared is so at its first request.

        Raises:
            ConfigurationError: A certificate file cannot be used.
            SecretExposed: Others can read our key.
        """
        if self._client is None:
            self._client = self._made_for(url)

    def exchange(self, request: Request, *, seconds: float) -> Exchange:
        """Send a request and read its answer, in at most `seconds`.

        Raises:
            ConfigurationError: A certificate file cannot be used.
            SecretExposed: Others can read our key.
        """
        if self._client is None:
            self._client = self._made_for(request.url)
        route = Route(request.url, self._security, self._proxy, seconds)
        run = _Run(self._client, self._with_authorization(request), limit=self._limit, route=route)
        run.connection = self._connection  # if it is used again, nothing else tells of it
        thread = threading.Thread(target=run.work, name="telemetry-http", daemon=True)
        thread.start()
        thread.join(max(seconds, 0))
        if thread.is_alive():
            run.abandon()
            self._client = None
        self._connection = run.connection
        return run.result()

    def redacted(self, text: str) -> str:
        """What the other side said, without our secrets, which it may repeat."""
        known = [] if self._authorization is None else [self._authorization]
        if self._proxy is not None and self._proxy.password is not None:
            known.append(basic(self._proxy.username or "", self._proxy.password.reveal()))
        return redacted(text, *known)

    def _with_authorization(self, request: Request) -> Request:
        if self._authorization is None:
            return request
        header = ("Authorization", self._authorization.reveal())
        return Request(request.method, request.url, (*request.headers, header), request.body)

    def _made_for(self, url: str) -> httpx.Client:
        import httpx

        if self._context is None:
            plain = urlsplit(url).scheme.lower() == "http"
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else tls.context(self._security)
        return httpx.Client(verify=self._context, trust_env=False, proxy=self._way(), follow_redirects=False)

    def _way(self) -> httpx.Proxy | None:
        import httpx

        if self._proxy is None:
            return None
        password = "" if self._proxy.password is None else self._proxy.password.reveal()
        by_tls = urlsplit(self._proxy.url).scheme.lower() == "https"
        return httpx.Proxy(
            self._proxy.url,
            ssl_context=tls.context(self._security, for_proxy=True) if by_tls else None,
            auth=None if self._proxy.username is None else (self._proxy.username, password),
        )


class _Run:
    """One request in its thread, and what is known of it from outside."""

    def __init__(self, client: httpx.Client, request: Request, *, limit: int, route: Route) -> None:
        self._client = client
        self._request = request
        self._limit = limit
        self._route = route
        self._lock = threading.Lock()
        self._abandoned = False
        self._body_begun = False
        self._at_proxy = False
        self._failure = ""
        self._head: tuple[int, dict[str, str]] | None = None
        self._body = bytearray()
        self._complete = False
        self._ended = False
        self.connection: socket.socket | None = None

    def work(self) -> None:
        """Do it; never raises."""
        try:
            self._send()
        except BaseException as error:  # noqa: BLE001  # the thread's end is the result, whatever it was
            with self._lock:
                if not self._abandoned:
                    self._failure = self._route.explain(error, at_proxy=self._at_proxy)
        with self._lock:
            self._ended = True
            left_behind = self._abandoned
        if left_behind:
            self._client.close()

    def abandon(self) -> None:
        """Time is over: nothing more is sent, and a thread that waits for its socket wakes, closes it and ends."""
        with self._lock:
            self._abandoned = True
            ended = self._ended
        if ended:
            self._client.close()
        elif self.connection is not None:
            try:
                # Not the method of `SSLSocket`: after that one, the thread's next bytes would leave unencrypted.
                socket.socket.shutdown(self.connection, socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself

    def result(self) -> Exchange:
        """What came of it."""
        with self._lock:
            if self._head is None:
                return Exchange(None, self._body_begun, self._failure or self._route.late(at_proxy=self._at_proxy))
            status, headers = self._head
            if status == PROXY_WANTS_USER and self._route.forwarded:  # it keeps what it is given to itself
                return Exchange(None, body_begun=False, failure=self._route.refused(str(status)))
            return Exchange(Answer(status, headers, bytes(self._body), self._complete), self._body_begun)

    def _send(self) -> None:
        import httpx

        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._route.seconds)
        request = httpx.Request(
            self._request.method,
            self._request.url,
            headers=list(self._request.headers),
            content=self._request.body,
            extensions={"trace": self._trace, "timeout": limits},
        )
        response = self._client.send(request, stream=True)
        try:
            self._read(response)
        finally:
            response.close()

    def _read(self, response: httpx.Response) -> None:
        with self._lock:
            self._head = (response.status_code, dict(response.headers))
        for chunk in response.iter_raw():
            with self._lock:
                room = self._limit - len(self._body)
                self._body += chunk[:room]
                if self._abandoned or len(chunk) > room:
                    return
        with self._lock:
            self._complete = True

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        stream = info["return_value"] if event in _CONNECTED else None
        with self._lock:
            if stream is not None:
                self.connection = stream.get_extra_info("socket")
            if not self._abandoned:
                request = info.get("request")
                asks_proxy = request is not None and request.method == b"CONNECT"
                if event.endswith(".started") and not event.endswith(_CLEANING_UP):
                    self._at_proxy = asks_proxy or (self._route.proxy is not None and event.startswith("connection."))
                if event == _BODY_BEGINS and not asks_proxy:  # a proxy is asked without our body
                    self._body_begun = True
                return
        if stream is not None:
            stream.close()
        if not event.endswith(_CLEANING_UP):
            raise TimeoutError
