"""What a configuration says wrongly is refused with file, line, key and a next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core.config import Layers, load
from telemetry_core.errors import ConfigurationError

REST = 'rest = "http://127.0.0.1:8080/engine-rest"\n'


def refusal(directory: Path, content: str | bytes) -> ConfigurationError:
    file = directory / "telemetry.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(explicit=file))
    return raised.value


def refusal_of(**environment: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(environment=environment))
    return raised.value


@pytest.mark.parametrize(
    ("content", "line", "key", "hint"),
    [
        ('endpiont = "https://a.example"', ":1", "endpiont", "The nearest setting is endpoint."),
        ('\n[reporter]\nperod = "1h"', ":3", "reporter.perod", "The nearest setting is reporter.period."),
        ("reporter_activate = false", ":1", "reporter_activate", "The nearest setting is telemetry-reporter-activate."),
        (f'[engines.orders]\n{REST}pasword-file = "x"', ":3", "engines.orders.pasword-file",
         "The nearest setting is engines.orders.password-file."),
        ("qqqqqq = 1", ":1", "qqqqqq", "`telemetry config show` lists all settings."),
        (f"[engines.orders]\n{REST}qqqqqq = 1", ":3", "engines.orders.qqqqqq",
         "`telemetry config show` lists all settings."),
        ('[reporter]\nendpoint = "https://a.example"', ":2", "reporter.endpoint", None),
    ],
)  # fmt: skip
def test_an_unknown_key_is_refused_with_the_nearest_one(
    content: str, line: str, key: str, hint: str | None, tmp_path: Path
) -> None:
    error = refusal(tmp_path, content)
    assert error.message == f"{tmp_path / 'telemetry.toml'}{line}: there is no setting {key}."
    assert hint is None or error.hint == hint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("endpoint = 7", "endpoint is not an absolute URL such as"),
        ('endpoint = ""', "endpoint is not an absolute URL such as"),
        ('endpoint = "telemetry.example"', "endpoint is not an absolute URL such as"),
        ('endpoint = "ftp://telemetry.example"', "endpoint is not an absolute URL such as"),
        ('[endpoint]\nurl = "https://a.example"', "endpoint is not an absolute URL such as"),
        ('allow-http = "true"', "allow-http is not true or false."),
        ("allow-http = 1", "allow-http is not true or false."),
        ("initialize-telemetry = 0", "initialize-telemetry is not true or false."),
        ('withhold = "license-key"', "withhold is not a list of fields, such as"),
        ("withhold = [1]", "withhold is not a list of fields, such as"),
        ("store = true", "store is not a path or a URL such as"),
        ('[reporter]\nretries = "2"', "reporter.retries is not a whole number from 0 to 10."),
        ("[reporter]\nretries = true", "reporter.retries is not a whole number from 0 to 10."),
        ("[reporter]\nretries = 2.0", "reporter.retries is not a whole number from 0 to 10."),
        ("[reporter]\nretries = -1", "reporter.retries is not a whole number from 0 to 10."),
        ("[reporter]\nretries = 11", "reporter.retries is not a whole number from 0 to 10."),
        ("[reporter]\nperiod = 86400", "reporter.period is not a length of time"),
        ("[reporter]\nca-file = []", "reporter.ca-file is not the path of a file."),
        ("[reporter.period]\na = 1", "reporter.period is not a length of time"),
        (f"[engines.a]\n{REST}username = 7", "engines.a.username is not a text."),
        (f'[engines.a]\n{REST}username = ""', "engines.a.username is not a text."),
        (f'[engines.a]\n{REST}own-reporter = "On"', 'engines.a.own-reporter is not one of "auto", "on", "off".'),
        ("[engines.a]\nnodes = []", "engines.a.nodes is not a list of URLs"),
        ('[engines.a]\nnodes = "http://a/r"', "engines.a.nodes is not a list of URLs"),
        ('[engines.a]\nrest = ["http://a/r"]', "engines.a.rest is not an absolute URL"),
        (f'[engines.a]\n{REST}database = "db.example.com"', "engines.a.database is not a database URL"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_what_was_expected(
    content: str, expected: str, tmp_path: Path
) -> None:
    error = refusal(tmp_path, content)
    origin, _, rest = error.message.partition(": ")
    assert origin.startswith(f"{tmp_path / 'telemetry.toml'}:")
    assert rest.startswith(expected)
    assert error.hint


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("TELEMETRY_ALLOW_HTTP", "yes", "allow-http is not true or false."),
        ("TELEMETRY_REPORTER_ACTIVATE", "off", "telemetry-reporter-activate is not true or false."),
        ("TELEMETRY_REPORTER__RETRIES", "two", "reporter.retries is not a whole number"),
        ("TELEMETRY_REPORTER__RETRIES", "9" * 5000, "reporter.retries is not a whole number"),
        ("TELEMETRY_REPORTER__PERIOD", "86400", "reporter.period is not a length of time"),
        ("TELEMETRY_ENGINES__A__NODES", " , ", "engines.a.nodes is not a list of URLs"),
    ],
)
def test_a_variable_is_refused_by_its_name(name: str, text: str, expected: str) -> None:
    assert refusal_of(**{name: text}).message.startswith(f"{name}: {expected}")


@pytest.mark.parametrize(
    ("withheld", "detail"),
    [
        ("jkd", "there is no field jkd, the nearest is jdk"),
        ("jdk.vender", "there is no field jdk.vender, the nearest is jdk.vendor"),
        ("webapps.cockpit", "there is no field webapps.cockpit"),
        ("installation", "installation is in every report"),
        ("product.version", "product.version is in every report"),
        ("product.internals.telemetry-enabled", "telemetry-enabled is in every report"),
        ("qqqqqq", "there is no field qqqqqq)"),
    ],
)
def test_a_field_that_cannot_be_withheld_is_refused_and_not_silently_sent(
    withheld: str, detail: str, tmp_path: Path
) -> None:
    assert detail in refusal(tmp_path, f'withhold = ["jdk", "{withheld}"]').message


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("jdk", "jdk"),
        ("product.internals.jdk.vendor", "jdk.vendor"),
        ("product.internals.*-integration", "integration"),
        ("camunda-integration", "integration"),
        ("commands.com.example.OwnCmd", "commands.com.example.OwnCmd"),
        ("metrics.process-instances", "metrics.process-instances"),
        ("license-key.features.camundaBPM", "license-key.features.camundaBPM"),
        ("data-collection-start-date", "data-collection-start-date"),
    ],
)
def test_a_field_is_withheld_by_its_name_or_its_path(written: str, read: str) -> None:
    assert load(Layers(environment={"TELEMETRY_WITHHOLD": written})).withhold == (read,)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'endpoint = "\x00"', "is not valid TOML"),
        (b"endpoint = ", "is not valid TOML"),
        (b'a = 1\na = 2\n', "is not valid TOML"),
        (b"a = " + b"9" * 5000, "is not valid TOML"),
        (b"a = " + b"[" * 5000, "is not valid TOML"),
        (b"\xff\xfee\x00n\x00", "is not UTF-8: byte 0 fits no character."),
        (b'# \xe4\nendpoint = "x"', "is not UTF-8: byte 2 fits no character."),
        (b"#" * (1024 * 1024 + 1), "is larger than 1048576 bytes."),
    ],
)  # fmt: skip
def test_a_file_that_is_no_configuration_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, content)
    assert error.message.startswith(f"{tmp_path / 'telemetry.toml'} {message}")
    assert error.hint


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_bytes(b"#" * (1024 * 1024))
    load(Layers(explicit=file))


def test_a_broken_drop_in_is_refused_by_its_own_name(tmp_path: Path) -> None:
    directory = tmp_path / "telemetry.d"
    directory.mkdir()
    (directory / "10.toml").write_text("[")
    assert refusal(tmp_path, "").message.startswith(f"{directory / '10.toml'} is not valid TOML")


@pytest.mark.parametrize("escape", [r"\u0000", r"\n", r"\u001b[31m", r"\u202e"])
def test_a_text_with_characters_that_cannot_be_shown_is_refused(escape: str, tmp_path: Path) -> None:
    for content in (f'[engines.a]\n{REST}username = "a{escape}b"', f'store = "a{escape}b"'):
        error = refusal(tmp_path, content)
        assert error.message.isprintable()


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        ("[engines.orders]", "engines.orders says nowhere to find the engine.", "Set engines.orders.rest"),
        ('[engines.orders]\nusername = "a"', "engines.orders says nowhere to find the engine.", "engines.orders.rest"),
        (f'[engines.a]\n{REST}nodes = ["http://a/r"]', "engines.a has both rest and nodes.", "Keep `rest`"),
    ],
)
def test_an_engine_needs_one_address(content: str, message: str, hint: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, content)
    assert error.message == message
    assert hint in error.hint


def test_a_database_is_an_address_too(tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text('[engines.orders]\ndatabase = "postgresql://u@db/camunda"\n')
    assert load(Layers(explicit=file)).engines[0].addresses == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("engines = 5", "engines is not a table with settings."),
        ("[engines]\norders = 5", "engines.orders is not a table with settings."),
        (f'[engines."two words"]\n{REST}', "'two words' is no name for an engine."),
        (f'[engines.""]\n{REST}', "'' is no name for an engine."),
        (f"[engines.{'x' * 65}]\n{REST}", f"'{'x' * 65}' is no name for an engine."),
        (f"[engines.-x]\n{REST}", "'-x' is no name for an engine."),
    ],
)
def test_engines_are_tables_with_plain_names(content: str, message: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, content).message.endswith(f": {message}")


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("http://telemetry.example/pings", False),
        ("http://10.0.0.1/pings", False),
        ("http://localhost.example/pings", False),
        ("http://127.0.0.1.example/pings", False),
        ("http://[2001:db8::1]/pings", False),
        ("http://0.0.0.0/pings", False),
        ("https://telemetry.example/pings", True),
        ("http://127.0.0.1:8080/pings", True),
        ("http://127.9.9.9/pings", True),
        ("http://localhost/pings", True),
        ("http://LOCALHOST/pings", True),
        ("http://[::1]:8080/pings", True),
    ],
)
def test_plain_http_goes_to_this_machine_alone(endpoint: str, allowed: bool, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text(f'endpoint = "{endpoint}"\n')
    if allowed:
        load(Layers(explicit=file))
        return
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(explicit=file))
    assert raised.value.message.startswith(f"{file}:1: endpoint is plain HTTP to another host (")
    file.write_text(f'endpoint = "{endpoint}"\nallow-http = true\n')
    assert load(Layers(explicit=file)).endpoint is not None
