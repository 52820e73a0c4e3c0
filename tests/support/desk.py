"""A session in this process: a store in a directory, a configuration from values, and a clock that a test moves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from telemetry_core import administration, reporting
from telemetry_core.config import Layers, load
from telemetry_core.model import Clock, Report
from telemetry_core.reporting import Request, Sending, Session
from telemetry_core.store import Place, Store
from tests.support.receiver import Receiver

AUTHOR = administration.Author(user="ada", how="command")


class Desk:
    """What an administrator does, without the command line; each call opens the store anew, as each process does."""

    def __init__(self, directory: Path, clock: Clock, engines: dict[str, str], endpoint: str, **more: str) -> None:
        self.directory = directory
        self.clock = clock
        self.place: Place = directory / "telemetry.db"
        self.variables = {
            "TELEMETRY_ENDPOINT": endpoint,
            "TELEMETRY_REPORTER__RETRIES": "0",
            **{f"TELEMETRY_ENGINES__{name.upper()}__REST": url for name, url in engines.items()},
            **more,
        }

    @contextmanager
    def session(self, **variables: str) -> Iterator[Session]:
        """A session of a process with some more variables."""
        config = load(Layers(environment={**self.variables, **variables}))
        with Store.for_writing(self.place, self.clock.now()) as store:
            yield Session(config, store, self.clock)

    def enable(self, *names: str, **variables: str) -> None:
        """Enable some engines, or all."""
        with self.session(**variables) as session:
            for engine in session.engines(names):
                administration.enable(session, engine, AUTHOR)

    def disable(self, *names: str, no_requests: bool = False) -> None:
        """Disable some engines, or all."""
        with self.session() as session:
            for engine in session.engines(names):
                administration.disable(session, engine, AUTHOR, no_requests=no_requests)

    def send(self, *names: str, force: bool = False, initial: bool = False, **variables: str) -> Sending:
        """Send what is due."""
        with self.session(**variables) as session:
            request = Request(force=force, initial=initial)
            return reporting.send(session, session.engines(names), request)

    def keep(self) -> None:
        """Make the periodic report of the first engine pending."""
        with self.session() as session:
            reporting.keep(session, session.config.engines[0])

    def reports(self) -> list[Report]:
        """All reports, newest first."""
        with self.session() as session:
            return session.store.reports.newest_first()


def counted(receiver: Receiver, metric: str = "root-process-instance-start") -> list[int]:
    """What each periodic report that a receiver got counts, one per key, in the order in which they came first."""
    bodies: dict[str, Any] = {}
    for request in receiver.received:
        bodies.setdefault(request.key, json.loads(request.body)["product"]["internals"])
    return [internals["metrics"][metric]["count"] for internals in bodies.values() if "metrics" in internals]
