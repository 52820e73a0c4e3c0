"""`telemetry_core.paths`: the system's place for root and where it exists, a user's own only where it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core import paths
from telemetry_core.paths import Places, default_places, drop_in_directory
from tests.support.unprivileged import unprivileged, visible_directory

SYSTEM = Places(Path("/etc/telemetry/telemetry.toml"), None, Path("/var/lib/telemetry/telemetry.db"))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The system's place and the user's own below a directory; nothing is there yet."""
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "etc" / "telemetry" / "telemetry.toml")
    monkeypatch.setattr(paths, "SYSTEM_STATE", tmp_path / "var" / "telemetry")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home" / "state"))
    return tmp_path


def system(directory: Path) -> Places:
    return Places(
        directory / "etc" / "telemetry" / "telemetry.toml", None, directory / "var" / "telemetry" / "telemetry.db"
    )


def test_root_uses_the_place_of_the_system() -> None:
    assert default_places(is_root=True) == SYSTEM
    assert SYSTEM.editable == Path("/etc/telemetry/telemetry.toml")


def test_where_there_is_no_system_place_a_user_has_one_of_their_own(elsewhere: Path) -> None:
    own = elsewhere / "home" / "config" / "telemetry" / "telemetry.toml"
    assert default_places(is_root=False) == Places(
        None, own, elsewhere / "home" / "state" / "telemetry" / "telemetry.db"
    )
    assert default_places(is_root=False).editable == own


def test_root_uses_the_place_of_the_system_before_it_exists(elsewhere: Path) -> None:
    assert default_places(is_root=True) == system(elsewhere)


@pytest.mark.parametrize("there", ["etc/telemetry/telemetry.toml", "var/telemetry/telemetry.db"])
def test_where_the_system_has_configuration_or_state_every_user_uses_it(there: str, elsewhere: Path) -> None:
    file = elsewhere / there
    file.parent.mkdir(parents=True)
    file.touch()
    assert default_places(is_root=False) == system(elsewhere)


def test_an_empty_directory_for_the_configuration_is_no_configuration(elsewhere: Path) -> None:
    (elsewhere / "etc" / "telemetry").mkdir(parents=True)
    assert default_places(is_root=False).system_config is None


def test_a_system_configuration_that_this_user_may_not_see_is_there_all_the_same(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default_places(is_root=False)  # loads what is loaded late, while everything can be read
    with visible_directory() as directory:
        hidden = directory / "telemetry"
        hidden.mkdir(mode=0o700)
        (hidden / "telemetry.toml").touch()
        monkeypatch.setattr(paths, "SYSTEM_CONFIG", hidden / "telemetry.toml")
        hidden.chmod(0o000)
        try:
            with unprivileged():
                found = default_places(is_root=False)
        finally:
            hidden.chmod(0o700)
    assert found == Places(hidden / "telemetry.toml", None, elsewhere / "var" / "telemetry" / "telemetry.db")


def test_looking_for_the_places_makes_nothing(elsewhere: Path) -> None:
    default_places(is_root=False)
    default_places(is_root=True)
    assert list(elsewhere.iterdir()) == []


def test_drop_ins_stand_beside_the_file_that_they_add_to() -> None:
    assert drop_in_directory(Path("/etc/telemetry/telemetry.toml")) == Path("/etc/telemetry/telemetry.d")
    assert drop_in_directory(Path("/srv/a.b/own.config.toml")) == Path("/srv/a.b/own.config.d")
