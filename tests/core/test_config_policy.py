"""`telemetry_core.config.policy`: a file of root's forbids and forces whatever others say, and enables nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from telemetry_core.config import Config, Layers, load
from telemetry_core.errors import ConfigurationError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of root's")

ENDPOINT = {"TELEMETRY_ENDPOINT": "https://mine.example/pings"}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    directory = tmp_path / "etc"
    directory.mkdir(mode=0o755)
    return directory / "policy.toml"


def loaded(policy: Path, text: str, **variables: str) -> Config:
    policy.write_text(text, encoding="utf-8")
    policy.chmod(0o644)
    return load(Layers(environment=variables, policy=policy))


def test_without_a_policy_nothing_is_forbidden_or_forced(policy: Path) -> None:
    assert load(Layers(environment=ENDPOINT, policy=policy)) == load(Layers(environment=ENDPOINT))


def test_it_forbids_and_says_where(policy: Path) -> None:
    assert loaded(policy, "# ours\nforbid = true\n").forbidden_by == f"{policy}:2"
    assert loaded(policy, "forbid = false\n").forbidden_by == ""


def test_its_endpoint_stands_above_all_others(policy: Path) -> None:
    config = loaded(policy, 'endpoint = "https://house.example/pings"\n', **ENDPOINT)
    assert config.endpoint is not None
    assert config.endpoint.host == "house.example"
    assert [(one.value, one.origin) for one in config.values if one.key == "endpoint"] == [
        (config.endpoint, f"{policy}:1")
    ]


def test_an_endpoint_of_the_policy_is_no_way_round_https(policy: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"policy.toml:1: endpoint is plain HTTP to another host"):
        loaded(policy, 'endpoint = "http://house.example/pings"\n')


@pytest.mark.parametrize("own", ["jdk", "license-key, jdk"])
def test_what_it_withholds_is_withheld_beside_what_others_withhold(own: str, policy: Path) -> None:
    config = loaded(policy, 'withhold = ["license-key", "commands.MyCmd"]\n', TELEMETRY_WITHHOLD=own)
    assert set(config.withhold) == {"jdk", "license-key", "commands.MyCmd"}
    (shown,) = [one for one in config.values if one.key == "withhold"]
    assert shown.origin == f"TELEMETRY_WITHHOLD and {policy}:1"


def test_it_stands_above_a_configuration_that_was_named_explicitly(policy: Path, tmp_path: Path) -> None:
    named = tmp_path / "mine.toml"
    named.write_text('endpoint = "https://mine.example/pings"\n', encoding="utf-8")
    policy.write_text("forbid = true\n", encoding="utf-8")
    assert load(Layers(explicit=named, policy=policy)).forbidden_by


@pytest.mark.parametrize(
    "key", ["initialize-telemetry = true", "enable = true", "store = 'x'", "[engines.orders]\nrest = 'http://a'"]
)
def test_it_says_nothing_else_and_enables_nothing(key: str, policy: Path) -> None:
    with pytest.raises(ConfigurationError, match="in a policy") as raised:
        loaded(policy, f"{key}\n")
    assert raised.value.hint == "It may say: forbid, withhold, endpoint."


@pytest.mark.parametrize(
    ("key", "why"), [('forbid = "yes"', "true or false"), ('withhold = ["jkd"]', "nearest is jdk")]
)
def test_a_value_that_does_not_fit_ends_it_with_the_line(key: str, why: str, policy: Path) -> None:
    with pytest.raises(ConfigurationError, match=why) as raised:
        loaded(policy, f"{key}\n")
    assert str(raised.value).startswith(f"{policy}:1: ")


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_one_that_others_can_change_is_nobodys_policy(mode: int, policy: Path) -> None:
    policy.write_text("forbid = true\n", encoding="utf-8")
    policy.chmod(mode)
    with pytest.raises(ConfigurationError, match="must be root's") as raised:
        load(Layers(policy=policy))
    assert raised.value.hint == f"Run: chown root {policy} && chmod go-w {policy}"


def test_nor_is_one_that_is_another_users_or_in_a_directory_that_others_can_change(policy: Path) -> None:
    policy.write_text("forbid = true\n", encoding="utf-8")
    policy.chmod(0o644)
    os.chown(policy, 65534, 65534)
    with pytest.raises(ConfigurationError, match=r"policy.toml must be root's"):
        load(Layers(policy=policy))
    os.chown(policy, 0, 0)
    policy.parent.chmod(0o777)
    with pytest.raises(ConfigurationError, match=r"etc must be root's"):
        load(Layers(policy=policy))
