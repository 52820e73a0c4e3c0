"""The stamp beside the store: until when a plain `send` has nothing to do, and all that has to be as it was for that.

It is looked at before anything else is loaded, so this module loads nothing that the interpreter has not loaded itself.
A stamp can only delay: what is due is decided by the store alone, and a stamp that does not hold is as none.
"""

import os

from telemetry_core import VERSION, system

TYPE_CHECKING = False  # as type checkers know it; to load `typing` takes as long as the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ABSENT = "absent"

_END = b"end"
_OF_PLACES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
_SETTLED = 2_000_000_000
"""Nanoseconds; no file system's clock is coarser, so what was last changed before that shows the next change."""


def place(environment: "Mapping[str, str]", *, is_root: bool) -> str | None:
    """Where the stamp is: beside the store where variables and defaults say where that is, else in the state directory.

    A store that only the configuration names is not beside it, because that is not read first.

    Args:
        environment: The variables of the process.
        is_root: Whether the process runs as the system's administrator.
    """
    store = environment.get("TELEMETRY_STORE", "")
    if store and "://" not in store:
        return f"{store}.stamp"
    directory = environment.get("TELEMETRY_STATE_DIRECTORY", "") or _default_directory(environment, is_root=is_root)
    return None if directory is None else f"{directory}/{system.STORE_NAME}.stamp"


def _default_directory(environment: "Mapping[str, str]", *, is_root: bool) -> str | None:
    """As `paths` has it on Linux; on other systems a user of his own has no stamp."""
    if is_root or os.path.exists(system.CONFIG) or os.path.exists(system.STATE):
        return system.STATE
    home, state = environment.get("HOME", ""), environment.get("XDG_STATE_HOME", "").strip()
    return f"{state or f'{home}/.local/state'}/telemetry" if state or home else None


def surroundings(environment: "Mapping[str, str]", user: int, directory: str) -> str:
    """All that decides beside files, on a line: release, user, working directory, home, and a digest of our variables.

    Of variables that may hold passwords, nothing can be read from it.

    Args:
        environment: The variables of the process.
        user: The number of its user.
        directory: Its working directory.
    """
    own = sorted(item for item in environment.items() if item[0].startswith("TELEMETRY_") or item[0] == "DO_NOT_TRACK")
    digest = _sha256(ascii(own).encode()) if own else "none"
    return ascii((VERSION, user, directory, *map(environment.get, _OF_PLACES), digest))


def _sha256(content: bytes) -> str:
    """By the part of `hashlib` that does it (since 3.12, before): itself, it loads OpenSSL, a third of a start."""
    for name in ("_sha2", "_sha256", "hashlib"):
        try:
            return str(__import__(name).sha256(content).hexdigest())
        except (ImportError, AttributeError):
            continue
    raise AssertionError


def identity(path: str, *, is_store: bool = False) -> str:
    """What is another one after every change of a file or directory: times, size, inode; or that there is none.

    Args:
        path: Where it is; links are followed.
        is_store: Whether it is a SQLite database. Its header counts transactions, so that one is seen that came within
            the same tick of the file system's clock. No transaction may be open in this process meanwhile: the file is
            opened and closed, which ends the locks that the kernel keeps for it.

    Raises:
        OSError: It cannot be looked at.
    """
    try:
        found = os.stat(path)
        said = f"{found.st_mtime_ns}:{found.st_ctime_ns}:{found.st_size}:{found.st_ino}"
        return f"{said}:{_transactions(path)}" if is_store else said
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT


def _transactions(path: str) -> str:
    """SQLite's count of changes, which is in the header of each database."""
    with open(path, "rb", buffering=0) as stream:
        stream.seek(24)
        return stream.read(4).hex()


def has_settled(identity: str, now: int) -> bool:
    """Whether the next change of a file will be seen by its identity, whatever its file system's clock.

    Args:
        identity: Of a file that is not a store.
        now: Milliseconds since 1970 (UTC).
    """
    return identity == ABSENT or int(identity.partition(":")[0]) + _SETTLED < now * 1_000_000


def holds(file: str, told: str, now: int) -> bool:
    """Whether a stamp says that nothing is due, and all is as it was when it was written.

    Args:
        file: Its place.
        told: The surroundings of this process.
        now: Milliseconds since 1970 (UTC).
    """
    try:
        with open(file, "rb", buffering=0) as stream:
            content = stream.read()
        written_at, not_before, surroundings_then, *watched, end = content.split(b"\n")
        return (
            end == _END
            and surroundings_then == told.encode()
            and int(written_at) <= now < int(not_before)
            and all(map(_is_as_it_was, watched))
        )
    except (OSError, ValueError):
        return False


def _is_as_it_was(line: bytes) -> bool:
    kind, then, path = line.split(b" ", 2)
    return identity(os.fsdecode(path), is_store=kind == b"store") == then.decode()


def leave(file: str, told: str, *, written_at: int, not_before: int, watched: "Iterable[tuple[str, str, str]]") -> None:
    """Write a stamp; where no directory is for it, none is made.

    It is not brought to the disk: one that is cut short has no end, and is as none.

    Args:
        file: Its place.
        told: The surroundings of this process.
        written_at: Milliseconds since 1970 (UTC), before anything was read that it is made from.
        not_before: In the same way, when something may be due.
        watched: What it depends on: `file` or `store`, its identity before it was read, its path.

    Raises:
        OSError: This user cannot.
    """
    lines = [str(written_at).encode(), str(not_before).encode(), told.encode()]
    lines += [f"{kind} {then} ".encode() + os.fsencode(path) for kind, then, path in watched]
    if any(b"\n" in line for line in lines):
        return  # a path that no line can hold
    new = f"{file}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    opened = os.open(new, flags, 0o600)
    try:
        os.write(opened, b"\n".join([*lines, _END]))
    finally:
        os.close(opened)
    os.replace(new, file)
