"""Where a request comes from: found behind named proxies, cut, and hashed by a key that is destroyed in time."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from telemetry_collector.model import Hash
from telemetry_core import files
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Millis
from telemetry_web.networks import address_of, canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMIT = 4096
_FOR = re.compile(r"""(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;\s]*))""", re.IGNORECASE)
_REMEMBERED = 4096


class Proxies:
    """The proxies that may say where a request comes from."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ip_network(network) for network in networks]

    def client(self, peer: str, hops: Sequence[str]) -> str:
        """The canonical address of whoever asks: the first one, from the right, that is no proxy of ours.

        Args:
            peer: Who has connected.
            hops: What the header says, from left to right; only what a proxy of ours has added is believed.
        """
        found = address_of(peer)
        for hop in reversed(hops):
            if found is None or not self._are(found):
                break
            before = address_of(hop)
            if before is None:
                break  # "unknown", or a word of the proxy's: then it is the proxy that is known
            found = before
        return "" if found is None else canonical(found)

    def _are(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def hops(header: str, kind: str) -> list[str]:
    """The addresses of a header, from left to right: of X-Forwarded-For, or of Forwarded (RFC 7239)."""
    if not header:
        return []
    parts = header.split(",")
    if kind == "x-forwarded-for":
        return [part.strip() for part in parts]
    found = [_FOR.search(part.strip()) for part in parts]
    return ["" if match is None else match[1] or match[2] or "" for match in found]


class Key(msgspec.Struct, frozen=True):
    """The key of a period, known by its beginning; random, 256 bits, in hexadecimal."""

    begun_at: Millis
    secret: str


class Keys:
    """The key of now and the one before, in a file apart from the reports; several collectors may share it."""

    def __init__(self, path: Path, period: Millis) -> None:
        self._path = path
        self._period = period
        self._keys: list[Key] = []
        self._removed: set[Millis] = set()
        self._hashes: dict[str, tuple[Hash, ...]] = {}

    def renew(self, now: Millis) -> bool:
        """Begin another key where that of now has served its time; of those before it, only one stays.

        Returns:
            Whether the keys are others than before.

        Raises:
            ConfigurationError: The file cannot be used.
            SecretExposed: Others can read it.
        """
        with self._locked():
            keys = found = self._read()
            if not keys or abs(now - keys[0].begun_at) >= self._period:
                kept = [key for key in keys[:1] if abs(now - key.begun_at) < 2 * self._period]
                keys = [Key(now, secrets.token_hex(32)), *kept]
                self._write(keys)
        changed = keys != self._keys
        self._removed |= {key.begun_at for key in (*self._keys, *found) if key not in keys}
        if changed:
            self._keys, self._hashes = keys, {}
        return changed

    def gone(self, now: Millis) -> Millis:
        """Keys that began at this instant or before are gone, of every collector."""
        return now - 2 * self._period

    def removed(self, now: Millis) -> frozenset[Millis]:
        """When the younger ones began that have left the file: they do where the period was shorter before."""
        self._removed = {begun_at for begun_at in self._removed if begun_at > self.gone(now)}
        return frozenset(self._removed)

    def hashes(self, address: str) -> tuple[Hash, ...]:
        """HMAC-SHA-256 of an address by the key of now and by the one before."""
        found = self._hashes.get(address)
        if found is None:
            found = tuple(
                Hash(key.begun_at, hmac.new(bytes.fromhex(key.secret), address.encode(), hashlib.sha256).hexdigest())
                for key in self._keys
            )
            if len(self._hashes) >= _REMEMBERED:
                self._hashes.clear()
            self._hashes[address] = found
        return found

    def _read(self) -> list[Key]:
        try:
            files.refuse_if_others_can_read(self._path)
            text = files.read_limited(self._path, _LIMIT)
            return msgspec.json.decode(text.rstrip(), type=list[Key])
        except FileNotFoundError:
            return []
        except (OSError, ConfigurationError) as error:
            if isinstance(error, ConfigurationError):
                raise
            raise self._unusable(error) from error
        except msgspec.MsgspecError:
            return []  # a crash has cut it: to begin anew costs nothing but the comparison with a minute ago

    def _write(self, keys: list[Key]) -> None:
        """In place, over what is there, so that the disk keeps no older key."""
        text = json.dumps([msgspec.to_builtins(key) for key in keys]).ljust(512).encode()
        try:
            opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(opened, text, 0)
                os.fsync(opened)
            finally:
                os.close(opened)
        except OSError as error:
            raise self._unusable(error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        from filelock import FileLock

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(f"{self._path}.lock", mode=0o600, timeout=10):
                yield
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(
            f"{self._path} cannot be used: {error.strerror or error}.",
            hint="Check collector.key-file and that this user may write it.",
        )
