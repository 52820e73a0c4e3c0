"""Where settings are said: TOML files with their drop-ins, and environment variables; each value with its origin."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from telemetry_core import bypass, files, paths
from telemetry_core.config.settings import ENGINE_SETTINGS, SETTINGS, TABLES, Setting
from telemetry_core.config.values import Unfit
from telemetry_core.errors import ConfigurationError

FILE_LIMIT = 1024 * 1024
"""Bytes; a configuration for hundreds of engines has a few tens of thousands."""

_ENGINE_VARIABLE = re.compile(r"TELEMETRY_ENGINES__([A-Z0-9_]+)__([A-Z0-9_]+)")


@dataclass(frozen=True, slots=True)
class Said:
    """One value as it was said, before it is checked.

    Attributes:
        key: The whole key, such as `engines.orders.rest`.
        value: What TOML gave; for a variable its text.
        origin: For people: a file with its line, or the name of a variable.
        file: The file, None for a variable.
        base: What a relative path is relative to.
    """

    key: str
    value: object
    origin: str
    file: Path | None
    base: Path

    @property
    def is_text(self) -> bool:
        """Whether the value comes from something that knows only texts."""
        return self.file is None


def from_file(path: Path, *, required: bool, drafts: Mapping[Path, str]) -> Iterator[Said]:
    """What a TOML file and its drop-ins say, in the order in which later ones win.

    Args:
        path: The file.
        required: Whether it must be there.
        drafts: Texts that stand for drop-ins that are not written yet.

    Raises:
        ConfigurationError: One of them cannot be read or is no TOML.
    """
    if required or exists(path):
        yield from from_one(path)
    directory = paths.drop_in_directory(path)
    for drop_in in sorted({*_drop_ins(directory), *(draft for draft in drafts if draft.parent == directory)}):
        yield from from_one(drop_in, drafts.get(drop_in))


def fitting(said: Said, setting: Setting) -> object:
    """The value of a setting from what was said.

    Raises:
        ConfigurationError: It is not what the setting expects.
    """
    raw = setting.type.from_text(cast(str, said.value)) if said.is_text else said.value
    try:
        return setting.type.read(raw, said.base)
    except Unfit as error:
        detail = f" ({error})" if str(error) else ""
        raise ConfigurationError(
            f"{said.origin}: {said.key} is not {setting.type.expected}{detail}.", hint=setting.meaning
        ) from None


def read_order(path: Path) -> list[Path]:
    """A file and its drop-ins in the order in which they are read.

    Raises:
        ConfigurationError: The directory of the drop-ins cannot be read.
    """
    return [path, *sorted(_drop_ins(paths.drop_in_directory(path)))]


def _drop_ins(directory: Path) -> list[Path]:
    try:
        return [entry for entry in directory.iterdir() if entry.suffix == ".toml" and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unreadable(directory, error) from error


def from_environment(variables: Mapping[str, str], engines: Iterable[str]) -> Iterator[Said]:
    """What `TELEMETRY_*` variables say; unknown ones are other programs' business and stay unread.

    Args:
        variables: The environment.
        engines: Names of the entries that files have, so that `TELEMETRY_ENGINES__MY_ENGINE__REST` finds `my-engine`.

    Raises:
        ConfigurationError: One is so near to a setting's that it must be meant for it.
    """
    known = {variable(setting.key): setting.key for setting in SETTINGS}
    inner = {_capitals(setting.key): setting.key for setting in ENGINE_SETTINGS}
    entries = {_capitals(name): name for name in engines}
    for name, text in sorted(variables.items()):
        if not text:
            continue  # set to nothing is not set, as containers have it
        match = _ENGINE_VARIABLE.fullmatch(name)
        if match and match[2] in inner:
            entry = entries.get(match[1], match[1].lower().replace("_", "-"))
            yield _from_variable(f"engines.{entry}.{inner[match[2]]}", name, text)
        elif name in known:
            yield _from_variable(known[name], name, text)
        elif near := difflib.get_close_matches(name, known, n=1, cutoff=0.9):
            raise ConfigurationError(
                f"There is no setting for the variable {name}.", hint=f"The nearest variable is {near[0]}."
            )


def from_usual_variables(variables: Mapping[str, str], *, plain: bool, engines: Iterable[str]) -> Iterator[Said]:
    """What variables that all programs know say of proxies and authorities; ours and files win over them (DESIGN §5).

    Args:
        variables: The environment.
        plain: Whether the endpoint is plain HTTP, for which there are other variables.
        engines: Names of the entries.
    """
    other = "https_proxy" if plain else "http_proxy"
    settings = [(setting.key, setting) for setting in SETTINGS]
    settings += [(f"engines.{name}.{setting.key}", setting) for name in engines for setting in ENGINE_SETTINGS]
    for key, setting in settings:
        name = next((one for one in setting.usual if one.lower() != other and variables.get(one, "").strip()), None)
        if name is not None:
            yield _from_variable(key, name, _as_ours(key, variables[name].strip()))


def _as_ours(key: str, text: str) -> str:
    """What programs take in these variables, as our settings have it: hosts alone, entries that only some know."""
    if key == "reporter.proxy" and "://" not in text:
        return f"http://{text}"
    if key == "reporter.no-proxy":
        return ",".join(entry for entry in re.split(r"[\s,]+", text) if _is_exemption(entry))
    return text


def _is_exemption(entry: str) -> bool:

    try:
        bypass.parse(entry)
    except ValueError:
        return False
    return True


def _from_variable(key: str, name: str, text: str) -> Said:
    return Said(key=key, value=text, origin=name, file=None, base=Path())


def _capitals(key: str) -> str:
    return key.upper().replace("-", "_").replace(".", "__")


def variable(key: str) -> str:
    """The environment variable of a setting: `reporter.period` is `TELEMETRY_REPORTER__PERIOD`."""
    capitals = _capitals(key)
    return capitals if capitals.startswith("TELEMETRY_") else f"TELEMETRY_{capitals}"


def exists(path: Path) -> bool:
    """Whether a file is there.

    Raises:
        ConfigurationError: This user may not look.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise _unreadable(path, error) from error
    return True


