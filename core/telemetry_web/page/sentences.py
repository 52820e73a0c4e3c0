"""Sentences with gaps: whether a text is one, and what stands in its gaps; the time it takes grows with its length."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from telemetry_core.model import Kind, Outcome, ReportState, Trigger
from telemetry_core.words.status import STATES

GAP = re.compile(r"\{(\w+)\}")

_JOINT = 3
"""Characters of a sentence that is none, but a comma or the like between two."""

_NUMBER = re.compile(r"\d[\d.e+]{0,15}")
_DATE = re.compile(r"\d[\w:.+-]*")
_WORD = re.compile(r"\S+")
_LENGTH = re.compile(r"\d+ (?:min|h)")
_INSTANT = re.compile(r"\d{4,5}-\d\d-\d\dT[\d:.]+Z|unknown")
_FIELDS = re.compile(r"[\w.-]+(?:, [\w.-]+)*")
_ANYTHING = re.compile(r".+", re.DOTALL)

#: What may stand in the gaps that hold names and numbers, and nothing to translate. A digit behind the name tells two
#: of a kind apart, as in `{instant2}`. Gaps with other names hold texts of the catalogue in turn.
_NAMES: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("count", "seconds", "status", "days"), _NUMBER),
    **dict.fromkeys(("engine", "id", "url", "setting", "word"), _WORD),
    "date": _DATE,
    "length": _LENGTH,
    "instant": _INSTANT,
    "fields": _FIELDS,
    **dict.fromkeys(("engines", "names", "path", "said", "table", "user"), _ANYTHING),
}

#: And in those that hold one of a few words, which are translated.
_WORDS: Mapping[str, re.Pattern[str]] = {
    "kind": re.compile("|".join(Kind)),
    "outcome": re.compile("|".join(Outcome)),
    "state": re.compile("|".join([*STATES.values(), *ReportState])),
    "trigger": re.compile("|".join(Trigger)),
}


def is_name(gap: str) -> bool:
    """Whether a gap holds a name or number, and no text of the catalogue."""
    return _kind(gap) in _NAMES


def _kind(gap: str) -> str:
    return gap.rstrip("0123456789")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with at least one gap, no two of them side by side, and its translation.

    Attributes:
        pieces: What stands before, between and behind the gaps; one more than there are gaps.
        gaps: Their names.
    """

    pieces: tuple[str, ...]
    gaps: tuple[str, ...]
    translation: str

    @property
    def fixed(self) -> int:
        """How much of it is not left open."""
        return sum(map(len, self.pieces))

    @property
    def joins(self) -> bool:
        """Whether it has nothing of its own, and only puts others side by side: `{problem}; {further}`."""
        return self.fixed < _JOINT

    @property
    def ends(self) -> bool:
        """Whether it ends with a full stop, as its translation does."""
        return self.pieces[-1].endswith(".") and self.translation.endswith(".")

    def match(self, text: str) -> Mapping[str, str] | None:
        """What stands in the gaps of a text that is this sentence; None where it is another one.

        A piece is looked for from the left, and if that leaves in a gap what cannot be there, from the right: never is
        one tried in all places, so that a long text of an engine holds nobody up.
        """
        begin, end = len(self.pieces[0]), len(text) - len(self.pieces[-1])
        if begin >= end or not text.startswith(self.pieces[0]) or not text.endswith(self.pieces[-1]):
            return None
        for split in (_from_left, _from_right):
            contents = split(text[begin:end], self.pieces[1:-1])
            if contents is not None and all(map(_fits, self.gaps, contents)):
                return dict(zip(self.gaps, contents, strict=True))
        return None


def sentence(text: str, translation: str) -> Sentence:
    """A sentence as the catalogue has it."""
    parts = GAP.split(text)
    return Sentence(tuple(parts[::2]), tuple(parts[1::2]), translation)


def _fits(gap: str, content: str) -> bool:
    possible = _NAMES.get(_kind(gap)) or _WORDS.get(_kind(gap)) or _ANYTHING
    return possible.fullmatch(content) is not None


def _from_left(text: str, pieces: tuple[str, ...]) -> list[str] | None:
    contents: list[str] = []
    at = 0
    for piece in pieces:
        found = text.find(piece, at + 1)
        if found < 0:
            return None
        contents.append(text[at:found])
        at = found + len(piece)
    return [*contents, text[at:]] if at < len(text) else None


def _from_right(text: str, pieces: tuple[str, ...]) -> list[str] | None:
    contents: list[str] = []
    end = len(text)
    for piece in reversed(pieces):
        found = text.rfind(piece, 0, end - 1) if end > 1 else -1
        if found < 0:
            return None
        contents.insert(0, text[found + len(piece) : end])
        end = found
    return [text[:end], *contents] if end else None
