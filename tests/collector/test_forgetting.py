"""Of an address nothing is left: searched is everything on the disk, write-ahead logs and a backup included.

`SAMPLE` addresses stand for all 2³² of IPv4: hashes are texts of 64 hexadecimal digits, so that whatever lies there can
only be one of them if it is one of the texts that are found; each of these is compared with the sample, which has the
addresses that have sent. TELEMETRY_TESTS_ADDRESSES sets its size; 4294967296 is all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from tests.support.collected import back_up
from tests.support.collecting import Collector, report, secrets
from tests.support.disk import contents
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.waiting import until

SAMPLE = int(os.environ.get("TELEMETRY_TESTS_ADDRESSES", "65536"))
SENDERS = ("127.0.0.1", "127.0.0.2", "127.77.0.9")
WEEK = 7 * 24 * 3600 * 1000
_HEX = re.compile(rb"[0-9a-f]{64}")


def sample() -> Iterator[str]:
    """Addresses all over IPv4, and the neighbours of those that have sent."""
    step = max(1, 2**32 // SAMPLE)
    yield from (str(IPv4Address(number)) for number in range(0, 2**32, step))
    yield from SENDERS


def hashes(secret: str) -> Iterator[bytes]:
    key = bytes.fromhex(secret)
    for address in sample():
        yield hmac.new(key, address.encode(), hashlib.sha256).hexdigest().encode()


def found(content: dict[Path, bytes], secret: str) -> list[Path]:
    """The files with any hash of the sample by a key, as text or as bytes."""
    texts = {path: set(_HEX.findall(data)) for path, data in content.items()}
    guilty = set()
    for value in hashes(secret):
        guilty |= {path for path, lying in texts.items() if value in lying}
    for address in SENDERS:
        raw = hmac.new(bytes.fromhex(secret), address.encode(), hashlib.sha256).digest()
        guilty |= {path for path, data in content.items() if raw in data}
    return sorted(guilty)


def rotate(collector: Collector) -> None:
    """Let two weeks pass: the key of now becomes the one before, and then goes."""
    for weeks in (1, 2):
        newest = secrets(collector.program)[0]
        collector.put_ahead(weeks * WEEK + 1000)
        until(lambda newest=newest: secrets(collector.program)[0] != newest, "a new key", seconds=30)  # type: ignore[misc]
    time.sleep(1.5)  # what goes with the key goes in the same second


def flush(postgresql: PostgreSQL) -> None:
    """Have everything on the disk, tables that are not logged too, which a CHECKPOINT leaves in memory."""
    postgresql.execute("postgres", "CREATE DATABASE flushed STRATEGY file_copy", "DROP DATABASE flushed")


def send(collector: Collector, mark: str) -> None:
    for number, sender in enumerate(SENDERS):
        for one in range(20):
            body = report(installation=f"{mark}-{number}-{one}")
            assert collector.send(body, source=sender).status == 202


def test_hashes_of_a_key_that_is_gone_are_nowhere_in_files_logs_and_a_backup(program: Program, tmp_path: Path) -> None:
    program.config.touch()
    with Collector(program, ahead=0) as collector:
        send(collector, "first")
        key = secrets(program)[0]
        assert found(contents(program.store.parent), key) != [], "the test finds what lies there"
        rotate(collector)
        send(collector, "later")
        back_up(program.store, tmp_path / "backup.db")
        content = contents(program.store.parent, tmp_path)
        assert any(path.name.endswith("-wal") and data for path, data in content.items())
        assert found(content, key) == []
        assert key.encode() not in b"".join(content.values())
        assert not [path for path, data in content.items() if any(one.encode() in data for one in SENDERS[1:])]
        backup = {path: data for path, data in content.items() if path.name == "backup.db"}
        assert len(backup) == 1
        assert found(backup, secrets(program)[0]) == [], "a backup has no hash at all"
    assert collector.errors == b""


def test_hashes_of_a_key_that_is_gone_are_nowhere_in_the_files_and_the_log_of_postgresql(
    program: Program, postgresql: PostgreSQL
) -> None:
    """The server's own log of statements is on in these tests and has their values: that is the administrator's."""
    database = postgresql.database()
    program.variables["TELEMETRY_STORE"] = postgresql.url(database)
    program.config.touch()
    data = postgresql.directory / "data"
    with Collector(program, ahead=0) as collector:
        send(collector, "first")
        key = secrets(program)[0]
        postgresql.execute(database, "VACUUM ANALYZE")  # what autovacuum does by itself; statistics are values, logged
        flush(postgresql)
        assert found(contents(data, program.store.parent), key) != [], "the test finds what lies there"
        assert not found(contents(data / "pg_wal"), key), "tables of hashes are not logged"
        rotate(collector)
        send(collector, "later")
        flush(postgresql)
        assert found(contents(data, program.store.parent), key) == []


def test_no_log_and_no_answer_has_an_address(program: Program) -> None:
    program.configure('[log]\nlevel = "debug"\nto = "stderr"\n')
    with Collector(program) as collector:
        answers = [collector.send(body, source="127.77.0.9") for body in (report(), b"{", report(version="x" * 999))]
        collector.end()
    assert [one.status for one in answers] == [202, 400, 422]
    assert not any(b"127.77.0.9" in one.body or "127.77.0.9" in str(one.headers) for one in answers)
    assert b"127.77" not in collector.output + collector.errors


def test_behind_a_proxy_it_is_the_client_that_is_hashed(program: Program) -> None:
    program.configure('[collector]\nproxies = ["127.0.0.0/8"]\n')
    with Collector(program) as collector:
        body = report(installation="one")
        answers = [
            collector.send(body, X_Forwarded_For=said)
            for said in ("198.51.100.1", "198.51.100.2", "6.6.6.6, 198.51.100.1", "2001:db8::1", "2001:db8::ffff")
        ]
    assert [one.json["duplicate"] for one in answers] == [False, False, True, False, True]


@pytest.mark.parametrize("believed", ["", '[collector]\nproxies = ["10.0.0.0/8"]\n'])
def test_nobody_else_is_believed(believed: str, program: Program) -> None:
    program.configure(believed)
    with Collector(program) as collector:
        body = report(installation="one")
        answers = [collector.send(body, X_Forwarded_For=said) for said in ("198.51.100.1", "198.51.100.2")]
    assert [one.json["duplicate"] for one in answers] == [False, True]
