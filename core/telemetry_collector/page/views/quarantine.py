"""What is in quarantine, each with its reason, and the decision about it."""

from __future__ import annotations

from telemetry_collector.model import State
from telemetry_collector.page.asking import Question
from telemetry_collector.store import Decision, Wanted
from telemetry_core.errors import UsageError
from telemetry_web.page.asked import ON_A_PAGE, Drawn, Moved, around, first_of

PATH = "/quarantine"
COUNTS = "The report {id} counts now, as if it had when it came."
COUNTS_NOT = "The report {id} is released; another one of the same begin counts more."
DROPPED = "The report {id} is dropped: it never counts."
UNCHANGED = "Nothing changed."


def quarantine(question: Question) -> Drawn:
    """A part of the list, newest first."""
    count = sum(question.store.listing.quarantined().values())
    first = first_of(question.query, count)
    reports = question.store.listing.newest(Wanted(quarantined=True), first=first, count=ON_A_PAGE)
    return Drawn("quarantine.html", {"reports": reports, "count": count, **around(first, count)})


def decide(question: Question) -> Moved:
    """Release or drop the report that the form names.

    Raises:
        UnknownReport: There is none of this id.
        UsageError: It is not in quarantine, or the form says something else.
        StoreError: Nothing was decided.
    """
    name, what = question.form.get("id", ""), question.form.get("decision", "")
    if what not in ("release", "drop") or not name.isprintable():
        raise UsageError("This is no form of this page.")
    decision = Decision(name, released=what == "release", decided_at=question.now, decided_by=question.who)
    stored, changed = question.decide(decision)
    texts = {State.COUNTED: COUNTS, State.SUPERSEDED: COUNTS_NOT, State.DROPPED: DROPPED}
    return Moved(PATH, texts[stored.state].format(id=stored.id) if changed else UNCHANGED)
