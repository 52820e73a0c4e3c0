"""From what was said in all layers to one checked configuration; the first wrong value ends it with a clear message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from telemetry_core import files
from telemetry_core.config import policy, sources
from telemetry_core.config.policy import Policy
from telemetry_core.config.settings import (
    ENGINE_SETTINGS,
    SETTINGS,
    Collector,
    Config,
    Engine,
    Log,
    Reporter,
    Serve,
    Setting,
    Value,
)
from telemetry_core.config.sources import Said
from telemetry_core.config.values import Url, is_loopback
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Endpoint

ENTRY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PLAIN = {setting.key: setting for setting in SETTINGS}
_INNER = {setting.key: setting for setting in ENGINE_SETTINGS}
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Layers:
    """Where to look, lowest layer first; `explicit` (from --config) stands for system and user file.

    `drafts` are texts that stand for files that are not written yet, so that a change can be checked before it is made.
    `policy` is the file of the host's policy, which stands above them all.
    """

    system: Path | None = None
    user: Path | None = None
    explicit: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    drafts: Mapping[Path, str] = field(default_factory=dict)
    policy: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read, lowest first; each with its drop-ins after it."""
        chosen = (self.explicit,) if self.explicit else (self.system, self.user)
        return tuple(path for path in chosen if path is not None)


def load(layers: Layers) -> Config:
    """The configuration from defaults, usual variables, files with their drop-ins, and variables of our own.

    Raises:
        ConfigurationError: A file is missing or broken, or a value does not fit; the message has file, line and key.
    """
    said: dict[str, Said] = {}
    for path in layers.files:
        found = sources.from_file(path, required=path == layers.explicit, drafts=layers.drafts)
        said |= {one.key: one for one in found}
    entries = dict.fromkeys(key.split(".")[1] for key in said if key.startswith("engines.") and key.count("."))
    said |= {one.key: one for one in sources.from_environment(layers.environment, entries)}
    entries |= dict.fromkeys(key.split(".")[1] for key in said if key.startswith("engines."))
    plain = "endpoint" in said and str(said["endpoint"].value).startswith("http://")
    for one in sources.from_usual_variables(layers.environment, plain=plain, engines=entries):
        said.setdefault(one.key, one)
    checked = {key: _check(one) for key, one in said.items()}
    config = _assemble(checked, said, do_not_track=_do_not_track(layers.environment))
    config = _under(policy.read(layers.policy), config)
    _refuse_plain_http(config)
    return config


def setting_of(key: str) -> Setting | None:
    """The setting of a whole key, None where there is none; `engines.NAME.rest` has the one of `rest`."""
    parts = key.split(".")
    if parts[0] == "engines":
        return _INNER.get(parts[2]) if len(parts) == 3 and ENTRY_NAME.fullmatch(parts[1]) else None
    return _PLAIN.get(key)


def unknown_key(key: str, origin: str) -> ConfigurationError:
    """The error for a key that is no setting, with the nearest one that is."""
    parts = key.split(".")
    inside = len(parts) == 3 and parts[0] == "engines"
    if parts[0] == "engines" and len(parts) > 1 and not ENTRY_NAME.fullmatch(parts[1]):
        return ConfigurationError(
            f"{origin}: {parts[1]!r} is no name for an engine.", hint="Use letters, digits, - and _, at most 64."
        )
    if parts[0] == "engines" and len(parts) < 3:
        return ConfigurationError(
            f"{origin}: {key} is not a table with settings.", hint='Write [engines.NAME] and below it rest = "...".'
        )
    near = difflib.get_close_matches(parts[2] if inside else key, _INNER if inside else _PLAIN, n=1, cutoff=0.5)
    nearest = ".".join([*parts[:2], near[0]]) if near and inside else (near[0] if near else "")
    hint = f"The nearest setting is {nearest}." if nearest else "`telemetry config show` lists all settings."
    return ConfigurationError(f"{origin}: there is no setting {key}.", hint=hint)


def check(setting: Setting, said: Said) -> object:
    """The value of a setting from what was said.

    Raises:
        ConfigurationError: It is not what the setting expects, or carries a password that others can read.
    """
    value = sources.fitting(said, setting)
    if said.file is not None and has_password(value):
        files.refuse_if_others_can_read(said.file)
    return value


