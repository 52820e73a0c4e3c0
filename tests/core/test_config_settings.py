"""Every setting with its environment variable, its default, and what a file and a variable make of it."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

from telemetry_core.config import (
    ENGINE_SETTINGS,
    SETTINGS,
    Collector,
    Config,
    Engine,
    Layers,
    Log,
    LogTarget,
    Rate,
    Reporter,
    Serve,
    Size,
    Url,
    load,
)
from telemetry_core.config.sources import variable
from telemetry_core.model import Endpoint
from telemetry_core.secret import Secret

URL = Url("http://127.0.0.1:8080/engine-rest")

#: Key, variable, as TOML, as the text of a variable, the value (paths relative to the file).
PLAIN: list[tuple[str, str, str, str, object]] = [
    ("endpoint", "TELEMETRY_ENDPOINT", '"https://t.example/pings"', "https://t.example/pings",
     Endpoint("https://t.example/pings", "https", "t.example", 443)),
    ("allow-http", "TELEMETRY_ALLOW_HTTP", "true", "true", True),
    ("initialize-telemetry", "TELEMETRY_INITIALIZE_TELEMETRY", "false", "false", False),
    ("telemetry-reporter-activate", "TELEMETRY_REPORTER_ACTIVATE", "false", "0", False),
    ("withhold", "TELEMETRY_WITHHOLD", '["license-key", "jdk.vendor"]', "license-key, jdk.vendor",
     ("license-key", "jdk.vendor")),
    ("store", "TELEMETRY_STORE", '"telemetry.db"', "telemetry.db", Path("telemetry.db")),
    ("store-password-file", "TELEMETRY_STORE_PASSWORD_FILE", '"password"', "password", Path("password")),
    ("state-directory", "TELEMETRY_STATE_DIRECTORY", '"/srv/telemetry"', "/srv/telemetry", Path("/srv/telemetry")),
    ("reporter.period", "TELEMETRY_REPORTER__PERIOD", '"12h"', "12h", 43_200_000),
    ("reporter.retries", "TELEMETRY_REPORTER__RETRIES", "5", "5", 5),
    ("reporter.timeout", "TELEMETRY_REPORTER__TIMEOUT", '"20s"', "20s", 20_000),
    ("reporter.deadline", "TELEMETRY_REPORTER__DEADLINE", '"1m30s"', "1m30s", 90_000),
    ("reporter.sample-period", "TELEMETRY_REPORTER__SAMPLE_PERIOD", '"1h"', "1h", 3_600_000),
    ("reporter.initial-delay", "TELEMETRY_REPORTER__INITIAL_DELAY", '"10s"', "10s", 10_000),
    ("reporter.final-deadline", "TELEMETRY_REPORTER__FINAL_DEADLINE", '"8s"', "8s", 8_000),
    ("reporter.ca-file", "TELEMETRY_REPORTER__CA_FILE", '"ca.pem"', "ca.pem", Path("ca.pem")),
    ("reporter.client-cert", "TELEMETRY_REPORTER__CLIENT_CERT", '"c.pem"', "c.pem", Path("c.pem")),
    ("reporter.client-key", "TELEMETRY_REPORTER__CLIENT_KEY", '"k.pem"', "k.pem", Path("k.pem")),
    ("reporter.proxy", "TELEMETRY_REPORTER__PROXY", '"http://proxy:3128"', "http://proxy:3128",
     Url("http://proxy:3128")),
    ("reporter.no-proxy", "TELEMETRY_REPORTER__NO_PROXY", '["a.example", "10.0.0.0/8"]', "a.example, 10.0.0.0/8",
     ("a.example", "10.0.0.0/8")),
    ("reporter.token-file", "TELEMETRY_REPORTER__TOKEN_FILE", '"/run/token"', "/run/token", Path("/run/token")),
    ("log.level", "TELEMETRY_LOG__LEVEL", '"debug"', "DEBUG", "debug"),
    ("log.to", "TELEMETRY_LOG__TO", '"./t.log"', "./t.log", LogTarget("file", Path("t.log"))),
    ("log.format", "TELEMETRY_LOG__FORMAT", '"json"', "json", "json"),
    ("log.rotate-size", "TELEMETRY_LOG__ROTATE_SIZE", '"500k"', "500k", Size(512_000)),
    ("log.rotate-count", "TELEMETRY_LOG__ROTATE_COUNT", "0", "0", 0),
    ("serve.listen", "TELEMETRY_SERVE__LISTEN", '"::"', "::", "::"),
    ("serve.port", "TELEMETRY_SERVE__PORT", "8443", "8443", 8443),
    ("serve.tls-cert", "TELEMETRY_SERVE__TLS_CERT", '"c.pem"', "c.pem", Path("c.pem")),
    ("serve.tls-key", "TELEMETRY_SERVE__TLS_KEY", '"k.pem"', "k.pem", Path("k.pem")),
    ("serve.allow-http", "TELEMETRY_SERVE__ALLOW_HTTP", "true", "true", True),
    ("serve.token-file", "TELEMETRY_SERVE__TOKEN_FILE", '"tokens"', "tokens", Path("tokens")),
    ("collector.listen", "TELEMETRY_COLLECTOR__LISTEN", '"::"', "::", "::"),
    ("collector.port", "TELEMETRY_COLLECTOR__PORT", "8443", "8443", 8443),
    ("collector.proxies", "TELEMETRY_COLLECTOR__PROXIES", '["127.0.0.1", "10.0.0.0/8"]', "127.0.0.1, 10.0.0.0/8",
     ("127.0.0.1", "10.0.0.0/8")),
    ("collector.forwarded", "TELEMETRY_COLLECTOR__FORWARDED", '"forwarded"', "forwarded", "forwarded"),
    ("collector.key-period", "TELEMETRY_COLLECTOR__KEY_PERIOD", '"1d"', "1d", 86_400_000),
    ("collector.key-file", "TELEMETRY_COLLECTOR__KEY_FILE", '"keys"', "keys", Path("keys")),
    ("collector.installation-limit", "TELEMETRY_COLLECTOR__INSTALLATION_LIMIT", '"9/h burst 90"', "9/h burst 90",
     Rate(9, "h", 90)),
    ("collector.network-limit", "TELEMETRY_COLLECTOR__NETWORK_LIMIT", '"9/m burst 90"', "9/m burst 90",
     Rate(9, "m", 90)),
    ("collector.total-limit", "TELEMETRY_COLLECTOR__TOTAL_LIMIT", '"9/s burst 90"', "9/s burst 90", Rate(9, "s", 90)),
    ("collector.token-file", "TELEMETRY_COLLECTOR__TOKEN_FILE", '"tokens"', "tokens", Path("tokens")),
    ("collector.allow-http", "TELEMETRY_COLLECTOR__ALLOW_HTTP", "true", "true", True),
]  # fmt: skip
INNER: list[tuple[str, str, str, str, object]] = [
    ("rest", "REST", '"http://127.0.0.1:8080/engine-rest"', "http://127.0.0.1:8080/engine-rest", URL),
    ("nodes", "NODES", '["http://a:1/r", "http://b:2/r"]', "http://a:1/r, http://b:2/r",
     (Url("http://a:1/r"), Url("http://b:2/r"))),
    ("name", "NAME", '"second"', "second", "second"),
    ("installation", "INSTALLATION", '"8343cc7a"', "8343cc7a", "8343cc7a"),
    ("username", "USERNAME", '"demo"', "demo", "demo"),
    ("password-file", "PASSWORD_FILE", '"password"', "password", Path("password")),
    ("token-file", "TOKEN_FILE", '"token"', "token", Path("token")),
    ("ca-file", "CA_FILE", '"ca.pem"', "ca.pem", Path("ca.pem")),
    ("client-cert", "CLIENT_CERT", '"c.pem"', "c.pem", Path("c.pem")),
    ("client-key", "CLIENT_KEY", '"k.pem"', "k.pem", Path("k.pem")),
    ("timeout", "TIMEOUT", '"5s"', "5s", 5_000),
    ("own-reporter", "OWN_REPORTER", '"off"', "off", "off"),
    ("database", "DATABASE", '"postgresql://u@db/camunda"', "postgresql://u@db/camunda",
     Url("postgresql://db/camunda", "u")),
    ("database-password-file", "DATABASE_PASSWORD_FILE", '"password"', "password", Path("password")),
    ("schema", "SCHEMA", '"engine"', "engine", "engine"),
    ("table-prefix", "TABLE_PREFIX", '"E."', "E.", "E."),
    ("java-home", "JAVA_HOME", '"/opt/jdk"', "/opt/jdk", Path("/opt/jdk")),
    ("home", "HOME", '"/opt/camunda"', "/opt/camunda", Path("/opt/camunda")),
]  # fmt: skip


def attribute(key: str) -> str:
    return key.rpartition(".")[2].removeprefix("telemetry-").replace("-", "_")


def below(base: Path, value: object) -> object:
    if isinstance(value, LogTarget) and value.path is not None:
        return replace(value, path=base / value.path)
    return base / value if isinstance(value, Path) else value


def found(config: Config, key: str) -> object:
    table = key.partition(".")[0] if "." in key else None
    return getattr(config if table is None else getattr(config, table), attribute(key))


def test_these_are_all_settings() -> None:
    assert [setting.key for setting in SETTINGS] == [one[0] for one in PLAIN]
    assert [setting.key for setting in ENGINE_SETTINGS] == [one[0] for one in INNER]


def test_every_setting_has_its_place_in_the_configuration() -> None:
    places = {one.name for kind in (Config, Reporter, Log, Serve, Collector) for one in fields(kind)}
    places -= {"reporter", "log", "serve", "collector", "engines", "values"}
    assert places == {attribute(one[0]) for one in PLAIN} | {"do_not_track", "forbidden_by"}
    assert {one.name for one in fields(Engine)} == {attribute(one[0]) for one in INNER} | {"entry"}


@pytest.mark.parametrize(("key", "name"), [one[:2] for one in PLAIN])
def test_a_setting_has_the_variable_of_the_contract(key: str, name: str) -> None:
    assert variable(key) == name


@pytest.mark.parametrize(("key", "toml", "value"), [(one[0], one[2], one[4]) for one in PLAIN])
def test_a_setting_is_read_from_a_file(key: str, toml: str, value: object, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text(f"{key} = {toml}\n")
    config = load(Layers(explicit=file))
    assert found(config, key) == below(tmp_path, value)
    assert [one.origin for one in config.values if one.key == key] == [f"{file}:1"]


@pytest.mark.parametrize(("key", "name", "text", "value"), [(one[0], one[1], one[3], one[4]) for one in PLAIN])
def test_a_setting_is_read_from_its_variable(key: str, name: str, text: str, value: object) -> None:
    config = load(Layers(environment={name: text}))
    assert found(config, key) == value
    assert [one.origin for one in config.values if one.key == key] == [name]


def engine_table(key: str, toml: str) -> str:
    address = "" if key in ("rest", "nodes") else 'rest = "http://127.0.0.1:8080/engine-rest"\n'
    return f"[engines.my-engine]\n{address}{key} = {toml}\n"


@pytest.mark.parametrize(("key", "toml", "value"), [(one[0], one[2], one[4]) for one in INNER])
def test_a_setting_of_an_engine_is_read_from_a_file(key: str, toml: str, value: object, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text(engine_table(key, toml))
    (engine,) = load(Layers(explicit=file)).engines
    assert engine.entry == "my-engine"
    assert getattr(engine, attribute(key)) == below(tmp_path, value)


@pytest.mark.parametrize(("key", "name", "text", "value"), [(one[0], one[1], one[3], one[4]) for one in INNER])
def test_a_setting_of_an_engine_is_read_from_its_variable(
    key: str, name: str, text: str, value: object, tmp_path: Path
) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text(engine_table(key, "[]").rpartition(f"{key} = []")[0])
    config = load(Layers(explicit=file, environment={f"TELEMETRY_ENGINES__MY_ENGINE__{name}": text}))
    assert [engine.entry for engine in config.engines] == ["my-engine"]
    assert getattr(config.engines[0], attribute(key)) == value


def test_without_anything_said_every_setting_has_its_default() -> None:
    config = load(Layers())
    assert config == Config(
        reporter=Reporter(
            period=86_400_000,
            retries=2,
            timeout=15_000,
            deadline=60_000,
            sample_period=21_600_000,
            initial_delay=300_000,
            final_deadline=5_000,
        ),
        log=Log(level="warning", format="text", rotate_size=Size(10 * 1024 * 1024), rotate_count=5, to=None),
        serve=Serve(listen="127.0.0.1", port=8470),
        collector=Collector(
            listen="127.0.0.1",
            port=8471,
            forwarded="x-forwarded-for",
            key_period=604_800_000,
            installation_limit=Rate(1, "s", 3000),
            network_limit=Rate(50, "s", 5000),
            total_limit=Rate(500, "s", 1_000_000),
            proxies=(),
        ),
        endpoint=None,
        allow_http=False,
        initialize_telemetry=None,
        reporter_activate=True,
        withhold=(),
        store=None,
        store_password_file=None,
        engines=(),
        do_not_track=False,
        values=config.values,
    )
    assert {one.origin for one in config.values} == {"default"}
    assert [one.key for one in config.values] == [one[0] for one in PLAIN]


def test_an_engine_has_defaults_too() -> None:
    config = load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__REST": "http://127.0.0.1:8080/engine-rest"}))
    assert config.engines == (Engine(entry="orders", timeout=15_000, own_reporter="auto", rest=URL),)
    assert config.engines[0].addresses == (URL,)


def test_the_addresses_of_a_cluster_are_in_the_order_of_the_configuration() -> None:
    config = load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__NODES": "http://b/r,http://a/r,http://c/r"}))
    assert [str(address) for address in config.engines[0].addresses] == ["http://b/r", "http://a/r", "http://c/r"]


@pytest.mark.parametrize(
    ("middle", "entry"),
    [("ORDERS", "orders"), ("MY_ENGINE", "my-engine"), ("MY_OTHER", "my_Other"), ("MY__ENGINE", "my--engine")],
)
def test_a_variable_finds_the_entry_that_a_file_has_and_else_makes_one(middle: str, entry: str, tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text('[engines.my_Other]\nrest = "http://127.0.0.1/r"\n')
    config = load(Layers(explicit=file, environment={f"TELEMETRY_ENGINES__{middle}__REST": "http://127.0.0.1:9/r"}))
    assert {engine.entry: str(engine.rest) for engine in config.engines} == {
        "my_Other": "http://127.0.0.1/r",
        entry: "http://127.0.0.1:9/r",
    }


def test_variables_of_other_programs_are_not_ours() -> None:
    others = {"TELEMETRY_COLOUR": "red", "OTEL_ENDPOINT": "x", "telemetry_endpoint": "x", "TELEMETRY_ENGINES__A": "x",
              "TELEMETRY_ENGINES__A__COLOUR": "red", "TELEMETRY_TELEMETRY_REPORTER_ACTIVATE": "false"}  # fmt: skip
    config = load(Layers(environment=others))
    assert config.engines == ()
    assert config.reporter_activate is True


@pytest.mark.parametrize(
    ("text", "veto"),
    [("1", True), ("true", True), ("yes", True), ("off", True), ("", False), ("0", False), ("false", False),
     ("False", False), (" 0 ", False)],
)  # fmt: skip
def test_do_not_track_is_a_veto_unless_it_is_empty_0_or_false(text: str, veto: bool) -> None:
    assert load(Layers(environment={"DO_NOT_TRACK": text})).do_not_track is veto


def test_a_secret_of_the_environment_is_kept_beside_the_address() -> None:
    config = load(Layers(environment={"TELEMETRY_REPORTER__PROXY": "http://me:p%40ss@proxy:3128/"}))
    assert config.reporter.proxy == Url("http://proxy:3128", "me", Secret("p@ss"))
