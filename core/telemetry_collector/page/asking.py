"""What a view of the collector's page is given: a request of somebody who has signed in, and the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from telemetry_collector.store import Decision, Store, Stored
from telemetry_core.model import Millis
from telemetry_web.page.asked import Drawn, Moved

ON_A_PAGE = 50

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

    def first(self, count: int) -> int:
        """Which of so many lines is the first one to be shown."""
        text = self.query.get("from", "")
        wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
        return wanted if wanted < count else 0


def around(first: int, count: int) -> Mapping[str, int | None]:
    """Where the lines before and after some begin, for links; None where there are none."""
    return {
        "earlier": max(first - ON_A_PAGE, 0) if first else None,
        "later": first + ON_A_PAGE if first + ON_A_PAGE < count else None,
    }
