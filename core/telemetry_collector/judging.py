"""What a submission is beside what is held: new, a duplicate, a conflict, or a better one; no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

import msgspec

from telemetry_collector import suspicion
from telemetry_collector.model import SAME_WITHIN, Held, History, Ruling, State, Submission, Verdict
from telemetry_core.model import Millis

COMPARED = 10
"""So many of the newest reports of a window are compared by their counts; engines have one."""

COUNTERS = 1000
"""A report with more of them above 0 is compared with none; engines have some hundred."""

_NOBODYS: Mapping[str, History] = {}


class Known:
    """What is held that can matter for some submissions, and what came before.

    Args:
        held: The reports.
        next_number: The number of the next report that is stored.
        histories: Of installations, as far as they are needed.
        is_flooding: Takes note of a report of an installation, and says whether too many came by then.

    Attributes:
        next_number: The same.
    """

    def __init__(
        self,
        held: Sequence[Held],
        next_number: int,
        *,
        histories: Mapping[str, History] = _NOBODYS,
        is_flooding: Callable[[str, Millis], bool] = lambda _installation, _now: False,
    ) -> None:
        self.next_number = next_number
        self._histories = histories
        self._is_flooding = is_flooding
        self._by_id: dict[str, Held] = {}
        self._by_content: dict[tuple[str, str, str], list[Held]] = {}
        self._keyed: dict[tuple[str, str], Held] = {}
        self._attempts: dict[tuple[str, str], list[Held]] = {}
        for one in held:
            self._put(one)

    def of_id(self, key: str) -> Held | None:
        """The one with that id."""
        return self._by_id.get(key)

    def same(self, submission: Submission) -> Sequence[Held]:
        """Those of the same installation and window with the same bytes, the oldest first."""
        return self._by_content.get((submission.installation, submission.window, submission.sha256), ())

    def keyed(self, submission: Submission) -> Held | None:
        """The one of the same window that has a key."""
        return self._keyed.get((submission.installation, submission.window))

    def attempts(self, submission: Submission) -> Sequence[Held]:
        """The newest of those of the same window that have none, and count."""
        return self._attempts.get((submission.installation, submission.window), ())[-COMPARED:]

    def suspects(self, submission: Submission) -> str:
        """Why a report that is to be stored is suspicious; empty where it is not."""
        if submission.facts is None:
            return ""
        history = self._histories.get(submission.installation, suspicion.NO_HISTORY)
        now = submission.received_at
        is_flooding = self._is_flooding(submission.installation, now)
        return suspicion.reason(submission.facts, now, history, is_flooding=is_flooding)

    def note(self, verdict: Verdict) -> None:
        """Hold what was ruled to be stored, for those that are judged after it."""
        if verdict.ruling is Ruling.STORED:
            self.next_number += 1
            if verdict.supersedes is not None:
                self._attempts[verdict.held.installation, verdict.held.window].remove(verdict.supersedes)
            self._put(verdict.held)

    def _put(self, held: Held) -> None:
        window = held.installation, held.window
        self._by_id[held.id] = held
        self._by_content.setdefault((*window, held.sha256), []).append(held)
        if held.keyed:
            self._keyed.setdefault(window, held)
        elif held.counts is not None:
            self._attempts.setdefault(window, []).append(held)


def judge_all(submissions: Sequence[Submission], known: Known) -> list[Verdict]:
    """Judge one after the other, each beside those before it."""
    verdicts = []
    for submission in submissions:
        verdict = judge(submission, known)
        known.note(verdict)
        verdicts.append(verdict)
    return verdicts


def judge(submission: Submission, known: Known) -> Verdict:
    """Judge one submission."""
    return _with_key(submission, known) if submission.keyed else _without_key(submission, known)


def _with_key(submission: Submission, known: Known) -> Verdict:
    """The same key is the same report, and so is the same window; with other bytes it cannot be."""
    same = known.of_id(submission.key)
    if same is not None:
        return Verdict(Ruling.DUPLICATE if same.sha256 == submission.sha256 else Ruling.CONFLICT, same)
    if submission.window:
        for held in known.same(submission):
            return Verdict(Ruling.DUPLICATE, held)
        other = known.keyed(submission)
        if other is not None:
            return Verdict(Ruling.CONFLICT, other)
    return _stored(submission, submission.key, known)


def _without_key(submission: Submission, known: Known) -> Verdict:
    """An engine's own report: a duplicate by bytes, address and time, or a better one by its start date (facts §2.3).

    Engines from 7.19 on try again with the same start date, and with what was counted meanwhile. Nothing else tells
    an attempt from the next report, so older ones that come again after a minute are counted again.
    """
    for held in known.same(submission):
        if held.keyed or _is_same_soon_after(submission, held):
            return Verdict(Ruling.DUPLICATE, held)
    stored = _stored(submission, str(uuid4()), known)
    counts = stored.held.counts
    return stored if counts is None else beside_attempts(stored.held, counts, known.attempts(submission))


def beside_attempts(new: Held, counts: Mapping[str, int], earlier: Sequence[Held]) -> Verdict:
    """What an engine's own report is beside earlier ones of its window.

    Args:
        new: The report, as one that counts.
        counts: Its counts.
        earlier: Those that count, with their counts.
    """
    for held in sorted(earlier, key=lambda held: (held.hash != new.hash, -held.number)):
        if covers(counts, held.counts or {}):
            return Verdict(Ruling.STORED, new, supersedes=held)
        if covers(held.counts or {}, counts):
            return Verdict(Ruling.STORED, _as(new, State.SUPERSEDED))
    for held in earlier:
        if new.received_at - held.received_at > suspicion.FALL_AFTER:
            reason = suspicion.fall(counts, held.counts or {}, new.window)
            return Verdict(Ruling.STORED, _as(new, State.QUARANTINED), reason=reason)
    return Verdict(Ruling.STORED, new)


def covers(counts: Mapping[str, int], others: Mapping[str, int]) -> bool:
    """Whether no count is smaller than the other one of the same name."""
    return all(counts.get(name, 0) >= count for name, count in others.items())


def comparable(counts: Mapping[str, int]) -> Mapping[str, int] | None:
    """Those that are not 0, since one that is missing is the same; None where they are too many to be compared."""
    found = {name: count for name, count in counts.items() if count}
    return found if len(found) <= COUNTERS else None


def _is_same_soon_after(submission: Submission, held: Held) -> bool:
    return abs(submission.received_at - held.received_at) <= SAME_WITHIN and any(
        held.hash == one.value for one in submission.hashes
    )


def _stored(submission: Submission, name: str, known: Known) -> Verdict:
    """A report that is new by its key or its bytes: one that counts, or one that is set apart."""
    new = Held(
        number=known.next_number,
        id=name,
        keyed=submission.keyed,
        sha256=submission.sha256,
        installation=submission.installation,
        window=submission.window,
        received_at=submission.received_at,
        state=State.COUNTED,
        hash=submission.hashes[0].value if submission.hashes else "",
        counts=comparable(submission.counts) if submission.window and not submission.keyed else None,
    )
    reason = known.suspects(submission)
    return Verdict(Ruling.STORED, _as(new, State.QUARANTINED) if reason else new, reason=reason)


def _as(held: Held, state: State) -> Held:
    """A report that does not count; its counts are compared with nothing."""
    return msgspec.structs.replace(held, state=state, counts=None)
