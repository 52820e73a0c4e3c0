"""The types of settings: each reads a value from TOML or from a text, says what it expects and how a schema says it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from telemetry_core.model import HOUR, MINUTE, SECOND, Endpoint, Millis
from telemetry_core.secret import Secret
from telemetry_core.wire import ALWAYS, FIELDS, field_name

_DURATION_UNITS: Mapping[str, Millis] = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": 24 * HOUR}
_REWRITTEN = re.compile(r"""["<>\\^`{|}]""")
_DURATION = re.compile(r"(\d{1,9})(s|m|h|d)")
_DATABASE_URL = re.compile(r"([a-z0-9+]+://)(?:([^/@:]*)(?::([^/@]*))?@)?(\S+)")
_HOST = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f:.]+")


class Unfit(Exception):
    """Not of the tree, loading translates it: a value is not what its setting expects; the text may say more."""


@dataclass(frozen=True, slots=True)
class Url:
    """An address without its credentials, and the credentials."""

    text: str
    username: str | None = None
    password: Secret | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Type:
    """One type of setting.

    Attributes:
        expected: What a person reads when a value does not fit.
        read: Makes the value from what TOML gives; raises `Unfit`.
        from_text: Makes what TOML would give from the text of an environment variable or of `config set`.
        schema: The same as JSON Schema.
    """

    expected: str
    read: Callable[[object, Path], object]
    schema: Mapping[str, object]
    from_text: Callable[[str], object] = str


def is_loopback(host: str) -> bool:
    """Whether a host of a URL can only be this machine."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_endpoint(text: str) -> Endpoint:
    """An endpoint from its URL.

    Raises:
        Unfit: It is no absolute http or https URL, or carries credentials or a fragment.
    """
    parts = _split(text)
    if parts.username is not None or parts.password is not None:
        raise Unfit("credentials do not belong into it; a token's place is reporter.token-file")
    host = (parts.hostname or "").lower()
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    return Endpoint(url=parts.geturl(), scheme=parts.scheme, host=host, port=port)


def parse_duration(text: str) -> Millis:
    """A length of time such as `24h`, `15s` or `1h30m`, in milliseconds.

    Raises:
        Unfit: It is none.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise Unfit("")
    return sum(int(number) * _DURATION_UNITS[unit] for number, unit in parts)


def duration_text(length: Millis) -> str:
    """A length of time as a setting says it, in hours, minutes or seconds."""
    unit = next(unit for unit in "hms" if length % _DURATION_UNITS[unit] == 0)
    return f"{length // _DURATION_UNITS[unit]}{unit}"


def _split(text: str) -> SplitResult:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Unfit("it has characters that no URL has")
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # reading it checks it
    except ValueError:
        raise Unfit("its host or port cannot be read") from None  # what stands there may be part of a password
    if parts.scheme not in ("http", "https") or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        raise Unfit("")
    if parts.port == 0:
        raise Unfit("there is no port 0")
    if "[" in parts.netloc and ":" not in parts.hostname:
        raise Unfit("in brackets stands an IPv6 address")
    if parts.fragment:
        raise Unfit("a fragment (#...) is never sent")
    if _REWRITTEN.search(text) or {".", ".."} & set(parts.path.split("/")):
        raise Unfit("it would not be sent as it is written: no . or .. as a part of the path, no quotes or brackets")
    if "@" in parts.path + parts.query:
        raise Unfit("/ and @ in a password are written %2F and %40, and so is an @ behind the host")
    return parts


def _text(value: object, _base: Path) -> str:
    if not isinstance(value, str) or not value or not value.isprintable():
        raise Unfit("")
    return value


def _texts(value: object, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise Unfit("")
    return tuple(_text(item, base) for item in value)


def _flag(value: object, _base: Path) -> bool:
    if not isinstance(value, bool):
        raise Unfit("")
    return value


def _flag_from_text(text: str) -> object:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text)


