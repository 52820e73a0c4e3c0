"""The page's texts in the browser's language: a catalogue of words and of sentences with gaps (gettext, Babel)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from telemetry_web.page.sentences import GAP, Sentence, is_name, sentence

LANGUAGES = ("en", "de")

#: Rows whose values are names, or what people, engines or licences say: nothing of them is looked for in the catalogue.
VERBATIM = frozenset(
    {
        "SHA-256",
        "authorized by",
        "customer",
        "engines",
        "features",
        "fields",
        "installation",
        "raw",
        "reason",
        "type",
        "withheld",
    }
)

_CODE = re.compile(r"`([^`]+)`")
_RANGE = re.compile(
    r"\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?", re.IGNORECASE
)
_LONGEST_HEADER = 500
_DEEPEST = 8
"""How many sentences may stand in one another's gaps."""


def language_of(accepted: str) -> str:
    """The language for a header `Accept-Language` (RFC 9110 §12.5.4); English where none of ours is wanted."""
    parts = accepted[:_LONGEST_HEADER].split(",")
    if len(accepted) > _LONGEST_HEADER:
        del parts[-1]  # it was cut
    wanted: dict[str, tuple[float, int]] = {}
    for position, part in enumerate(parts):
        match = _RANGE.fullmatch(part)
        if match is not None:
            name = match[1].partition("-")[0].lower()
            wanted[name] = max(wanted.get(name, (0.0, 0)), (float(match[2] or 1), -position))
    others = wanted.get("*", (0.0, 0))
    best = max(LANGUAGES, key=lambda language: wanted.get(language, others))
    return best if wanted.get(best, others)[0] > 0 else LANGUAGES[0]


class Texts:
    """The texts of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._words, sentences = _catalogue(language)
        self._sentences = [one for one in sentences if not one.joins]
        self._joints = [one for one in sentences if one.joins]

    def word(self, text: str, **gaps: object) -> str:
        """A text of the page itself, with its gaps filled; English where the catalogue lacks it, as a test forbids."""
        translated = self._words.get(text, text)
        return translated.format(**gaps) if gaps else translated

    def said(self, text: object) -> Markup:
        """What another part of the product has said, in the language of the page where the catalogue has it.

        What is between backticks is code. What has no translation stays English, and is marked as such for readers
        that speak; names and numbers are of no language.
        """
        words = printable(str(text))
        return _coded(words) if self.language == "en" else self._translated(words)

    def _translated(self, text: str, depth: int = 0) -> Markup:
        found = self._found(text, depth)
        if found is not None:
            return found
        return _coded(text) if _is_name(text) else Markup('<span lang="en">{}</span>').format(_coded(text))

    def _found(self, text: str, depth: int) -> Markup | None:
        """The translation; a sentence that stands in a gap may have lost its full stop."""
        if text in self._words:
            return _coded(self._words[text])
        whole = f"{text}."
        if self._words.get(whole, "").endswith("."):
            return _coded(self._words[whole][:-1])
        if depth == _DEEPEST:
            return None
        for one in self._sentences:
            if (contents := one.match(text)) is not None:
                return self._joined(one.translation, contents, depth + 1)
        for one in self._sentences:
            if one.ends and (contents := one.match(whole)) is not None:
                return self._joined(one.translation[:-1], contents, depth + 1)
        for one in self._joints:
            if (contents := one.match(text)) is not None:
                return self._joined(one.translation, contents, depth + 1)
        return None

    def _joined(self, translation: str, contents: Mapping[str, str], depth: int) -> Markup:
        return Markup("").join(self._filled(translation, contents, depth))

    def _filled(self, translation: str, contents: Mapping[str, str], depth: int) -> Iterator[Markup]:
        for position, part in enumerate(_CODE.split(translation)):
            if position % 2:
                yield Markup("<code>{}</code>").format(GAP.sub(lambda gap: contents[gap[1]], part))
                continue
            for place, piece in enumerate(GAP.split(part)):
                if place % 2 == 0:
                    yield escape(piece)
                else:
                    content = contents[piece]
                    yield escape(content) if is_name(piece) else self._translated(content, depth)


def printable(text: str) -> str:
    """A text that neither breaks a line nor turns the direction of one: whatever an engine says is shown as it is."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def _coded(text: str) -> Markup:
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if position % 2 else escape(part) for position, part in enumerate(parts)
    )


def _is_name(text: str) -> bool:
    """Whether it is of no language: code, a number, or one word that is no word, such as an address."""
    words = _CODE.sub("", text).split()
    return not any(map(str.isalpha, "".join(words))) or (len(words) == 1 and not words[0].isalpha())


@cache
def texts(language: str) -> Texts:
    """The texts of a language, one of `LANGUAGES`."""
    return Texts(language)


def _catalogue(language: str) -> tuple[Mapping[str, str], list[Sentence]]:
    if language == "en":
        return {}, []
    words = {str(one.id): str(one.string) for one in catalogue(language) if one.id and one.string}
    sentences = [sentence(one, words[one]) for one in words if GAP.search(one)]
    sentences.sort(key=lambda one: -one.fixed)  # the one that leaves least open comes first
    return words, sentences


def catalogue(language: str) -> Catalog:
    """The catalogue as it is in its file."""
    with resources.files("telemetry_web.page").joinpath("locale", f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)
