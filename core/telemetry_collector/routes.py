"""Every path of the service, and the way of a report through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from telemetry_collector import intake, openapi, receipts
from telemetry_collector.arriving import Arriving
from telemetry_collector.desk import Desk
from telemetry_collector.door import Door
from telemetry_collector.intake import BATCH_LIMIT, BODY_LIMIT, Envelope, Origin
from telemetry_collector.model import Refusal, Submission, Verdict
from telemetry_collector.store import Decision, Store, Stored
from telemetry_collector.writer import Writer
from telemetry_core.config import Collector
from telemetry_core.errors import StoreError, UsageError

if TYPE_CHECKING:
    from telemetry_collector.page.serving import Page

_CALLS = ("/pings", "/health/", "/openapi.json")
_NO_PAGE = "There is no page here. To have one, set collector.token-file (docs/collector.md, The page)."

T = TypeVar("T")

Reading = Callable[[Envelope, Origin, bytes], T]
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def application(door: Door, writer: Writer, lifespan: Lifespan, page: Page | None = None) -> Starlette:
    """The service as an ASGI application; without a page there is none."""
    pings = Pings(door, writer)
    routes = [
        Route("/pings", pings.one, methods=["POST"]),
        Route("/pings/batch", pings.many, methods=["POST"]),
        Route("/health/live", _live),
        Route("/health/ready", pings.ready),
        Route("/openapi.json", _document),
    ]
    if page is not None:
        from telemetry_collector.page import pages

        routes += pages.routes(page)

    async def strange(request: Request, refusal: Exception) -> Response:
        """What comes to no path of ours."""
        if not isinstance(refusal, HTTPException):
            raise refusal
        path = str(request.scope["path"])
        if page is not None and not path.startswith(_CALLS):
            return page.refused(request, refusal.status_code, refusal.headers)
        detail = _NO_PAGE if path == "/" and page is None else f"{refusal.detail}."
        answer = receipts.refused(Refusal(refusal.status_code, "request", detail))
        answer.headers.update(refusal.headers or {})
        return answer

    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: strange})


def page_of(desk: Desk, settings: Collector, door: Door, writer: Writer) -> Page | None:
    """The page, None where nobody may come in."""
    if settings.token_file is None:
        return None
    from telemetry_collector.page.serving import Before, Page

    async def decide(decision: Decision) -> tuple[Stored, bool] | UsageError:
        def job(store: Store) -> tuple[Stored, bool] | UsageError:
            try:
                return store.decisions.decide(decision)
            except UsageError as error:  # of who asked, and none of the store
                return error

        return await writer.call(job)

    def address(request: Request) -> str:
        return door.address(request.scope["client"], ",".join(request.headers.getlist(door.header)))

    return Page(desk, Before(settings, settings.token_file, address, decide))


class Pings:
    """The calls that lead to the store."""

    def __init__(self, door: Door, writer: Writer) -> None:
        self._door = door
        self._writer = writer
        self._arriving = Arriving()
        self._names = tuple(name.encode() for name in (*intake.HEADERS, door.header))

    async def one(self, request: Request) -> Response:
        """`POST /pings`: one report."""
        read = await self._read(request, BODY_LIMIT, _one)
        if isinstance(read, Refusal):
            return receipts.refused(read)
        read = self._let_in(read)
        if isinstance(read, Refusal):
            return receipts.refused(read)
        stored = await self._stored([read])
        return receipts.refused(stored) if isinstance(stored, Refusal) else receipts.answer(stored[0])

    async def many(self, request: Request) -> Response:
        """`POST /pings/batch`: the reports of many engines, each judged by itself."""

        def reports(said: Envelope, origin: Origin, content: bytes) -> list[Submission | Refusal] | Refusal:
            batch = intake.batch(content, origin)
            if isinstance(batch, Refusal):
                return batch
            return self._door.batch(request.scope["client"], said.forwarded, len(batch)) or batch

        batch = await self._read(request, BATCH_LIMIT, reports)
        if isinstance(batch, Refusal):
            return receipts.refused(batch)
        read = [self._let_in(one) for one in batch]
        stored = await self._stored([one for one in read if isinstance(one, Submission)])
        if isinstance(stored, Refusal):
            return receipts.refused(stored)
        verdicts = iter(stored)
        return receipts.answers([one if isinstance(one, Refusal) else next(verdicts) for one in read])

    async def ready(self, request: Request) -> Response:  # noqa: ARG002  # the signature is the library's
        """`GET /health/ready`: whether something can be committed now."""
        return receipts.state(good=await self._writer.is_ready())

    def _let_in(self, read: Submission | Refusal) -> Submission | Refusal:
        return read if isinstance(read, Refusal) else self._door.refused(read) or read

    async def _read(self, request: Request, limit: int, read: Reading[T]) -> T | Refusal:
        """What came, read; not where the door refuses it. The bytes themselves are not kept while it is stored."""
        said = self._said(request)
        origin = self._door.origin(request.scope["client"], said.forwarded)
        if isinstance(origin, Refusal):
            return origin
        content = await self._content(request, said, limit, origin=origin)
        return content if isinstance(content, Refusal) else read(said, origin, content)

    def _said(self, request: Request) -> Envelope:
        """What its headers say, looked at once: it is done for every report."""
        found: dict[bytes, bytes] = {}
        for name, value in request.scope["headers"]:
            if name in self._names:
                found[name] = found[name] + b"," + value if name in found else value
        kind, encoding, digest, key, length, forwarded = self._names
        return Envelope(
            found.get(kind, b"").decode("latin-1"),
            found.get(encoding, b"").decode("latin-1"),
            found.get(digest, b"").decode("latin-1"),
            found[key].decode("latin-1") if key in found else None,
            found.get(length, b"").decode("latin-1"),
            found.get(forwarded, b"").decode("latin-1"),
        )

    async def _content(self, request: Request, said: Envelope, limit: int, *, origin: Origin) -> bytes | Refusal:
        """The content of a request, read no further than to the limit."""
        if said.content_length.isdecimal() and int(said.content_length[:20]) > limit:
            return intake.too_large(limit)
        message = await request.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body: bytes = message.get("body", b"")  # as it is nearly always
            return intake.too_large(limit) if len(body) > limit else intake.content(said, body, limit)
        place = origin.hashes[0].value if origin.hashes else ""
        arrived = await self._arriving.read(request, message, limit, place=place)
        return arrived if isinstance(arrived, Refusal) else intake.content(said, arrived, limit)

    async def _stored(self, submissions: list[Submission]) -> list[Verdict] | Refusal:
        try:
            return await self._writer.commit(submissions)
        except StoreError:
            return Refusal(503, "store", "Nothing can be stored now.", retry_after=receipts.LATER)


def _one(said: Envelope, origin: Origin, content: bytes) -> Submission | Refusal:
    return intake.submission(said.key, content, origin)


async def _live(request: Request) -> Response:  # noqa: ARG001  # as above
    return receipts.state(good=True)


async def _document(request: Request) -> Response:  # noqa: ARG001  # as above
    return receipts.document(openapi.document())


def living(writer: Writer, tend: Callable[[], AbstractAsyncContextManager[None]]) -> Lifespan:
    """The life of the application: the writer begins and ends with it, and what else is to be tended."""

    @asynccontextmanager
    async def life(_application: Starlette) -> AsyncIterator[None]:
        writer.start()
        sweeping = asyncio.create_task(_sweep(writer))
        try:
            async with tend():
                yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await writer.end()

    return life


async def _sweep(writer: Writer) -> None:
    while True:
        await asyncio.sleep(1)
        writer.sweep()
