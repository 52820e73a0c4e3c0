"""What delivering needs beside a report: the run's deadline, and the lease that keeps other nodes from the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from telemetry_core.config import Reporter
from telemetry_core.errors import AlreadySending, StoreError
from telemetry_core.model import MINUTE, Clock, Millis, Report
from telemetry_core.store import Lease, Store

_LEASE_MARGIN: Millis = MINUTE
"""A node that is still sending after its deadline and this is gone, or stands still."""


@dataclass(slots=True)
class Courier:
    """What delivering needs beside a report; one for a whole run, so that its deadline is one for all reports.

    Attributes:
        store: Where outcomes are kept.
        clock: Time and chance.
        settings: Time limits, retries, TLS and token.
        fits: Says before each attempt why a report no longer fits the consent of now; empty where it does.
        spent: Seconds of the deadline that earlier reports of the run took.
        begun_at: Since when one is being delivered, by the monotonic clock.
        lease: Of the report that is being delivered.
    """

    store: Store
    clock: Clock
    settings: Reporter
    fits: Callable[[Report], str]
    spent: float = 0.0
    begun_at: float | None = None
    lease: Lease | None = None

    def seconds_left(self) -> float:
        """Of the run's deadline, which runs while reports are delivered and not while engines are read."""
        now = self.clock.monotonic()
        running = 0.0 if self.begun_at is None else now - self.begun_at
        return self.settings.deadline / 1000 - self.spent - running

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Let the run's deadline run."""
        self.begun_at = self.clock.monotonic()
        try:
            yield
        finally:
            self.spent += self.clock.monotonic() - self.begun_at
            self.begun_at = None

    @contextmanager
    def leasing(self, report: Report) -> Iterator[None]:
        """Keep other nodes from sending a report, until it is settled or this one is gone (DESIGN §5).

        Raises:
            AlreadySending: Another node is sending it, or has done so since it was read here.
        """
        leases = self.store.leases
        self.lease = leases.take(report.id, self.settings.deadline + _LEASE_MARGIN)
        if self.lease is None:
            raise AlreadySending("Another node is sending the report.")
        try:
            self._refuse_what_was_sent(report)
            yield
        except BaseException:
            with suppress(StoreError):  # what went wrong before is what is said; the lease ends by itself
                leases.give_back(self.lease)
            raise
        leases.give_back(self.lease)

    def _refuse_what_was_sent(self, report: Report) -> None:
        kept = self.store.reports.get(report.id)
        if kept is not None and _tries(kept) != _tries(report):
            raise AlreadySending("Another node has sent the report meanwhile.")

    def may_send(self) -> bool:
        """Whether the report is still this node's to send."""
        return self.lease is not None and self.store.leases.is_held(self.lease)


def _tries(report: Report) -> tuple[int, int, Millis]:
    """What tells whether an attempt was begun or has ended; only its end says how long the next one waits."""
    return report.attempts, report.failed_runs, report.next_attempt_at
