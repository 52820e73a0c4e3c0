"""Variables that all programs know: the defaults of proxy, exemptions and authorities, each with its name as origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core.config import Config, Layers, Url, load
from telemetry_core.errors import ConfigurationError
from telemetry_core.secret import Secret

HTTPS = {"TELEMETRY_ENDPOINT": "https://telemetry.example/pings"}
HTTP = {"TELEMETRY_ENDPOINT": "http://127.0.0.1:8080/pings"}


def said(config: Config, key: str) -> tuple[object, str]:
    return next((one.value, one.origin) for one in config.values if one.key == key)


def proxy(endpoint: dict[str, str], **variables: str) -> tuple[str, str]:
    value, origin = said(load(Layers(environment={**endpoint, **variables})), "reporter.proxy")
    return str(value), origin


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_proxy_of_an_https_endpoint(name: str) -> None:
    assert proxy(HTTPS, **{name: "http://proxy.example:3128"}) == ("http://proxy.example:3128", name)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_the_proxy_of_a_plain_endpoint(name: str) -> None:
    assert proxy(HTTP, **{name: "http://proxy.example:3128"}) == ("http://proxy.example:3128", name)


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [(HTTPS, "http_proxy"), (HTTPS, "HTTP_PROXY"), (HTTP, "HTTP_PROXY"), (HTTP, "https_proxy"), (HTTP, "HTTPS_PROXY")],
)
def test_the_proxy_of_another_scheme_is_none_and_http_proxy_in_upper_case_never_is(
    endpoint: dict[str, str], name: str
) -> None:
    assert proxy(endpoint, **{name: "http://proxy.example:3128"}) == ("None", "default")


def test_the_more_special_variable_wins_and_lower_case_before_upper_case() -> None:
    names = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    while names:
        variables = {name: f"http://{number}.example:1" for number, name in enumerate(names)}
        assert proxy(HTTPS, **variables) == ("http://0.example:1", names[0])
        names.pop(0)


def test_a_variable_of_our_own_and_a_file_win_over_the_usual_ones(tmp_path: Path) -> None:
    file = tmp_path / "telemetry.toml"
    file.write_text(
        '[reporter]\nproxy = "http://file:1"\nno-proxy = []\nca-file = "/file.pem"\n'
        '[engines.a]\nrest = "http://a/r"\nca-file = "/a.pem"\n'
    )
    usual = {"HTTPS_PROXY": "http://usual:1", "NO_PROXY": "*", "SSL_CERT_FILE": "/usual.pem"}
    config = load(Layers(explicit=file, environment=usual))
    assert (config.reporter.proxy, config.reporter.no_proxy) == (Url("http://file:1"), ())
    assert (config.reporter.ca_file, config.engines[0].ca_file) == (Path("/file.pem"), Path("/a.pem"))
    own = {"TELEMETRY_REPORTER__PROXY": "http://own:1", "TELEMETRY_REPORTER__NO_PROXY": "a.example"}
    config = load(Layers(environment={**usual, **own}))
    assert (config.reporter.proxy, config.reporter.no_proxy) == (Url("http://own:1"), ("a.example",))


def test_none_means_no_proxy_whatever_the_usual_variables_say() -> None:
    config = load(Layers(environment={"TELEMETRY_REPORTER__PROXY": "none", "HTTPS_PROXY": "http://usual:1"}))
    assert config.reporter.proxy is None
    assert said(config, "reporter.proxy") == (None, "TELEMETRY_REPORTER__PROXY")


@pytest.mark.parametrize("text", ["proxy.example:3128", " http://proxy.example:3128/ "])
def test_a_proxy_may_be_said_as_programs_take_it(text: str) -> None:
    assert proxy(HTTPS, HTTPS_PROXY=text) == ("http://proxy.example:3128", "HTTPS_PROXY")


@pytest.mark.parametrize("text", ["http://me:p%40ss@proxy:3128", "me:p%40ss@proxy:3128"])
def test_who_we_are_to_a_proxy_is_taken_from_the_variable_and_never_shown(text: str) -> None:
    config = load(Layers(environment={"HTTPS_PROXY": text}))
    assert config.reporter.proxy == Url("http://proxy:3128", "me", Secret("p@ss"))
    assert "p@ss" not in repr(config) + str(config)


@pytest.mark.parametrize("text", ["socks5h://geheim@127.0.0.1:1080", "http://me:geh/eim@proxy:3128", "http://:0"])
def test_a_proxy_that_cannot_be_used_is_refused_by_its_variable_and_not_gone_round(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(environment={"ALL_PROXY": text}))
    assert raised.value.message.startswith("ALL_PROXY: reporter.proxy is not the address of an HTTP proxy such as")
    assert "geh" not in raised.value.message + raised.value.hint


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("*", ("*",)),
        ("a.example,.b.example", ("a.example", ".b.example")),
        (" a.example , b.example\tc.example,,", ("a.example", "b.example", "c.example")),
        ("10.0.0.0/8,[::1]:8443", ("10.0.0.0/8", "[::1]:8443")),
        ("<local>,a.example,10.0.0.0/99", ("a.example",)),
    ],
)
def test_what_is_asked_without_the_proxy_less_what_only_other_programs_understand(
    name: str, text: str, hosts: tuple[str, ...]
) -> None:
    config = load(Layers(environment={name: text}))
    assert config.reporter.no_proxy == hosts
    assert said(config, "reporter.no-proxy") == (hosts, name)


def test_in_a_setting_of_ours_every_entry_must_be_understood() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(environment={"TELEMETRY_REPORTER__NO_PROXY": "a.example,10.0.0.0/99"}))
    assert "'10.0.0.0/99' is neither a host nor a network" in raised.value.message


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_of_the_usual_variables_are_those_of_endpoint_and_engines(name: str) -> None:
    engine = {"TELEMETRY_ENGINES__ORDERS__REST": "https://orders.example/engine-rest"}
    config = load(Layers(environment={name: "/etc/our", **engine}))
    assert (config.reporter.ca_file, config.engines[0].ca_file) == (Path("/etc/our"), Path("/etc/our"))
    assert said(config, "reporter.ca-file") == (Path("/etc/our"), name)
    assert said(config, "engines.orders.ca-file") == (Path("/etc/our"), name)


def test_the_file_of_authorities_goes_before_the_directory() -> None:
    config = load(Layers(environment={"SSL_CERT_FILE": "/file", "SSL_CERT_DIR": "/directory"}))
    assert config.reporter.ca_file == Path("/file")


def test_a_usual_variable_that_is_empty_is_not_set() -> None:
    names = ("HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")
    config = load(Layers(environment=dict.fromkeys(names, "") | {"ALL_PROXY": " "}))
    assert {one.origin for one in config.values} == {"default"}
