"""Files are read up to a limit, and a secret only from a file that nobody else can use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from telemetry_core import files
from telemetry_core.errors import ConfigurationError, SecretExposed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "password"
    made.touch(mode=0o600)
    return made


def test_a_file_is_read_up_to_its_limit_and_not_one_byte_more(path: Path) -> None:
    path.write_bytes(b"12345")
    assert files.read_limited(path, 5) == b"12345"
    with pytest.raises(ConfigurationError) as raised:
        files.read_limited(path, 4)
    assert raised.value.message == f"{path} is larger than 4 bytes."


@pytest.mark.timeout(10)
def test_a_file_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A pipe whose writer stays: reading on would wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    os.write(writer, b"123456")
    with pytest.raises(ConfigurationError):
        files.read_limited(pipe, 5)
    os.close(writer)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"pa55word", "pa55word"),
        (b"pa55word\n", "pa55word"),
        (b"pa55word\r\nsecond line\r\n", "pa55word"),
        ("pä$$ wörd\n".encode(), "pä$$ wörd"),
    ],
)
def test_a_secret_is_the_first_line_of_its_file(content: bytes, secret: str, path: Path) -> None:
    path.write_bytes(content)
    assert files.read_secret(path).reveal() == secret


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_for_its_owner_alone_is_private(mode: int, path: Path) -> None:
    path.chmod(mode)
    files.refuse_if_others_can_read(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o610, 0o620, 0o602, 0o666])
def test_a_secret_that_others_can_use_is_refused_with_the_command_that_ends_that(mode: int, path: Path) -> None:
    path.write_bytes(b"pa55word")
    path.chmod(mode)
    with pytest.raises(SecretExposed) as raised:
        files.read_secret(path)
    assert raised.value.message == f"{path} holds a secret and others can use it (mode 0{mode:o})."
    assert raised.value.hint == f"Run: chmod 600 {path}"


def test_a_link_is_as_private_as_the_file_that_it_leads_to(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    files.refuse_if_others_can_read(link)
    path.chmod(0o644)
    with pytest.raises(SecretExposed):
        files.read_secret(link)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty."),
        (b"\n", "is empty."),
        (b"   \nsecond", "is empty."),
        (b"pa55\xff", "is not UTF-8 text."),
        (b"x" * 65_537, "is larger than 65536 bytes."),
    ],
)
def test_a_file_without_a_usable_secret_is_refused_and_its_content_not_shown(
    content: bytes, message: str, path: Path
) -> None:
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as raised:
        files.read_secret(path)
    assert raised.value.message == f"{path} {message}"
    assert "pa55" not in raised.value.message + raised.value.hint


def test_a_file_that_is_not_there_and_a_directory_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        files.read_secret(tmp_path / "missing")
    assert raised.value.message == f"{tmp_path / 'missing'} cannot be read: No such file or directory."
    private = tmp_path / "directory"
    private.mkdir(mode=0o700)
    with pytest.raises(ConfigurationError) as raised:
        files.read_secret(private)
    assert raised.value.message == f"{private} cannot be read: Is a directory."
