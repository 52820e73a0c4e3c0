"""The page's texts in the browser's language: a catalogue of words and of sentences with gaps (gettext, Babel)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from unicodedata import category

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

LANGUAGES = ("en", "de")
_DEEPEST = 4
"""Sentences within sentences; ours have no more."""

_GAP = re.compile(r"\{(\w+)\}")
_CODE = re.compile(r"`([^`]+)`")
_QUALITY = re.compile(r"\s*([A-Za-z-]{1,16}|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


def language_of(accepted: str) -> str:
    """The language for a header `Accept-Language` (RFC 9110 §12.5.4); English where none of ours is wanted."""
    wanted = []
    for position, part in enumerate(accepted[:500].split(",")):
        match = _QUALITY.fullmatch(part)
        if match is not None and match[1] != "*" and (quality := float(match[2] or 1)) > 0:
            wanted.append((-quality, position, match[1]))
    names = [name.replace("-", "_") for _, _, name in sorted(wanted)]
    return negotiate_locale(names, LANGUAGES, aliases={}) or "en"


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence with gaps, taken apart, and what it is in the other language."""

    parts: tuple[str, ...]
    translation: str


class Texts:
    """The texts of one language; `words` are its catalogue's, without which they are read from its file."""

    def __init__(self, language: str, words: Mapping[str, str] | None = None) -> None:
        self.language = language
        self._words = _words_of(language) if words is None else words
        self._sentences = _sentences_of(self._words)

    def word(self, text: str, **gaps: object) -> str:
        """A text of the page itself, with its gaps filled; English where the catalogue lacks it, as a test forbids."""
        translated = self._words.get(text, text)
        return translated.format(**gaps) if gaps else translated

    def said(self, text: object) -> Markup:
        """What another part of the product has said, in the language of the page where the catalogue has it.

        What is between backticks is code. What has no translation stays English, and is marked as such for readers
        that speak.
        """
        words = printable(str(text))
        if self.language == "en":
            return _coded(words)
        return self._translated(words)

    def _translated(self, text: str, depth: int = 0) -> Markup:
        if text in self._words:
            return _coded(self._words[text])
        for sentence in self._sentences if depth < _DEEPEST else ():
            gaps = gaps_of(sentence.parts, text)
            if gaps is not None:
                return Markup("").join(self._filled(sentence.translation, gaps, depth + 1))
        if not any(character.isalpha() for character in text):
            return _coded(text)
        return Markup('<span lang="en">{}</span>').format(_coded(text))

    def _filled(self, translation: str, gaps: Mapping[str, str], depth: int) -> Iterator[Markup]:
        for position, part in enumerate(_CODE.split(translation)):
            if position % 2:
                yield Markup("<code>{}</code>").format(_GAP.sub(lambda gap: gaps[gap[1]], part))
                continue
            for place, piece in enumerate(_GAP.split(part)):
                yield self._translated(gaps[piece], depth) if place % 2 else escape(piece)


def printable(text: str) -> str:
    """What an engine says is shown as it is, and neither breaks a line nor turns the direction of one."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" or category(one) == "Zs" else "\ufffd" for one in text)


def _coded(text: str) -> Markup:
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


@cache
def texts(language: str) -> Texts:
    """The texts of a language, one of `LANGUAGES`."""
    return Texts(language)


def _words_of(language: str) -> dict[str, str]:
    if language == "en":
        return {}
    return {str(one.id): str(one.string) for one in catalogue(language) if one.id and one.string}


def _sentences_of(words: Mapping[str, str]) -> list[_Sentence]:
    sentences = [one for one in words if _GAP.search(one)]
    sentences.sort(key=lambda one: -len(_GAP.sub("", one)))  # the one that leaves least open comes first
    return [_Sentence(tuple(_GAP.split(one)), words[one]) for one in sentences]


def catalogue(language: str) -> Catalog:
    """The catalogue as it is in its file."""
    with resources.files("telemetry_web.page").joinpath("locale", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def gaps_of(parts: Sequence[str], text: str) -> dict[str, str] | None:
    """What stands in a sentence's gaps, None where a text is not that sentence.

    Each gap is as short as can be and never empty. It takes time in proportion to the text, which somebody outside may
    have made to look like a thousand sentences; a regular expression would try them all.

    Args:
        parts: In turn what the sentence says and the name of a gap, beginning and ending with what it says.
        text: All of it.
    """
    found = {}
    place, end = len(parts[0]), len(text) - len(parts[-1])
    if not text.startswith(parts[0]) or not text.endswith(parts[-1]):
        return None
    for name, says in zip(parts[1:-2:2], parts[2:-2:2], strict=True):
        next_place = text.find(says, place + 1, end)
        if next_place < 0:
            return None
        found[name] = text[place:next_place]
        place = next_place + len(says)
    if place >= end:
        return None
    found[parts[-2]] = text[place:end]
    return found
