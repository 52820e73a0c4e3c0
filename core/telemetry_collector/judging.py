"""What a submission is beside what is held: new, a duplicate, a conflict, or a better one; no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import uuid4

from telemetry_collector.model import SAME_WITHIN, Held, Ruling, State, Submission, Verdict


class Known:
    """What is held that can matter for some submissions, and `next_number` for what comes.

    Attributes:
        next_number: The number of the next report that is stored.
    """

    def __init__(self, held: Sequence[Held], next_number: int) -> None:
        self.next_number = next_number
        self._by_id: dict[str, Held] = {}
        self._by_window: dict[tuple[str, str], list[Held]] = {}
        for one in held:
            self._put(one)

    def of_id(self, key: str) -> Held | None:
        """The one with that id."""
        return self._by_id.get(key)

    def of_window(self, installation: str, window: str) -> Sequence[Held]:
        """Those of an installation whose counts begin there."""
        return self._by_window.get((installation, window), ())

    def note(self, verdict: Verdict) -> None:
        """Hold what was ruled to be stored, for those that are judged after it."""
        if verdict.ruling is Ruling.STORED:
            self.next_number += 1
            if verdict.supersedes is not None:
                self._by_window[verdict.held.installation, verdict.held.window].remove(verdict.supersedes)
            self._put(verdict.held)

    def _put(self, held: Held) -> None:
        self._by_id[held.id] = held
        self._by_window.setdefault((held.installation, held.window), []).append(held)


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
        of_window = known.of_window(submission.installation, submission.window)
        for held in of_window:
            if held.sha256 == submission.sha256:
                return Verdict(Ruling.DUPLICATE, held)
        for held in of_window:
            if held.keyed:
                return Verdict(Ruling.CONFLICT, held)
    return Verdict(Ruling.STORED, _held(submission, submission.key, known.next_number))


def _without_key(submission: Submission, known: Known) -> Verdict:
    """An engine's own report: a duplicate by bytes, address and time, or a better one by its start date (facts §2.3).

    Engines from 7.19 on try again with the same start date, and with what was counted meanwhile. Nothing else tells
    an attempt from the next report, so older ones that come again after a minute are counted again.
    """
    of_window = known.of_window(submission.installation, submission.window)
    for held in of_window:
        if held.sha256 == submission.sha256 and (held.keyed or _is_same_soon_after(submission, held)):
            return Verdict(Ruling.DUPLICATE, held)
    new = _held(submission, str(uuid4()), known.next_number)
    if not submission.window:
        return Verdict(Ruling.STORED, new)
    earlier = [held for held in of_window if not held.keyed and held.counts is not None]
    for held in sorted(earlier, key=lambda held: (held.hash != new.hash, -held.number)):
        if covers(submission.counts, held.counts or {}):
            return Verdict(Ruling.STORED, new, supersedes=held)
        if covers(held.counts or {}, submission.counts):
            return Verdict(Ruling.STORED, _held(submission, new.id, new.number, State.SUPERSEDED))
    return Verdict(Ruling.STORED, new)


def covers(counts: Mapping[str, int], others: Mapping[str, int]) -> bool:
    """Whether no count is smaller than the other one of the same name."""
    return all(counts.get(name, 0) >= count for name, count in others.items())


def _is_same_soon_after(submission: Submission, held: Held) -> bool:
    return abs(submission.received_at - held.received_at) <= SAME_WITHIN and any(
        held.hash == one.value for one in submission.hashes
    )


def _held(submission: Submission, name: str, number: int, state: State = State.COUNTED) -> Held:
    return Held(
        number=number,
        id=name,
        keyed=submission.keyed,
        sha256=submission.sha256,
        installation=submission.installation,
        window=submission.window,
        received_at=submission.received_at,
        state=state,
        hash=submission.hashes[0].value if submission.hashes else "",
        counts=submission.counts if submission.window and not submission.keyed and state is State.COUNTED else None,
    )
