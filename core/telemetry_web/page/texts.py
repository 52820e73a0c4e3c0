"""The page's texts in the browser's language: a catalogue of words and of sentences with gaps (gettext, Babel)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources

from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

LANGUAGES = ("en", "de")
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
    """A sentence with gaps, and what it is in the other language."""

    shape: re.Pattern[str]
    translation: str


class Texts:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words, self._sentences = _catalogue(language)

    def word(self, text: str, **gaps: object) -> str:
        """A text of the page itself, with its gaps filled; English where the catalogue lacks it, as a test forbids."""
        translated = self._words.get(text, text)
        return translated.format(**gaps) if gaps else translated

    def said(self, text: object) -> Markup:
        """What another part of the product has said, in the language of the page where the catalogue has it.

        What is between backticks is code. What has no translation stays English, and is marked as such for readers
        that speak.
        """
        words = _printable(str(text))
        if self.language == "en":
            return _coded(words)
        return self._translated(words)

    def _translated(self, text: str) -> Markup:
        if text in self._words:
            return _coded(self._words[text])
        for sentence in self._sentences:
            match = sentence.shape.fullmatch(text)
            if match is not None:
                return Markup("").join(self._filled(sentence.translation, match))
        if not any(character.isalpha() for character in text):
            return _coded(text)
        return Markup('<span lang="en">{}</span>').format(_coded(text))

    def _filled(self, translation: str, match: re.Match[str]) -> Iterator[Markup]:
        for position, part in enumerate(_CODE.split(translation)):
            if position % 2:
                yield Markup("<code>{}</code>").format(_GAP.sub(lambda gap: match[gap[1]], part))
                continue
            for place, piece in enumerate(_GAP.split(part)):
                yield self._translated(match[piece]) if place % 2 else escape(piece)


def _printable(text: str) -> str:
    """What an engine says is shown as it is, and neither breaks a line nor turns the direction of one."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def _coded(text: str) -> Markup:
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


@cache
def texts(language: str) -> Texts:
    """The texts of a language, one of `LANGUAGES`."""
    return Texts(language)


def _catalogue(language: str) -> tuple[dict[str, str], list[_Sentence]]:
    if language == "en":
        return {}, []
    words = {str(one.id): str(one.string) for one in catalogue(language) if one.id and one.string}
    sentences = [one for one in words if _GAP.search(one)]
    sentences.sort(key=lambda one: -len(_GAP.sub("", one)))  # the one that leaves least open comes first
    return words, [_Sentence(_shape(one), words[one]) for one in sentences]


def catalogue(language: str) -> Catalog:
    """The catalogue as it is in its file."""
    with resources.files("telemetry_web.page").joinpath("locale", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def _shape(sentence: str) -> re.Pattern[str]:
    parts = _GAP.split(sentence)
    return re.compile(
        "".join(f"(?P<{part}>.+?)" if position % 2 else re.escape(part) for position, part in enumerate(parts)), re.S
    )
