"""Changing settings by command: a drop-in of our own is written whole; an administrator's file never is."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from telemetry_core import files, paths
from telemetry_core.config.loading import Layers, check, has_password, load, setting_of, unknown_key
from telemetry_core.config.sources import FILE_LIMIT, Said
from telemetry_core.config.values import Unfit
from telemetry_core.errors import ConfigurationError, SecretExposed

NAME = "90-cli.toml"
_HEAD = """\
#:schema {schema}
# Written by `telemetry config set` and `telemetry config unset`, which rewrite it as a whole.
# It is read after telemetry.toml and after drop-ins whose names come before its own, and wins over them.
# `telemetry config show` says for each setting which file decides.

"""


def schema_file() -> Path:
    """The JSON Schema of the configuration, for editors."""
    return Path(__file__).parent / "schema.json"


def drop_in(layers: Layers) -> Path:
    """The file that `change` writes: beside the topmost configuration file that is read."""
    return paths.drop_in_directory(layers.files[-1]) / NAME


def change(layers: Layers, key: str, text: str | None) -> Path | None:
    """Set a setting, or with None take it out of our drop-in; the file that was written, None where it was so already.

    The whole configuration is checked with the change before anything is written, and others that change settings at
    the same time wait.

    Args:
        layers: Where the configuration is.
        key: The whole key, such as `reporter.period` or `engines.orders.rest`.
        text: The value as a text; lists with commas.

    Raises:
        ConfigurationError: There is no such setting, the value does not fit, or the file cannot be written.
        SecretExposed: The value has a password in it, which belongs into a file of its own.
    """
    setting = setting_of(key)
    if setting is None:
        raise unknown_key(key, "config set" if text is not None else "config unset")
    raw = None if text is None else setting.type.from_text(text)
    if text is not None:
        _refuse_password(key, raw)
        check(setting, Said(key, text, "config set", file=None, base=Path()))
    import tomli_w

    target = drop_in(layers)
    with _locked(target):
        content = _read(target)
        before = tomli_w.dumps(content)
        _put(content, key.split("."), raw)
        if tomli_w.dumps(content) == before:
            return None
        draft = _HEAD.format(schema=schema_file()) + tomli_w.dumps(content)
        load(replace(layers, drafts={**layers.drafts, target: draft}))
        _write(target, draft)
    return target


def _refuse_password(key: str, raw: object) -> None:
    setting = setting_of(key)
    try:
        value = None if setting is None else setting.type.read(raw, Path())
    except Unfit:
        return  # loading says what is wrong, with all that belongs to it
    if has_password(value):
        raise SecretExposed(
            f"{key} has a password in it, and arguments are visible to other users.",
            hint="Leave it out and name a file with password-file, or write the address into a file with mode 0600.",
        )


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    from filelock import FileLock

    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f".{target.name}.lock"), mode=0o600)
        lock.acquire()
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield
    finally:
        lock.release()


def _read(target: Path) -> dict[str, object]:
    try:
        return tomllib.loads(files.read_limited(target, FILE_LIMIT).decode("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            f"{target} cannot be read: {error}.", hint="It is written by the program alone; remove it and begin anew."
        ) from error


def _put(content: dict[str, object], path: list[str], value: object) -> None:
    """Set or remove a value in nested tables; tables that become empty go with it."""
    name, rest = path[0], path[1:]
    if rest:
        table = content.setdefault(name, {})
        if not isinstance(table, dict):
            raise ConfigurationError(f"{name} is not a table.", hint="`telemetry config show` lists all settings.")
        _put(table, rest, value)
        if not table:
            del content[name]
    elif value is None:
        content.pop(name, None)
    else:
        content[name] = value


def _write(target: Path, text: str) -> None:
    try:
        files.write_whole(target, text)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{target} cannot be written: {error.strerror or error}.",
        hint="Run as a user that may write there (often: sudo telemetry config set ...), or edit a file by hand.",
    )
