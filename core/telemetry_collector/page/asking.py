"""What a view of the collector's page is given: a request of somebody who has signed in, and the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from telemetry_collector.store import Decision, Store, Stored
from telemetry_core.model import Millis
from telemetry_web.page.asked import Drawn, Moved

Answer: TypeAlias = Drawn | Moved


@dataclass(frozen=True, slots=True)
class Question:
    """A request.

    Attributes:
        store: Opened to be read.
        decide: Decides about a report, between two commits of the service; whether that has changed something.
        who: Whose token it is.
        now: When.
        query: What stands behind the `?` of its address, each name once.
        form: The fields of a form that was sent, each once.
    """

    store: Store
    decide: Callable[[Decision], tuple[Stored, bool]]
    who: str
    now: Millis
    query: Mapping[str, str]
    form: Mapping[str, str]
