"""The REST API of one node of an engine: requests to it, within one time limit for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from telemetry_core import VERSION
from telemetry_core.config import Engine, Url
from telemetry_core.errors import EngineUnreachable
from telemetry_core.http import Answer, Client, Security
from telemetry_core.model import Clock
from telemetry_core.secret import Secret
from telemetry_core.wire import Request

ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of one answer."""


class Address:
    """What is asked of one address, by whom; the entry's time limit begins with it. Use it as a context manager.

    Attributes:
        text: The address of the REST API.
        root: The same for the entry's own engine, where that is not the default one.
    """

    def __init__(self, engine: Engine, address: Url, clock: Clock, authorization: Secret | None) -> None:
        self._entry = engine.entry
        self._clock = clock
        self._ends_at = clock.monotonic() + engine.timeout / 1000
        self.text = address.text
        self.root = address.text if engine.name is None else f"{address.text}/engine/{quote(engine.name, safe='')}"
        self._client = Client(
            security=Security(engine.ca_file, engine.client_cert, engine.client_key, f"engines.{engine.entry}"),
            limit=ANSWER_LIMIT,
            authorization=authorization,
        )

    def __enter__(self) -> Address:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.__exit__()

    def ask(self, url: str, query: Mapping[str, str] | None = None, *, body: bytes | None = None) -> Answer:
        """The answer to a GET, or with a JSON `body` to a POST.

        Raises:
            EngineUnreachable: There is none in time.
            ConfigurationError: A certificate cannot be used.
        """
        if query:
            url = f"{url}?{urlencode(query)}"
        headers: tuple[tuple[str, str], ...] = (
            ("Host", urlsplit(url).netloc),
            ("Accept", "application/json"),
            ("User-Agent", f"telemetry/{VERSION}"),
            ("Accept-Encoding", "identity"),
        )
        if body is not None:
            headers = (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body))))
        request = Request("GET" if body is None else "POST", url, headers, body or b"")
        left = self._ends_at - self._clock.monotonic()
        exchange = self._client.exchange(request, seconds=max(left, 0.001))
        if exchange.answer is None:
            raise EngineUnreachable(
                f"Engine {self._entry} at {self.text} gives no answer: {exchange.failure}.",
                hint="Check that it runs and that the address is right.",
            )
        return exchange.answer

    def said(self, answer: Answer) -> str:
        """What was answered, without our secrets, which the other side may repeat."""
        return self._client.redacted(answer.body.decode("utf-8", "replace"))
