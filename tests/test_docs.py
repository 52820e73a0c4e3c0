"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import generate
from telemetry_core.config import schema_file

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", sorted(generate.pages()))
def test_generated_pages_are_as_the_code_makes_them(name: str) -> None:
    assert (generate.REFERENCE / name).read_text(encoding="utf-8") == generate.pages()[name], "run `make docs`"


@pytest.mark.parametrize("name", sorted(generate.schemas()))
def test_generated_schemas_are_as_the_code_makes_them(name: str) -> None:
    written = (generate.REFERENCE / "json" / name).read_text(encoding="utf-8")
    assert written == generate.schemas()[name], "run `make docs`"


def test_the_schema_of_the_configuration_is_as_the_code_makes_it() -> None:
    assert schema_file().read_text(encoding="utf-8") == generate.configuration_schema(), "run `make docs`"


def test_the_readme_has_both_commands_on_its_first_screen() -> None:
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40]
    assert "make demo" in first_screen
    assert "make test" in first_screen


def test_every_link_in_the_documentation_leads_to_a_file() -> None:
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