def _check(said: Said) -> object:
    if said.value is None:
        return None
    setting = setting_of(said.key)
    if setting is None:
        raise unknown_key(said.key, said.origin)
    return check(setting, said)


def has_password(value: object) -> bool:
    """Whether a value of a setting carries a password."""
    if isinstance(value, tuple):
        return any(has_password(item) for item in value)
    return isinstance(value, Url) and value.password is not None


def _assemble(checked: Mapping[str, object], said: Mapping[str, Said], *, do_not_track: bool) -> Config:
    shown: list[Value] = []

    def value(key: str, setting: Setting) -> object:
        if key in checked:
            found, origin = checked[key], said[key].origin
        else:
            found = None if setting.default is None else setting.type.read(setting.default, Path())
            origin = _DEFAULT
        if found is not None or not key.startswith("engines."):
            shown.append(Value(key, found, origin))
        return found

    plain = {key: value(key, setting) for key, setting in _PLAIN.items()}
    reporter, log, serve, collector = (_of_table(plain, table) for table in ("reporter", "log", "serve", "collector"))
    names = dict.fromkeys(key.split(".")[1] for key in checked if key.startswith("engines."))
    engines = tuple(
        _engine(name, {key: value(f"engines.{name}.{key}", setting) for key, setting in _INNER.items()})
        for name in names
    )
    plain["reporter-activate"] = plain.pop("telemetry-reporter-activate")
    fields = {_identifier(key): found for key, found in plain.items() if "." not in key}
    return Config(
        **fields,  # type: ignore[arg-type]  # each was made by the type of its setting
        reporter=Reporter(**reporter),  # type: ignore[arg-type]  # as above
        log=Log(**log),  # type: ignore[arg-type]  # as above
        serve=Serve(**serve),  # type: ignore[arg-type]  # as above
        collector=Collector(**collector),  # type: ignore[arg-type]  # as above
        engines=engines,
        do_not_track=do_not_track,
        values=tuple(shown),
    )


def _of_table(plain: Mapping[str, object], table: str) -> dict[str, object]:
    inside = f"{table}."
    return {_identifier(key.removeprefix(inside)): found for key, found in plain.items() if key.startswith(inside)}


def _engine(name: str, fields: Mapping[str, object]) -> Engine:
    engine = Engine(entry=name, **{_identifier(key): found for key, found in fields.items() if found is not None})  # type: ignore[arg-type]  # each was made by the type of its setting
    if engine.rest is not None and engine.nodes:
        raise ConfigurationError(
            f"engines.{name} has both rest and nodes.", hint="Keep `rest` for one node, `nodes` for several."
        )
    if not engine.addresses and engine.database is None:
        raise ConfigurationError(
            f"engines.{name} says nowhere to find the engine.",
            hint=f'Set engines.{name}.rest, for example to "http://127.0.0.1:8080/engine-rest".',
        )
    return engine


def _identifier(key: str) -> str:
    return key.replace("-", "_")


def _do_not_track(environment: Mapping[str, str]) -> bool:
    return environment.get("DO_NOT_TRACK", "").strip().lower() not in ("", "0", "false")


def _under(policy: Policy, config: Config) -> Config:
    """A configuration as far as the host's policy lets it be."""
    origins = policy.origins or {}
    shown = {one.key: one for one in config.values}
    if policy.endpoint is not None:
        shown["endpoint"] = Value("endpoint", policy.endpoint, origins["endpoint"])
        config = replace(config, endpoint=policy.endpoint)
    more = tuple(name for name in policy.withhold if name not in config.withhold)
    if more:
        withhold = (*config.withhold, *more)
        before = shown["withhold"].origin
        origin = origins["withhold"] if before == _DEFAULT else f"{before} and {origins['withhold']}"
        shown["withhold"] = Value("withhold", withhold, origin)
        config = replace(config, withhold=withhold)
    return replace(config, forbidden_by=origins["forbid"] if policy.forbid else "", values=tuple(shown.values()))


def _refuse_plain_http(config: Config) -> None:
    endpoint: Endpoint | None = config.endpoint
    if endpoint is None or endpoint.scheme == "https" or config.allow_http or is_loopback(endpoint.host):
        return
    origin = next(one.origin for one in config.values if one.key == "endpoint")
    raise ConfigurationError(
        f"{origin}: endpoint is plain HTTP to another host ({endpoint.host}).",
        hint="Use https://, or set allow-http = true if the way there is protected otherwise.",
    )
