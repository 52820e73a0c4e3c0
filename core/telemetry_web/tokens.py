"""Bearer tokens of machines: a file of their names and digests, from which no token can be read."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from pathlib import Path

from telemetry_core import files
from telemetry_core.errors import ConfigurationError

_LIMIT = 1024 * 1024
_LINE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63}):\s*([0-9a-f]{64})((?:\s+\S+)*)")


@dataclass(frozen=True, slots=True)
class Token:
    """One line: `NAME: SHA-256 of the token in hexadecimal`, and the entries it is good for; all without any."""

    name: str
    digest: str
    engines: tuple[str, ...]

    def is_good_for(self, engine: str) -> bool:
        """Whether it may see and switch an entry."""
        return not self.engines or engine in self.engines


def read(path: Path, *, setting: str = "serve.token-file") -> tuple[Token, ...]:
    """All tokens of a file; empty lines and those that begin with # are none.

    Args:
        path: The file.
        setting: What names it.

    Raises:
        SecretExposed: Others can read it.
        ConfigurationError: It cannot be read, or a line is no token; what it holds is not repeated.
    """
    try:
        files.refuse_if_others_can_read(path)
        lines = files.read_limited(path, _LIMIT).decode("utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.", hint=f"Check {setting} and that this user may read it."
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text.", hint=f"Check {setting}.") from None
    return tuple(
        _token(path, number, line)
        for number, line in enumerate(map(str.strip, lines), 1)
        if line and not line.startswith("#")
    )


def find(tokens: tuple[Token, ...], text: str) -> Token | None:
    """The token whose digest a text has; how long it takes says nothing of any digest."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    same = [token for token in tokens if hmac.compare_digest(token.digest, digest)]
    return same[0] if same else None


def _token(path: Path, number: int, line: str) -> Token:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ConfigurationError(
            f"{path}:{number} is no token.", hint="Write NAME: and the token's SHA-256, such as `sha256sum` gives it."
        )
    return Token(match[1], match[2], tuple(match[3].split()))
