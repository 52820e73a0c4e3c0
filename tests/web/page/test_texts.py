"""The catalogue of texts: complete, used, well formed, and quick whatever an engine says."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from jinja2.ext import babel_extract

import telemetry_admin
import telemetry_collector
import telemetry_core
import telemetry_web
from telemetry_collector.model import State
from telemetry_core.model import Kind, Outcome, ReportState, Trigger
from telemetry_core.reporting.monitoring import Level
from telemetry_core.words.status import STATES
from telemetry_web.page.drawing import draw
from telemetry_web.page.texts import LANGUAGES, catalogue, language_of, texts

CORE = Path(telemetry_core.__file__).parent
CLI = Path(telemetry_admin.__file__).parent
PAGE = Path(telemetry_web.__file__).parent / "page"
COLLECTOR = Path(telemetry_collector.__file__).parent
GAP = re.compile(r"\{(\w+)\}")
TRANSLATED = {str(one.id): str(one.string) for one in catalogue("de") if one.id}
GERMAN = texts("de")

#: What says something that the page shows, sentence for sentence.
TELLING = [
    *CORE.glob("words/*.py"),
    *(CORE / name for name in ("consent.py", "license.py", "counting.py", "counting_rows.py", "payload.py")),
    *(CORE / "reporting" / f"{name}.py" for name in ("overview", "explaining", "monitoring", "copies", "previewing")),
    *(CORE / "engines" / f"{name}.py" for name in ("refusals", "answers", "address", "rest", "sql", "sql_errors")),
    *CORE.glob("hostfiles/*.py"),
    *CORE.glob("environment/*.py"),
    CORE / "http" / "failures.py",
    *PAGE.glob("views/*.py"),
    *(PAGE / name for name in ("frame.py", "serving.py", "signing_in.py", "browser.py")),
    PAGE.parent / "readings.py",
    *COLLECTOR.glob("page/views/*.py"),
    *(COLLECTOR / name for name in ("page/serving.py", "page/signing_in.py", "suspicion.py", "store/decisions.py")),
]

#: What is said on the command line alone or only if this program is wrong, and what is looked for in other texts.
NEVER_SHOWN = {
    "tuple[str, ...] | None",
    "IBM WebSphere Application Server/",
    'name="WebLogic Server"[^>]{0,500}?version="([0-9.]{1,40})"',
    "no password supplied",
    "no pg_hba.conf entry",
    "password authentication failed",
    "NEVER LEFT BEFORE",
    "Only the consent makes permits.",
    "A permit without an endpoint.",
    "Another process sent or decided something meanwhile.",
    "Switch its own reporter off first.",
    "Camunda BPM Runtime",
    "Operaton BPM Runtime",
    "INSERT INTO decision (number, decided_at, decided_by, state) VALUES (?, ?, ?, ?)",
}


def in_templates() -> set[str]:
    """Every text that a template names, found as Jinja reads it."""
    found = set()
    for template in (*PAGE.glob("templates/*.html"), *COLLECTOR.glob("page/templates/*.html")):
        with template.open("rb") as file:
            options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
            for _, function, said, _ in babel_extract(file, ["_", "said"], [], options):
                text = said[0] if isinstance(said, tuple) else said
                assert text or function == "said", f"{template}: what is not written there cannot be looked for"
                found.add(text or "Telemetry")
    return found


class _Strings(ast.NodeVisitor):
    """The strings of a module, without what is for programmers: docstrings, annotations, patterns, the reference."""

    def __init__(self, path: Path) -> None:
        self.found: list[str] = []
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        pass

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in ("why", "type", "example"):
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) != "re.compile":
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.found.append(node.value)


def chunks(path: Path) -> Iterator[str]:
    """Every piece of text in a module that stands in one place: strings, and those of f-strings between the gaps."""
    for text in _Strings(path).found:
        yield from GAP.sub("\0", text.replace(":g}", "}")).split("\0")


def is_made_of(piece: str, parts: set[str]) -> bool:
    """Whether a piece of a sentence stands in the code, in one place or in several that follow on another."""
    reached = {0}
    for at in range(len(piece)):
        if at in reached:
            reached |= {at + size for size in range(1, len(piece) - at + 1) if piece[at : at + size] in parts}
    return len(piece) in reached


def test_every_text_of_the_templates_is_in_the_catalogue() -> None:
    found = in_templates()
    assert len(found) > 100
    assert not found - set(TRANSLATED)


def test_everything_that_core_says_on_the_page_is_in_the_catalogue() -> None:
    known = "\0".join(GAP.sub("\0", one) for one in TRANSLATED)
    left = {
        (path.name, text)
        for path in TELLING
        for text in chunks(path)
        if len(re.findall(r"[A-Za-z']{2,}", text)) > 2
        and " " in text.strip()
        and text not in known
        and text not in NEVER_SHOWN
    }
    assert not left


def test_words_of_the_product_are_in_the_catalogue() -> None:
    words = [*Kind, *Outcome, *ReportState, *Trigger, *State, *STATES.values(), *(level.name for level in Level)]
    assert not set(words) - set(TRANSLATED)


def test_nothing_in_the_catalogue_is_unused() -> None:
    modules = [*CORE.rglob("*.py"), *COLLECTOR.rglob("*.py"), *PAGE.parent.rglob("*.py"), *CLI.rglob("*.py")]
    parts = {part for path in modules for text in chunks(path) for part in (text, text.strip())} | {
        level.name for level in Level
    }
    parts |= {piece for text in in_templates() for piece in GAP.split(text)[::2]}
    unused = {
        text for text in TRANSLATED if not all(is_made_of(piece, parts) for piece in GAP.split(text)[::2] if piece)
    }
    assert not unused


def test_every_entry_is_finished() -> None:
    for entry in catalogue("de"):
        if entry.id:
            assert not entry.fuzzy, entry.id
            assert isinstance(entry.string, str), entry.id
            assert entry.string.strip(), entry.id
            assert sorted(GAP.findall(str(entry.id))) == sorted(GAP.findall(entry.string)), entry.id
            assert not re.search(r"\}\{", str(entry.id)), "two gaps side by side cannot be told apart"
            assert set(re.findall(r"`telemetry [^`]*`", str(entry.id))) == set(
                re.findall(r"`telemetry [^`]*`", entry.string)
            ), entry.id


def test_no_text_is_in_the_catalogue_twice() -> None:
    file = resources.files("telemetry_web.page").joinpath("locale", "de.po").read_text(encoding="utf-8")
    texts_of_it = re.findall(r'^msgid (".+")$', file, re.MULTILINE)
    assert len(texts_of_it) == len(set(texts_of_it))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("DE-at", "de"),
        ("de-CH-1996, fr;q=0.9", "de"),
        ("en-GB", "en"),
        ("en-GB, de", "en"),
        ("de, en", "de"),
        ("en;q=0.5, de;q=0.8", "de"),
        ("de;q=0.2,en;Q=0.7", "en"),
        ("de;q=0", "en"),
        ("de;q=0, en;q=0", "en"),
        ("fr, it;q=0.9", "en"),
        ("fr, de;q=0.1", "de"),
        ("*", "en"),
        ("en;q=0, *", "de"),
        ("de;q=0.1, *;q=0.5", "en"),
        ("de-AT ; q=0.9 , en ; q=1.000", "en"),
        ("de;q=1.5, en;q=0.1", "en"),
        ("de;q=0.1234, en;q=0.1", "en"),
        ("deutsch", "en"),
        ("de_DE", "en"),
        ("; , ;q=, de;q, \x00, ü", "en"),
        ("xx, " * 20_000 + "de", "en"),
        ("de, " + "xx;q=0.3, " * 20_000, "de"),
        ("x" * 498 + ",de;q=0.5", "en"),
    ],
)
def test_the_language_is_the_one_that_the_browser_wants_most(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_engine_says_is_escaped_and_turns_nothing_round(language: str) -> None:
    for text in ("<script>alert('x')</script>", 'a "b" & `c<d>`', "{engine} %s {0.__class__}"):
        for said in (text, f"http://x answers 500: {text}.", f"Telemetry is disabled for {text}."):
            shown = texts(language).said(said)
            assert text.replace("`", "") in shown.unescape().replace("`", "").replace("<code>", "").replace(
                "</code>", ""
            )
            assert not set(re.findall(r"<[^>]*>", shown)) - {"<code>", "</code>", '<span lang="en">', "</span>"}
    shown = texts(language).said("http://x answers 500: a\u202eb\u2066c\x1b[2Jd\x00e\x7ff\u2028g.")
    assert "a\ufffdb\ufffdc\ufffd[2Jd\ufffde\ufffdf\ufffdg" in shown


def test_what_has_no_translation_is_marked_as_english() -> None:
    assert GERMAN.said("Something new.") == '<span lang="en">Something new.</span>'
    assert GERMAN.said("Nothing would be sent: Something new.").endswith('<span lang="en">Something new.</span>')
    assert "<span" not in texts("en").said("Something new.")


def test_names_and_numbers_are_of_no_language() -> None:
    for name in ("http://127.0.0.1:8080/engine-rest", "7.24.0", "8343cc7a-8ad1", "–", "", "`telemetry disable`", "42"):
        assert "<span" not in GERMAN.said(name)


def test_a_name_is_never_translated_though_it_is_a_word_of_the_catalogue() -> None:
    assert GERMAN.said("Telemetry is disabled for enabled.") == "Telemetrie ist für enabled ausgeschaltet."
    assert GERMAN.said("page of none for due") == "Webseite: none für due"


def test_a_sentence_in_a_gap_is_found_without_its_full_stop() -> None:
    said = GERMAN.said("no report is expected: Telemetry is not configured for orders")
    assert said == "es wird kein Bericht erwartet: Telemetrie ist für orders nicht konfiguriert"


def test_a_gap_is_found_from_the_right_where_it_is_not_from_the_left() -> None:
    said = GERMAN.said("Engine orders does not let us in (401): it wants a user and password. (5 min ago)")
    assert said == "Die Engine orders lässt uns nicht ein (401): sie verlangt Benutzer und Passwort. (vor 5 min)"


@pytest.mark.parametrize(
    "pattern", ["a", "a: ", ", ", ". ", "; ", " (", "`", "``a", "1.", "a.a, ", "]  [", "\x00", "<"]
)
def test_a_long_text_takes_no_longer_than_its_length(pattern: str) -> None:
    begun = time.process_time()
    GERMAN.said(pattern * (65_536 // len(pattern)))
    assert time.process_time() - begun < 1


def test_no_sentence_of_the_catalogue_can_be_repeated_until_it_holds_the_page_up() -> None:
    begun = time.process_time()
    for sentence in (one for one in TRANSLATED if GAP.search(one)):
        filled = GAP.sub("x", sentence)
        for piece in (filled, *GAP.split(sentence)[::2]):
            GERMAN.said((piece or " ") * (65_536 // len(piece or " ")))
    assert time.process_time() - begun < 60, "about a thousand texts of 64 KiB"


def test_every_value_of_a_page_is_printable_and_escaped() -> None:
    values: dict[str, object] = {
        "visit": None,
        "others": [],
        "engine": "a\u202e<b>",
        "guest": None,
        "notice": "",
        "message": "x",
    }
    values |= {"notice": "", "message": "x", "hint": "", "unchanged": False, "damaged": False}
    shown = bytes(draw("error.html", GERMAN, values).body).decode()
    assert "a\ufffd&lt;b&gt;" in shown
    assert "\u202e" not in shown
