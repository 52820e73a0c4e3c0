"""The list of threats names tests that are there, and every test of an attack is on it."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[2]
SECURITY = TESTS.parent / "docs" / "security.md"
HERE = ("test_attacks_*.py", "test_sessions.py", "test_slow_clients.py")


def names_in(*files: Path) -> set[str]:
    return {name for file in files for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)}


def test_every_test_that_the_list_of_threats_names_is_there_and_each_row_names_one() -> None:
    text = SECURITY.read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    assert len(named) > 50
    assert named - names_in(*TESTS.rglob("test_*.py")) == set()
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith(("| threat", "| ---"))]
    assert [row for row in rows if "`test_" not in row.split("|")[3]] == []


def test_every_test_of_an_attack_is_in_the_list_of_threats() -> None:
    own = names_in(*(file for pattern in HERE for file in Path(__file__).parent.glob(pattern)))
    own -= names_in(Path(__file__))
    assert own - set(re.findall(r"`(test_\w+)`", SECURITY.read_text("utf-8"))) == set()
