"""Where a request comes from: behind which proxies, in which spelling, and hashed by which key."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from pathlib import Path

import pytest

from telemetry_collector.addresses import Keys, Proxies, hops
from telemetry_core.errors import ConfigurationError, SecretExposed
from tests.support.disk import contents

WEEK = 7 * 24 * 3600 * 1000
NOW = 1_764_000_000_000
OURS = ("10.0.0.0/8", "2001:db8:ffff::/48", "127.0.0.1")


@pytest.mark.parametrize(
    ("peer", "said", "address"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # it is no proxy of ours: nothing that it says is believed
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # who asked has written the left one
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.3, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1,", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::/64"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:ffff::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("::ffff:203.0.113.7", "", "203.0.113.7"),
        ("", "198.51.100.1", ""),
    ],
)
def test_forwarded_headers_are_believed_from_named_proxies_from_right_to_left(
    peer: str, said: str, address: str
) -> None:
    assert Proxies(OURS).client(peer, hops(said, "x-forwarded-for")) == address


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", []),
        ("for=198.51.100.1", ["198.51.100.1"]),
        ('For="[2001:db8::1]:4711";proto=https, by=10.0.0.1;for=198.51.100.1', ["[2001:db8::1]:4711", "198.51.100.1"]),
        ("for=unknown, for=_hidden", ["unknown", "_hidden"]),
        ("proto=https", [""]),
        ("xfor=6.6.6.6", [""]),
    ],
)
def test_the_standard_header_is_read_too(said: str, found: list[str]) -> None:
    assert hops(said, "forwarded") == found


def test_the_hash_is_hmac_sha_256_of_the_canonical_address(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "state" / "keys", WEEK)
    keys.renew(NOW)
    secret = bytes.fromhex(json.loads((tmp_path / "state" / "keys").read_text())[0]["secret"])
    assert len(secret) == 32
    (found,) = keys.hashes("203.0.113.7")
    assert found.value == hmac.new(secret, b"203.0.113.7", hashlib.sha256).hexdigest()
    assert found.period == NOW


def test_keys_are_current_and_previous_only_and_older_ones_leave_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    keys = Keys(path, WEEK)
    secrets: list[str] = []
    for number in range(4):
        for later in (0, WEEK - 1):  # to look again within the period changes nothing
            keys.renew(NOW + number * WEEK + later)
        lying = [key["secret"] for key in json.loads(path.read_text())]
        assert lying[1:] == secrets[-1:]
        secrets.append(lying[0])
        assert [found.period for found in keys.hashes("203.0.113.7")] == [
            NOW + one * WEEK for one in (number, number - 1) if one >= 0
        ]
    assert len(set(secrets)) == 4
    content = b"".join(contents(tmp_path).values())
    assert [secret.encode() in content for secret in secrets] == [False, False, True, True]


def test_after_a_long_rest_the_key_of_before_is_gone_too(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys", WEEK)
    keys.renew(NOW)
    keys.renew(NOW + 2 * WEEK)
    assert len(keys.hashes("203.0.113.7")) == 1


def test_a_key_that_leaves_the_file_before_two_periods_are_over_is_named(tmp_path: Path) -> None:
    """As after the period was made longer; and of those that share the file each names it."""
    hour = 3600 * 1000
    before = Keys(tmp_path / "keys", hour)
    before.renew(NOW)
    before.renew(NOW + hour)
    one, other = Keys(tmp_path / "keys", WEEK), Keys(tmp_path / "keys", WEEK)
    other.renew(NOW + hour)
    now = NOW + hour + WEEK
    assert one.renew(now)
    assert other.renew(now)
    assert one.removed(now) == other.removed(now) == {NOW}
    assert one.removed(NOW + 2 * WEEK) == set(), "all that old are gone"


def test_collectors_that_share_the_file_share_the_keys(tmp_path: Path) -> None:
    one, other = Keys(tmp_path / "keys", WEEK), Keys(tmp_path / "keys", WEEK)
    for now in (NOW, NOW + WEEK, NOW + 2 * WEEK):
        assert one.renew(now)
        assert other.renew(now)
        assert one.hashes("203.0.113.7") == other.hashes("203.0.113.7")
        assert not one.renew(now + 1000)


def test_a_clock_that_is_set_back_a_little_changes_no_key(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys", WEEK)
    keys.renew(NOW)
    assert not keys.renew(NOW - 5000)


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "keys"
    Keys(path, WEEK).renew(NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    with pytest.raises(SecretExposed):
        Keys(path, WEEK).renew(NOW)


def test_a_file_that_was_cut_is_begun_anew_and_one_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.touch(0o600)
    path.write_text('[{"begun')
    Keys(path, WEEK).renew(NOW)
    assert len(json.loads(path.read_text())) == 1
    with pytest.raises(ConfigurationError, match=r"cannot be used"):
        Keys(tmp_path, WEEK).renew(NOW)
