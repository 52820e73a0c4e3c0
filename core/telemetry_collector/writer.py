"""The one writer: a thread that commits whatever arrived while its last commit ran, and comes back after failures."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar

from telemetry_collector.model import Submission, Verdict
from telemetry_collector.store import Store
from telemetry_core.errors import StoreError, StoreUnavailable, TelemetryError
from telemetry_core.model import Clock

T = TypeVar("T")

AT_ONCE = 500
"""Reports that one commit takes at most."""

WAITING_BYTES = 32 * 1024 * 1024
"""Of bodies that wait for the writer; what comes on top is asked to come again."""

PATIENCE = 10.0
"""Seconds that a request waits for its commit; engines wait for 15 (facts §2.1)."""

_RETRY_SECONDS = 1.0


class Opening(Protocol):
    """What the writer needs of whoever runs it."""

    @property
    def clock(self) -> Clock:
        """Time."""

    def store(self, *, again: bool) -> Store:
        """Open the store; again after a failure, then it is not made where there is none.

        Raises:
            TelemetryError: It cannot be opened.
        """

    def note(self, problem: TelemetryError) -> None:
        """Told of a failure of the store, once for as long as it lasts."""

    def note_bug(self) -> None:
        """Told, while it is handled, of an exception that nobody expected."""


@dataclass(slots=True)
class _Entry:
    """Something that waits: what was submitted, or something else to do with the store."""

    future: asyncio.Future[object]
    deadline: float
    submissions: Sequence[Submission] = ()
    job: Callable[[Store], object] | None = None
    size: int = 0


class Writer:
    """Its public methods, `_put` and `_settle` are called in the thread of the event loop, all else in its own."""

    def __init__(self, opening: Opening, store: Store) -> None:
        self._opening = opening
        self._store: Store | None = store
        self._entries: SimpleQueue[_Entry | None] = SimpleQueue()
        self._waiting: deque[_Entry] = deque()
        self._bytes = 0
        self._ready = False
        self._has_bug = False
        self._tried_at = 0.0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop

    async def is_ready(self) -> bool:
        """Whether something can be committed now: it is tried, once a second at most."""
        if not self._ready or self._loop.time() - self._tried_at < _RETRY_SECONDS:
            return self._ready
        self._tried_at = self._loop.time()
        try:
            await self.call(lambda store: store.beat(self._opening.clock.now()))
        except StoreError:
            return False
        return True

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def end(self) -> None:
        """Commit what waits, and end."""
        self._entries.put(None)
        await self._loop.run_in_executor(None, self._thread.join)

    async def commit(self, submissions: Sequence[Submission]) -> list[Verdict]:
        """Store submissions; what is returned is on the disk.

        Raises:
            StoreError: That cannot be done now.
        """
        if not self._ready:
            raise StoreUnavailable("The store cannot be written now.")
        size = sum(len(one.body) for one in submissions)
        if self._bytes + size > WAITING_BYTES:
            raise StoreUnavailable("Too many reports wait to be stored.")
        self._bytes += size
        future: asyncio.Future[list[Verdict]] = self._loop.create_future()
        self._put(_Entry(future, self._loop.time() + PATIENCE, submissions, size=size))  # type: ignore[arg-type]  # its result is that
        return await future

    async def call(self, job: Callable[[Store], T]) -> T:
        """Do something else with the store, between two commits.

        Raises:
            StoreError: That cannot be done now.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        self._put(_Entry(future, self._loop.time() + PATIENCE, job=job))  # type: ignore[arg-type]  # as above
        return await future

    def sweep(self) -> None:
        """Give up what has waited too long; to be called every second."""
        now = self._loop.time()
        while self._waiting and (self._waiting[0].future.done() or self._waiting[0].deadline < now):
            entry = self._waiting.popleft()
            if not entry.future.done():
                entry.future.set_exception(StoreUnavailable("The store is slow."))

    def _put(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        if len(self._waiting) > 2 * AT_ONCE:
            self.sweep()
        self._entries.put(entry)

    def _run(self) -> None:
        """The thread: until it is told to end, and nothing waits any more."""
        ending = False
        self._recover()
        while not ending:
            batch, ending = self._next()
            for some in _groups(batch):
                outcomes = self._done(some)
                self._loop.call_soon_threadsafe(self._settle, some, outcomes)
            if not self._ready and not ending:
                self._recover()
        if self._store is not None:
            self._store.close()

    def _next(self) -> tuple[list[_Entry], bool]:
        """What waits, and whether the end was among it; while the store is in trouble, after a second at the latest."""
        batch: list[_Entry] = []
        count = 0
        try:
            entry = self._entries.get(timeout=None if self._ready else _RETRY_SECONDS)
            while entry is not None:
                batch.append(entry)
                count += len(entry.submissions)
                if count >= AT_ONCE:
                    return batch, False
                entry = self._entries.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _done(self, some: Sequence[_Entry]) -> list[object]:
        """What came of some entries, for each a result or an exception."""
        try:
            return self._tried(some)
        except StoreError as error:
            self._fail(error)
            return [StoreUnavailable(error.message, hint=error.hint) for _ in some]
        except Exception as bug:  # noqa: BLE001  # one bad entry takes no other with it, and the thread goes on
            if len(some) > 1:
                return [outcome for entry in some for outcome in self._done([entry])]
            self._opening.note_bug()
            return [bug]

    def _tried(self, some: Sequence[_Entry]) -> list[object]:
        if self._store is None:
            raise StoreUnavailable("The store cannot be opened.")
        if some[0].job is not None:
            return [some[0].job(self._store)]
        verdicts = iter(self._store.commit([one for entry in some for one in entry.submissions]))
        return [[next(verdicts) for _ in entry.submissions] for entry in some]

    def _settle(self, some: Sequence[_Entry], outcomes: Sequence[object]) -> None:
        for entry, outcome in zip(some, outcomes, strict=True):
            self._bytes -= entry.size
            if entry.future.done():
                continue  # nobody waits for it any more
            if isinstance(outcome, Exception):
                entry.future.set_exception(outcome)
            else:
                entry.future.set_result(outcome)

    def _fail(self, error: StoreError) -> None:
        if self._ready or self._store is not None:
            self._opening.note(error)
        self._ready = False
        if self._store is not None:
            with suppress(StoreError):
                self._store.close()
        self._store = None

    def _recover(self) -> None:
        """See whether the store can be written now."""
        try:
            if self._store is None:
                self._store = self._opening.store(again=True)
            self._store.beat(self._opening.clock.now())
        except TelemetryError as error:
            self._fail(error if isinstance(error, StoreError) else StoreUnavailable(error.message))
        except Exception:  # noqa: BLE001  # whatever it is, it is tried again
            if not self._has_bug:
                self._opening.note_bug()
            self._has_bug = True
            self._fail(StoreUnavailable("The store cannot be opened."))
        else:
            self._ready, self._has_bug = True, False


def _groups(batch: Sequence[_Entry]) -> list[list[_Entry]]:
    """What is committed at once: neighbours that submit something; every job is alone."""
    groups: list[list[_Entry]] = []
    for entry in batch:
        if groups and entry.job is None and groups[-1][-1].job is None:
            groups[-1].append(entry)
        else:
            groups.append([entry])
    return groups