def _count(value: object, _base: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 10:
        raise Unfit("")
    return value


def _port(value: object, _base: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise Unfit("")
    return value


def _count_from_text(text: str) -> object:
    return int(text) if text.strip().isdecimal() and len(text) < 20 else text


def _list_from_text(text: str) -> object:
    return [part.strip() for part in text.split(",") if part.strip()]


def _path(value: object, base: Path) -> Path:
    return base / _text(value, base)


def _duration(value: object, base: Path) -> Millis:
    length = parse_duration(_text(value, base))
    if not SECOND <= length <= 366 * 24 * HOUR:
        raise Unfit("it is shorter than a second or longer than a year")
    return length


def _endpoint(value: object, base: Path) -> Endpoint:
    return parse_endpoint(_text(value, base))


def _url(value: object, base: Path) -> Url:
    text = _text(value, base)
    parts = _split(text)
    hostname = parts.hostname or ""
    host = f"[{hostname}]" if ":" in hostname else hostname
    netloc = host if parts.port is None else f"{host}:{parts.port}"
    password = None if parts.password is None else Secret(unquote(parts.password))
    username = None if parts.username is None else unquote(parts.username)
    return Url(parts._replace(netloc=netloc).geturl().rstrip("/"), username, password)


def _proxy(value: object, base: Path) -> Url | None:
    return None if value == "none" else _url(value, base)


def _hosts(value: object, base: Path) -> tuple[str, ...]:
    hosts = _texts(value, base)
    if not hosts:
        return ()
    from telemetry_core import bypass

    for host in hosts:
        try:
            bypass.parse(host)
        except ValueError as error:
            raise Unfit(str(error)) from None
    return hosts


def _hosts_from_text(text: str) -> object:
    return re.split(r"[\s,]+", text.strip(" \t\n,")) if text.strip(" \t\n,") else []


def _urls(value: object, base: Path) -> tuple[Url, ...]:
    if not isinstance(value, list) or not value:
        raise Unfit("")
    return tuple(_url(item, base) for item in value)


def _database_url(value: object, base: Path) -> Url:
    """The password ends at the last @ before the first /, as in every URL; one that has a / itself must be encoded."""
    text = _text(value, base)
    if text.startswith("jdbc:"):
        raise Unfit("it is the URL of SQLAlchemy, not JDBC's; databases of H2 and DB2 cannot be read")
    match = _DATABASE_URL.fullmatch(text)
    if match is None:
        raise Unfit("")
    scheme, username, password, rest = match.groups()
    if "@" in rest or re.search(r"[?&](password|passwd|pwd)=", rest, re.IGNORECASE):
        raise Unfit("characters such as / and @ in a password are written %2F and %40, before the host")
    return Url(
        scheme + rest,
        None if username is None else unquote(username),
        None if password is None else Secret(unquote(password)),
    )


def _store(value: object, base: Path) -> Path | Url:
    text = _text(value, base)
    found = _database_url(text, base) if "://" in text else base / text
    if isinstance(found, Url) and not found.text.startswith(("postgresql://", "postgres://")):
        raise Unfit("a shared store is PostgreSQL's")
    return found


def _fields(value: object, base: Path) -> tuple[str, ...]:
    """Names of fields that may be left out, without the part that all paths share."""
    return tuple(_field(field_name(text)) for text in _texts(value, base))


def _field(name: str) -> str:
    root, _, inner = name.partition(".")
    if root.endswith("-integration"):
        root = "integration"
    if name in ALWAYS:
        raise Unfit(f"{name} is in every report")
    if root not in FIELDS or (inner and not _has_inner(FIELDS[root], inner)):
        near = difflib.get_close_matches(
            name, [*FIELDS, *(f"{r}.{i}" for r, inners in FIELDS.items() for i in inners)], 1
        )
        raise Unfit(f"there is no field {name}" + (f", the nearest is {near[0]}" if near else ""))
    return f"{root}.{inner}" if inner else root


def _has_inner(inners: tuple[str, ...], inner: str) -> bool:
    return "*" in inners or inner in inners or (inner.startswith("features.") and "features" in inners)


def choice(*words: str) -> Type:
    """One of some words."""

    def read(value: object, base: Path) -> str:
        text = _text(value, base)
        if text not in words:
            raise Unfit("")
        return text

    return Type("one of " + ", ".join(f'"{word}"' for word in words), read, {"enum": list(words)})


_STRING: Mapping[str, object] = {"type": "string", "minLength": 1}
TEXT = Type("a text", _text, _STRING)
FIELD_NAMES = Type('a list of fields, such as ["license-key", "jdk.vendor"]', _fields,
                   {"type": "array", "items": _STRING}, _list_from_text)  # fmt: skip
FLAG = Type("true or false", _flag, {"type": "boolean"}, _flag_from_text)
COUNT = Type("a whole number from 0 to 10", _count, {"type": "integer", "minimum": 0, "maximum": 10}, _count_from_text)
PORT = Type("a port from 1 to 65535", _port, {"type": "integer", "minimum": 1, "maximum": 65535}, _count_from_text)
PATH = Type("the path of a file", _path, _STRING)
DURATION = Type('a length of time from "1s" to "366d", such as "24h" or "90s"', _duration,
                {"type": "string", "pattern": "^(\\d{1,9}[smhd])+$"})  # fmt: skip
_HTTP: Mapping[str, object] = {"type": "string", "pattern": "^https?://"}
ENDPOINT = Type('an absolute URL such as "https://telemetry.example.com/pings"', _endpoint, _HTTP)
URL = Type('an absolute URL such as "http://127.0.0.1:8080/engine-rest"', _url, _HTTP)
URLS = Type('a list of URLs such as ["http://node1:8080/engine-rest", "http://node2:8080/engine-rest"]', _urls,
            {"type": "array", "minItems": 1, "items": _HTTP}, _list_from_text)  # fmt: skip
PROXY = Type('the address of an HTTP proxy such as "http://proxy.example.com:3128", or "none"', _proxy,
             {"type": "string", "pattern": "^(https?://|none$)"})  # fmt: skip
HOSTS = Type('a list of hosts and networks such as [".example.com", "10.0.0.0/8"]', _hosts,
             {"type": "array", "items": _STRING}, _hosts_from_text)  # fmt: skip
DATABASE_URL = Type('a database URL such as "postgresql://telemetry@db.example.com/camunda"', _database_url, _STRING)
STORE = Type('a path or a URL such as "postgresql://telemetry@db.example.com/telemetry"', _store, _STRING)
