"""HTTP requests that end in time: the only module that knows httpx, loaded when the first request leaves.

httpx has time limits for single steps but none for a whole request, and name lookup has none at all. Each request
therefore runs in a daemon thread of its own; when its time is over, its socket is shut down and it is left behind.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from telemetry_core.errors import ConfigurationError
from telemetry_core.secret import Secret, basic, redacted
from telemetry_core.wire import Request

if TYPE_CHECKING:
    import httpx

_BODY_BEGINS = "http11.send_request_body.started"
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete", "proxy.start_tls.complete")
_CLEANING_UP = (".failed", ".response_closed.started", ".response_closed.complete")


@dataclass(frozen=True, slots=True)
class Security:
    """What TLS is checked against, and what we show; None is the system's default and nothing."""

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy on the way, and who we are to it."""

    url: str
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer; `complete` is False where the body is larger than the limit or broke off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one request came to; without an answer `failure` says why, as the end of a sentence."""

    answer: Answer | None
    body_begun: bool
    failure: str = ""


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
        """
        if self._client is None:
            self._client = self._made_for(url)

    def exchange(self, request: Request, *, seconds: float) -> Exchange:
        """Send a request and read its answer, in at most `seconds`.

        Raises:
            ConfigurationError: A certificate file cannot be used.
        """
        if self._client is None:
            self._client = self._made_for(request.url)
        run = _Run(self._client, self._with_authorization(request), limit=self._limit, seconds=seconds)
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
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else _context(self._security)
        return httpx.Client(verify=self._context, trust_env=False, proxy=self._way(), follow_redirects=False)

    def _way(self) -> httpx.Proxy | None:
        import httpx

        if self._proxy is None:
            return None
        password = "" if self._proxy.password is None else self._proxy.password.reveal()
        return httpx.Proxy(
            self._proxy.url, auth=None if self._proxy.username is None else (self._proxy.username, password)
        )


class _Run:
    """One request in its thread, and what is known of it from outside."""

    def __init__(self, client: httpx.Client, request: Request, *, limit: int, seconds: float) -> None:
        self._client = client
        self._request = request
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._abandoned = False
        self._body_begun = False
        self._failure = f"no answer within {seconds:.3g} s"
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
                    self._failure = _explain(error, self._seconds)
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
                return Exchange(None, self._body_begun, self._failure)
            status, headers = self._head
            return Exchange(Answer(status, headers, bytes(self._body), self._complete), self._body_begun)

    def _send(self) -> None:
        import httpx

        limits = dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)
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
                if event == _BODY_BEGINS and info["request"].method != b"CONNECT":  # a proxy is asked without our body
                    self._body_begun = True
                return
        if stream is not None:
            stream.close()
        if not event.endswith(_CLEANING_UP):
            raise TimeoutError


def _context(security: Security) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=security.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise _unusable(security.ca_file, error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if security.client_cert is not None:
        try:
            context.load_cert_chain(security.client_cert, security.client_key)
        except (OSError, ssl.SSLError) as error:
            raise _unusable(security.client_cert, error) from error
    return context


def _unusable(path: Path | None, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be used for TLS: {error.strerror or error}.", hint="It must be readable and in PEM format."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _explain(error: BaseException, seconds: float) -> str:
    import httpx

    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {(cause.reason or 'no reason given').replace('_', ' ').lower()}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
    known: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], str], ...] = (
        ((httpx.TimeoutException, TimeoutError), f"no answer within {seconds:.3g} s"),
        (httpx.ProxyError, f"the proxy refuses: {error}"),
        (httpx.RemoteProtocolError, "the connection ended without an HTTP answer"),
        (httpx.ConnectError, "no connection"),
        ((httpx.NetworkError, OSError), "the connection broke off"),
    )
    return next((text for kind, text in known if isinstance(error, kind)), f"{type(error).__name__} while sending")
