"""`telemetry_core.secret`: a secret gives its text to one method and to nothing else."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from dataclasses import dataclass

import msgspec
import pytest

from telemetry_core.secret import Secret, basic, redacted

SECRET = Secret("pa55word")


@dataclass(frozen=True)
class Holder:
    user: str
    password: Secret


def test_only_reveal_gives_the_text() -> None:
    assert SECRET.reveal() == "pa55word"


@pytest.mark.parametrize(
    "shown",
    [
        str(SECRET),
        repr(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>20}",
        f"{SECRET:>20}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031  # this way too
        f"{[SECRET]} { ({'a': SECRET}) } {Holder('admin', SECRET)}",
        "".join(traceback.format_exception_only(ValueError(SECRET))),
    ],
)
def test_a_secret_is_never_printed(shown: str) -> None:
    assert "[redacted]" in shown
    assert "pa55word" not in shown


def test_a_secret_is_written_nowhere() -> None:
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as raised:
            write(SECRET)
        assert "pa55word" not in str(raised.value)


def test_a_secret_has_no_attributes_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(SECRET)


def test_secrets_with_the_same_text_are_equal_and_no_secret_equals_its_text() -> None:
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) != hash("a")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        pytest.param(Secret("Bearer pa55word"), "sent Bearer [redacted]", id="a token"),
        pytest.param(basic("demo", "pa55word"), "sent demo:[redacted]", id="a password"),
        pytest.param(basic("demo", 'pä"word'), 'sent {"it": "p\\u00e4\\"word"}', id="a password in JSON"),
        pytest.param(basic("demo", ""), "sent demo:", id="no password"),
    ],
)
def test_what_the_other_side_repeats_is_redacted(header: Secret, said: str) -> None:
    credentials = header.reveal().partition(" ")[2]
    heard = said.replace("[redacted]", "pa55word")
    told = redacted(f"{heard}, {credentials}.", header)
    assert "word" not in told
    assert told.endswith(", [redacted].") or header == basic("demo", "")
