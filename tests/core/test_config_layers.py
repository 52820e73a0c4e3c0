"""Layers: defaults, system file, user file, environment, each file with its drop-ins; each value with its origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from telemetry_core.config import Config, Layers, load
from telemetry_core.errors import ConfigurationError


@pytest.fixture
def system(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc" / "telemetry.toml"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "telemetry.toml"


def period(text: str) -> str:
    return f'[reporter]\nperiod = "{text}"\n'


def drop_in(beside: Path, name: str, text: str) -> Path:
    directory = beside.with_suffix(".d")
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text)
    return directory / name


def said(config: Config, key: str = "reporter.period") -> tuple[object, str]:
    return next((one.value, one.origin) for one in config.values if one.key == key)


def test_each_layer_wins_over_the_one_below_it(system: Path, user: Path) -> None:
    environment: Mapping[str, str] = {}

    def now() -> tuple[object, str]:
        return said(load(Layers(system=system, user=user, environment=environment)))

    assert now() == (86_400_000, "default")
    system.write_text(period("1h"))
    assert now() == (3_600_000, f"{system}:2")
    system_drop_in = drop_in(system, "10.toml", period("2h"))
    assert now() == (7_200_000, f"{system_drop_in}:2")
    user.write_text(period("3h"))
    assert now() == (10_800_000, f"{user}:2")
    user_drop_in = drop_in(user, "10.toml", period("4h"))
    assert now() == (14_400_000, f"{user_drop_in}:2")
    environment = {"TELEMETRY_REPORTER__PERIOD": "5h"}
    assert now() == (18_000_000, "TELEMETRY_REPORTER__PERIOD")


def test_drop_ins_are_read_in_the_order_of_their_names(system: Path) -> None:
    system.write_text(period("1h"))
    drop_in(system, "90-cli.toml", period("3h"))
    drop_in(system, "10-host.toml", period("2h"))
    assert said(load(Layers(system=system))) == (10_800_000, f"{system.with_suffix('.d') / '90-cli.toml'}:2")
    drop_in(system, "99-last.toml", period("4h"))
    assert said(load(Layers(system=system)))[0] == 14_400_000


def test_a_drop_in_is_a_file_that_ends_in_toml_and_is_not_hidden(system: Path) -> None:
    system.write_text(period("1h"))
    for name in ("10.toml.bak", "20.conf", "30.TOML~", ".40.toml", "README"):
        drop_in(system, name, "not TOML at all")
    assert said(load(Layers(system=system)))[0] == 3_600_000


def test_drop_ins_count_without_the_file_that_they_stand_beside(system: Path) -> None:
    drop_in(system, "10.toml", period("2h"))
    assert said(load(Layers(system=system)))[0] == 7_200_000


def test_a_drop_in_changes_only_what_it_says(system: Path) -> None:
    system.write_text('endpoint = "https://a.example/p"\n[reporter]\nperiod = "1h"\nretries = 1\n')
    drop_in(system, "10.toml", "[reporter]\nretries = 3\n")
    config = load(Layers(system=system))
    assert (config.reporter.period, config.reporter.retries) == (3_600_000, 3)
    assert config.endpoint is not None


def test_engines_of_several_layers_are_all_there_and_one_is_made_of_several_layers(system: Path, user: Path) -> None:
    system.write_text('[engines.a]\nrest = "http://a/r"\nusername = "x"\n[engines.b]\nrest = "http://b/r"\n')
    user.write_text('[engines.b]\nusername = "y"\n[engines.c]\nrest = "http://c/r"\n')
    engines = load(Layers(system=system, user=user)).engines
    assert [(one.entry, str(one.rest), one.username) for one in engines] == [
        ("a", "http://a/r", "x"),
        ("b", "http://b/r", "y"),
        ("c", "http://c/r", None),
    ]


def test_an_explicit_file_stands_for_system_and_user_file_and_not_for_the_environment(
    system: Path, user: Path, tmp_path: Path
) -> None:
    system.write_text(period("1h"))
    user.write_text("[reporter]\nretries = 7\n")
    explicit = tmp_path / "own.toml"
    explicit.write_text('[reporter]\ntimeout = "3s"\n')
    drop_in(explicit, "1.toml", '[reporter]\ndeadline = "9s"\n')
    environment = {"TELEMETRY_ALLOW_HTTP": "1"}
    config = load(Layers(system=system, user=user, explicit=explicit, environment=environment))
    reporter = config.reporter
    assert (reporter.period, reporter.retries, reporter.timeout, reporter.deadline) == (86_400_000, 2, 3_000, 9_000)
    assert config.allow_http is True


def test_a_file_of_the_default_place_may_be_missing_and_an_explicit_one_may_not(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere" / "telemetry.toml"
    load(Layers(system=missing, user=missing))
    with pytest.raises(ConfigurationError) as raised:
        load(Layers(explicit=missing))
    assert raised.value.message == f"{missing} cannot be read: No such file or directory."
    assert "--config" in raised.value.hint


def test_relative_paths_start_at_the_file_that_says_them(system: Path) -> None:
    system.write_text('[reporter]\nca-file = "ca.pem"\n')
    drop_in(system, "1.toml", '[reporter]\ntoken-file = "../token"\n')
    reporter = load(Layers(system=system)).reporter
    assert reporter.ca_file == system.parent / "ca.pem"
    assert reporter.token_file == system.with_suffix(".d") / "../token"


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('endpoint = "https://a.example/p"', "endpoint", 1),
        ('\n\n  endpoint="https://a.example/p"', "endpoint", 3),
        ('# comment\n[reporter]\n# another\nperiod = "1h"', "reporter.period", 4),
        ('reporter.period = "1h"', "reporter.period", 1),
        ('[engines.a]\nrest = "http://a/r"\n[engines.b]\nrest = "http://b/r"', "engines.b.rest", 4),
        ('[engines."a"]\n"rest" = "http://a/r"', "engines.a.rest", 2),
        ('[engines]\na.rest = "http://a/r"', "engines.a.rest", 2),
    ],
)
def test_the_origin_of_a_value_is_its_file_and_line(text: str, key: str, line: int, system: Path) -> None:
    system.write_text(text)
    assert said(load(Layers(system=system)), key)[1] == f"{system}:{line}"


def test_a_value_inside_a_line_has_the_file_as_its_origin(system: Path) -> None:
    system.write_text('engines = { a = { rest = "http://a/r" } }')
    assert said(load(Layers(system=system)), "engines.a.rest")[1] == str(system)


def test_a_draft_stands_for_a_drop_in_that_is_not_written_yet(system: Path) -> None:
    system.write_text(period("1h"))
    draft = system.with_suffix(".d") / "90-cli.toml"
    config = load(Layers(system=system, drafts={draft: period("6h")}))
    assert said(config) == (21_600_000, f"{draft}:2")
    drop_in(system, "95.toml", period("7h"))
    assert load(Layers(system=system, drafts={draft: period("6h")})).reporter.period == 25_200_000
    assert not draft.exists()
