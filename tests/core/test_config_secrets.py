"""Credentials in addresses: only in files that nobody else reads, shown nowhere, in no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core.config import Layers, Url, load
from telemetry_core.errors import ConfigurationError, SecretExposed
from telemetry_core.secret import Secret

#: Settings whose addresses can carry a password, with `%` for user and password.
CARRIERS = [
    '[engines.a]\nrest = "http://%127.0.0.1:8080/engine-rest"',
    '[engines.a]\nnodes = ["http://a:1/r", "http://%b:2/r"]',
    '[engines.a]\ndatabase = "postgresql://%db.example.com/camunda"',
    'store = "postgresql://%db.example.com/telemetry"',
    '[reporter]\nproxy = "http://%proxy.example:3128"',
]


def write(directory: Path, content: str, mode: int) -> Path:
    file = directory / "telemetry.toml"
    file.write_text(content)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_password_in_a_file_that_others_read_is_refused(carrier: str, mode: int, tmp_path: Path) -> None:
    file = write(tmp_path, carrier.replace("%", "demo:pa55word@"), mode)
    with pytest.raises(SecretExposed) as raised:
        load(Layers(explicit=file))
    assert raised.value.message == f"{file} holds a secret and others can use it (mode 0{mode:o})."
    assert raised.value.hint == f"Run: chmod 600 {file}"


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_password_in_a_private_file_is_taken_and_shown_nowhere(carrier: str, tmp_path: Path) -> None:
    config = load(Layers(explicit=write(tmp_path, carrier.replace("%", "demo:pa55word@"), 0o600)))
    shown = f"{config!r} {config} {config.values!r} {[str(one.value) for one in config.values]}"
    assert "demo" in shown
    assert "[redacted]" in shown
    assert "pa55word" not in shown


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_user_without_a_password_is_no_secret(carrier: str, tmp_path: Path) -> None:
    load(Layers(explicit=write(tmp_path, carrier.replace("%", "demo@"), 0o644)))


def test_the_private_file_is_the_one_that_says_the_password(tmp_path: Path) -> None:
    file = write(tmp_path, '[engines.a]\nusername = "x"\n', 0o644)
    (tmp_path / "telemetry.d").mkdir()
    drop_in = tmp_path / "telemetry.d" / "10.toml"
    drop_in.write_text('[engines.a]\nrest = "http://demo:pa55word@127.0.0.1/r"\n')
    drop_in.chmod(0o600)
    load(Layers(explicit=file))
    drop_in.chmod(0o644)
    with pytest.raises(SecretExposed) as raised:
        load(Layers(explicit=file))
    assert raised.value.message.startswith(str(drop_in))


def test_credentials_are_taken_out_of_the_address_and_decoded(tmp_path: Path) -> None:
    content = (
        '[engines.a]\nrest = "http://d%40mo:p%40ss%2F@127.0.0.1:8080/r/"\ndatabase = "postgresql://u%3A:p%2F@db/c"\n'
    )
    (engine,) = load(Layers(explicit=write(tmp_path, content, 0o600))).engines
    assert engine.rest == Url("http://127.0.0.1:8080/r", "d@mo", Secret("p@ss/"))
    assert engine.database == Url("postgresql://db/c", "u:", Secret("p/"))


def test_an_endpoint_takes_no_credentials_at_all() -> None:
    for credentials in ("demo:pa55word@", "pa55word@", ":pa55word@"):
        with pytest.raises(ConfigurationError) as raised:
            load(Layers(environment={"TELEMETRY_ENDPOINT": f"https://{credentials}t.example/pings"}))
        assert "reporter.token-file" in raised.value.message
        assert "pa55" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "http://demo:pa55/word@h.example/r",
        "http://demo:12/pa55word@h.example/r",
        "http://demo:pa55?word@h.example/r",
        "http://demo:12?pa55word@h.example/r",
        "http://demo:pa55#word@h.example/r",
        "http://demo:[pa55]word@h.example/r",
        "http://demo:pa55 word@h.example/r",
        "http://demo:pä55word@h.example/r",
        "http://demo:pa55word@h.example:99999/r",
        "http://demo:pa55word@h.example:0/r",
        "http://demo:pa55word@/r",
        "http://demo:pa55word@h.example/r#x",
        "ftp://demo:pa55word@h.example/r",
    ],
)
def test_a_password_that_breaks_its_address_is_refused_and_no_part_of_it_shown(url: str) -> None:
    for name in ("TELEMETRY_REPORTER__PROXY", "TELEMETRY_ENGINES__A__REST", "TELEMETRY_ENDPOINT"):
        with pytest.raises(ConfigurationError) as raised:
            load(Layers(environment={name: url}))
        shown = f"{raised.value.message} {raised.value.hint} {raised.value.__cause__} {raised.value!r}"
        assert not any(part in shown for part in ("pa55", "pä55", "word@"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://demo:pa55@word@db/c",
        "postgresql://demo:pa55/word@db/c",
        "postgresql://demo@db/c?password=pa55word",
        "postgresql://demo@db/c?sslmode=require&PASSWORD=pa55word",
        "mysql+pymysql://demo@db/c?passwd=pa55word",
        "demo:pa55word@db/c",
    ],
)
def test_a_password_that_breaks_a_database_url_is_refused_and_no_part_of_it_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(environment={"TELEMETRY_ENGINES__A__DATABASE": url}))
    shown = f"{raised.value.message} {raised.value.hint} {raised.value!r}"
    assert not any(part in shown for part in ("pa55", "word@"))


def test_a_shared_store_is_postgresqls() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(environment={"TELEMETRY_STORE": "mysql://demo:pa55word@db/c"}))
    assert "a shared store is PostgreSQL's" in raised.value.message
    assert "pa55" not in raised.value.message
