"""`telemetry config`: changes go into a drop-in of our own, checked first; no administrator's file is written."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from telemetry_core.config import schema_file
from tests.support.program import Program

ENGINE = '# mine\nendpoint = "https://telemetry.example.com/pings" # keep\n[engines.orders]\nrest = "http://127.0.0.1:8080/engine-rest"\n'
EDITOR = """
import sys
from pathlib import Path
from telemetry_core.config import Layers, change
number, config = int(sys.argv[1]), Path(sys.argv[2])
for edit in range(20):
    change(Layers(explicit=config), f"engines.e{number}.name", f"n{edit}")
    change(Layers(explicit=config), f"engines.e{number}.rest", f"http://127.0.0.1:8080/n{edit}")
"""


def drop_in(program: Program) -> Path:
    return program.directory / "telemetry.d" / "90-cli.toml"


def test_set_writes_a_drop_in_that_wins_and_leaves_the_administrators_file_alone(program: Program) -> None:
    program.configure(ENGINE)
    assert program("config", "set", "reporter.period", "12h").status == 0
    assert program("config", "set", "withhold", "license-key, jdk.vendor").status == 0
    assert program.config.read_text(encoding="utf-8") == ENGINE
    assert tomllib.loads(drop_in(program).read_text(encoding="utf-8")) == {
        "reporter": {"period": "12h"},
        "withhold": ["license-key", "jdk.vendor"],
    }
    assert program("config", "get", "reporter.period").text == "12h\n"
    settings = {one["key"]: one for one in program("config", "show", "--json").data["settings"]}
    assert settings["reporter.period"]["origin"].startswith(f"{drop_in(program)}:")


def test_the_file_explains_itself_and_names_the_schema(program: Program) -> None:
    program.configure(ENGINE)
    program("config", "set", "reporter.retries", "1")
    lines = drop_in(program).read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"#:schema {schema_file()}"
    assert "telemetry config set" in lines[1]


def test_unset_takes_it_back_and_says_who_decides_then(program: Program) -> None:
    program.configure(ENGINE)
    program("config", "set", "endpoint", "https://other.example.com/")
    done = program("config", "unset", "endpoint", "--json").data
    assert done["decides"] == f"{program.config}:2"
    assert program("config", "get", "endpoint").text == "https://telemetry.example.com/pings\n"


def test_a_value_that_a_variable_hides_is_said(program: Program) -> None:
    program.configure(ENGINE)
    done = program("config", "set", "reporter.period", "1h", variables={"TELEMETRY_REPORTER__PERIOD": "2h"})
    assert "TELEMETRY_REPORTER__PERIOD decides" in done.text


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("reporter.perod", "1h", "The nearest setting is reporter.period."),
        ("engines.orders.ret", "x", "The nearest setting is engines.orders.rest."),
        ("reporter.period", "soon", 'reporter.period is not a length of time from "1s" to "366d"'),
        ("reporter.retries", "many", "reporter.retries is not a whole number from 0 to 10"),
        ("endpoint", "http://telemetry.example.com/", "endpoint is plain HTTP to another host"),
        ("engines.new.name", "x", "engines.new says nowhere to find the engine"),
        ("engines.orders.rest", "http://demo:geheim@127.0.0.1/", "has a password in it"),
    ],
)
def test_nothing_is_written_that_would_not_be_read(key: str, value: str, message: str, program: Program) -> None:
    program.configure(ENGINE)
    done = program("config", "set", key, value)
    assert done.status == 3
    assert message in done.errors
    assert "geheim" not in done.errors
    assert not drop_in(program).exists()


def test_fifty_editors_with_twenty_edits_each_lose_nothing(program: Program) -> None:
    program.configure(ENGINE)
    for number in range(50):
        drop_in(program).parent.mkdir(exist_ok=True)
        first = drop_in(program).with_name(f"10-e{number}.toml")
        first.write_text(f'[engines.e{number}]\nrest = "http://127.0.0.1/"\n', encoding="utf-8")
    editors = [
        subprocess.Popen([sys.executable, "-c", EDITOR, str(number), str(program.config)]) for number in range(50)
    ]
    assert [editor.wait(timeout=200) for editor in editors] == [0] * 50
    written = tomllib.loads(drop_in(program).read_text(encoding="utf-8"))["engines"]
    assert written == {f"e{n}": {"name": "n19", "rest": "http://127.0.0.1:8080/n19"} for n in range(50)}


def test_path_lists_the_files_in_the_order_in_which_they_win(program: Program) -> None:
    program.configure(ENGINE)
    program("config", "set", "reporter.retries", "1")
    data = program("config", "path", "--json").data
    assert [Path(file["path"]).name for file in data["files"]] == ["telemetry.toml", "90-cli.toml"]
    assert data["written-by-config-set"] == str(drop_in(program))


def test_check_finds_secrets_that_others_can_read_and_files_that_are_not_there(program: Program) -> None:
    secret = program.directory / "password"
    secret.write_text("geheim\n", encoding="utf-8")
    secret.chmod(0o640)
    program.configure(f'{ENGINE}username = "demo"\npassword-file = "password"\nca-file = "/nonexistent/ca.pem"\n')
    done = program("config", "check")
    assert done.status == 3
    assert f"chmod 600 {secret}" in done.errors
    assert "engines.orders.ca-file: /nonexistent/ca.pem cannot be used" in done.errors
    secret.chmod(0o600)
    program.configure(f'{ENGINE}username = "demo"\npassword-file = "password"\n')
    assert program("config", "check").status == 0


def test_the_schema_accepts_what_is_right_and_refuses_what_is_not() -> None:
    schema = json.loads(schema_file().read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(tomllib.loads(ENGINE))) == []
    wrongs: tuple[dict[str, object], ...] = (
        {"endpiont": "x"},
        {"reporter": {"period": 5}},
        {"engines": {"a b": {}}},
        {"engines": {"a": {"x": 1}}},
    )
    for wrong in wrongs:
        assert list(validator.iter_errors(wrong)), wrong