def _unreadable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{path} cannot be read: {error.strerror}.",
        hint="Check the path and that this user may read it, or name another file with --config.",
    )


def from_one(path: Path, draft: str | None = None) -> Iterator[Said]:
    """What one TOML file says, without its drop-ins.

    Args:
        path: The file.
        draft: A text that stands for it.

    Raises:
        ConfigurationError: It cannot be read or is no TOML.
    """
    try:
        text = files.read_limited(path, FILE_LIMIT).decode("utf-8") if draft is None else draft
        content = tomllib.loads(text)
    except OSError as error:
        raise _unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is not UTF-8: byte {error.start} fits no character.", hint="Save the file as UTF-8 text."
        ) from None
    except (ValueError, RecursionError) as error:  # not TOMLDecodeError alone: a number of thousands of digits
        raise ConfigurationError(
            f"{path} is not valid TOML: {error}.", hint="Correct the place that the message names."
        ) from None
    lines = _lines(text)
    for key, value in _flat(content):
        line = lines.get(key)
        yield Said(key, value, f"{path}:{line}" if line else str(path), path, path.parent)


def _flat(content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Keys with dots; tables are opened where settings lie in tables, so that anything else is shown as it was said."""
    for name, value in content.items():
        if name == "engines" and isinstance(value, dict):
            for entry, inner in value.items():
                yield from _inside(f"engines.{entry}", inner)
        elif name in TABLES:
            yield from _inside(name, value)
        else:
            yield name, value


def _inside(prefix: str, value: object) -> Iterator[tuple[str, object]]:
    if not isinstance(value, dict):
        yield prefix, value
        return
    if not value:
        yield prefix, None
    for name, inner in value.items():
        yield f"{prefix}.{name}", inner


def _lines(text: str) -> dict[str, int]:
    """The line of each key that stands on a line of its own, for messages."""
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\[\]]+)\]", line):
            table = header[1].replace('"', "").strip() + "."
            found.setdefault(table[:-1], number)
        elif key := re.match(r'\s*([A-Za-z0-9_."-]+)\s*=', line):
            found.setdefault(table + key[1].replace('"', ""), number)
    return found
