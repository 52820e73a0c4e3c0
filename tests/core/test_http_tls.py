"""`telemetry_core.http` over TLS: who is trusted, who is not, what we show, and what a file that does not fit says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from telemetry_core.errors import ConfigurationError
from telemetry_core.http import Client, Exchange, Security
from telemetry_core.wire import Request
from tests.support.raw_server import ACCEPTED, Peer, RawServer


def accepts(peer: Peer) -> None:
    peer.read_request()
    peer.send(ACCEPTED)


@dataclass(frozen=True)
class Certificates:
    """An authority, its certificate as a file, and the place for more files."""

    authority: trustme.CA
    directory: Path

    @property
    def ca_file(self) -> Path:
        return self.directory / "ca.pem"

    def server(self, name: str = "127.0.0.1", *, not_after: datetime | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(name, not_after=not_after).configure_cert(context)
        return context

    def client(self, authority: trustme.CA | None = None) -> tuple[Path, Path]:
        leaf = (authority or self.authority).issue_cert("installation.example")
        cert, key = self.directory / "client.pem", self.directory / "client.key"
        leaf.cert_chain_pems[0].write_to_path(str(cert))
        leaf.private_key_pem.write_to_path(str(key))
        return cert, key


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    made = Certificates(trustme.CA(), tmp_path_factory.mktemp("certificates"))
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    yield made


def exchange(tls: ssl.SSLContext, security: Security, *, scheme: str = "https") -> tuple[Exchange, bytes]:
    """One request, and all that the server could read of it."""
    with RawServer(accepts, tls=tls) as server, Client(security=security, limit=100) as client:
        url = f"{scheme}://{server.address}/"
        done = client.exchange(Request("POST", url, (("Host", "h"), ("Content-Length", "2")), b"{}"), seconds=5)
    return done, b"".join(bytes(peer.received) for peer in server.peers)


def not_trusted(reason: str) -> tuple[Exchange, bytes]:
    return Exchange(None, body_begun=False, failure=f"its certificate is not trusted: {reason}"), b""


def status(done: Exchange) -> int | str:
    return done.failure if done.answer is None else done.answer.status


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_certificate_of_our_own_authority_is_trusted(scheme: str, certificates: Certificates) -> None:
    done, received = exchange(certificates.server(), Security(ca_file=certificates.ca_file), scheme=scheme)
    assert status(done) == 202
    assert received == b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "Https"])
def test_an_authority_that_nobody_named_is_not_trusted(scheme: str, certificates: Certificates) -> None:
    done, received = exchange(certificates.server(), Security(), scheme=scheme)
    assert (done, received) == not_trusted("unable to get local issuer certificate")


def test_another_authority_of_the_same_name_is_not_trusted(certificates: Certificates, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    done, received = exchange(certificates.server(), Security(ca_file=tmp_path / "other.pem"))
    assert done.answer is None
    assert not done.body_begun
    assert done.failure.startswith("its certificate is not trusted: ")
    assert received == b""


def test_a_certificate_for_another_host_is_not_trusted(certificates: Certificates) -> None:
    reason = "IP address mismatch, certificate is not valid for '127.0.0.1'"
    assert exchange(certificates.server("telemetry.example"), Security(certificates.ca_file)) == not_trusted(reason)


def test_a_certificate_that_has_expired_is_not_trusted(certificates: Certificates) -> None:
    expired = certificates.server(not_after=datetime(2024, 1, 1, tzinfo=UTC))
    assert exchange(expired, Security(certificates.ca_file)) == not_trusted("certificate has expired")


def test_a_server_that_speaks_no_tls_fails_and_sees_no_request(certificates: Certificates) -> None:
    with RawServer(accepts) as server, Client(security=Security(certificates.ca_file), limit=100) as client:
        request = Request("POST", f"https://{server.address}/", (("Host", "h"), ("Content-Length", "2")), b"{}")
        done = client.exchange(request, seconds=1)
    assert done.answer is None
    assert not done.body_begun
    assert b"POST" not in b"".join(bytes(peer.received) for peer in server.peers)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_before_1_2_is_refused(certificates: Certificates) -> None:
    old = certificates.server()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    done, received = exchange(old, Security(certificates.ca_file))
    assert (done.answer, done.body_begun, received) == (None, False, b"")
    assert done.failure.startswith("TLS failed: ")


def requiring(certificates: Certificates, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = certificates.server()
    context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    certificates.authority.configure_trust(context)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_our_certificate_is_shown_to_a_server_that_wants_one(
    version: ssl.TLSVersion, certificates: Certificates
) -> None:
    cert, key = certificates.client()
    done, _ = exchange(requiring(certificates, version), Security(certificates.ca_file, cert, key))
    assert status(done) == 202


def test_without_the_certificate_that_a_server_wants_nothing_is_sent(certificates: Certificates) -> None:
    done, received = exchange(requiring(certificates, ssl.TLSVersion.TLSv1_2), Security(certificates.ca_file))
    assert (done.answer, done.body_begun, received) == (None, False, b"")


def test_over_tls_1_3_a_missing_certificate_is_no_answer_even_if_it_shows_only_after_the_body(
    certificates: Certificates,
) -> None:
    done, received = exchange(requiring(certificates, ssl.TLSVersion.TLSv1_3), Security(certificates.ca_file))
    assert (done.answer, received) == (None, b"")
    assert done.failure != ""


def test_a_certificate_of_ours_that_the_server_does_not_trust_is_no_answer(certificates: Certificates) -> None:
    cert, key = certificates.client(trustme.CA())
    server = requiring(certificates, ssl.TLSVersion.TLSv1_2)
    done, received = exchange(server, Security(certificates.ca_file, cert, key))
    assert (done.answer, done.body_begun, received) == (None, False, b"")


def prepare(security: Security, url: str = "https://127.0.0.1:1/") -> None:
    with Client(security=security, limit=100) as client:
        client.prepare(url)


def test_files_that_are_missing_or_no_certificates_are_named(certificates: Certificates, tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate\n", encoding="utf-8")
    cert, _ = certificates.client()
    cases = (
        (Security(ca_file=tmp_path / "absent.pem"), f"{tmp_path}/absent.pem cannot be used for TLS: "),
        (Security(ca_file=nonsense), f"{nonsense} cannot be used for TLS: "),
        (Security(certificates.ca_file, nonsense), f"{nonsense} cannot be used for TLS: "),
        (Security(certificates.ca_file, cert, nonsense), f"{cert} cannot be used for TLS: "),
    )
    for security, beginning in cases:
        with pytest.raises(ConfigurationError) as raised:
            prepare(security)
        assert raised.value.message.startswith(beginning)
        assert raised.value.hint == "It must be readable and in PEM format."


def test_over_plain_http_certificate_files_are_not_looked_at(tmp_path: Path) -> None:
    prepare(Security(ca_file=tmp_path / "absent.pem"), "http://127.0.0.1:1/")


def test_a_client_that_was_prepared_for_plain_http_trusts_nobody_over_tls(certificates: Certificates) -> None:
    with (
        RawServer(accepts, tls=certificates.server()) as server,
        Client(security=Security(certificates.ca_file), limit=100) as client,
    ):
        client.prepare(f"http://{server.address}/")
        request = Request("POST", f"https://{server.address}/", (("Host", "h"), ("Content-Length", "2")), b"{}")
        done = client.exchange(request, seconds=5)
    assert (done.answer, done.body_begun) == (None, False)
