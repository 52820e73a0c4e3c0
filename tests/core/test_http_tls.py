"""`telemetry_core.http` over TLS: who is trusted, who is not, what we show, and what a file that does not fit says."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from telemetry_core.http import Client, Exchange, Security
from telemetry_core.wire import Request
from tests.support.certificates import Certificates
from tests.support.raw_server import ACCEPTED, Peer, RawServer


def accepts(peer: Peer) -> None:
    peer.read_request()
    peer.send(ACCEPTED)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    made = Certificates(trustme.CA(), tmp_path_factory.mktemp("certificates"))
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    yield made


@pytest.fixture(scope="module")
def self_signed(certificates: Certificates) -> tuple[ssl.SSLContext, Path]:
    """A server whose certificate no authority has signed, and that certificate."""
    certificate = certificates.self_signed("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context, certificate


def exchange(tls: ssl.SSLContext, security: Security, *, scheme: str = "https") -> tuple[Exchange, bytes]:
    """One request, and all that the server could read of it."""
    with RawServer(accepts, tls=tls) as server, Client(security=security, limit=100) as client:
        url = f"{scheme}://{server.address}/"
        done = client.exchange(Request("POST", url, (("Host", "h"), ("Content-Length", "2")), b"{}"), seconds=5)
    return done, b"".join(bytes(peer.received) for peer in server.peers)


def nothing_sent(failure: str) -> tuple[Exchange, bytes]:
    return Exchange(None, body_begun=False, failure=failure), b""


def status(done: Exchange) -> int | str:
    return done.failure if done.answer is None else done.answer.status


@pytest.mark.parametrize("scheme", ["https", "HTTPS"])
def test_a_certificate_of_our_own_authority_is_trusted(scheme: str, certificates: Certificates) -> None:
    done, received = exchange(certificates.server(), Security(ca_file=certificates.ca_file), scheme=scheme)
    assert status(done) == 202
    assert received == b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "Https"])
def test_an_authority_that_nobody_named_is_not_trusted(scheme: str, certificates: Certificates) -> None:
    missing = "unknown certificate authority: set reporter.ca-file"
    assert exchange(certificates.server(), Security(), scheme=scheme) == nothing_sent(missing)


def test_another_authority_of_the_same_name_is_not_trusted(certificates: Certificates, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    other = "unknown certificate authority: it is not among those of reporter.ca-file"
    assert exchange(certificates.server(), Security(ca_file=tmp_path / "other.pem")) == nothing_sent(other)


def test_a_certificate_that_signs_itself_is_not_trusted_until_it_is_named(
    certificates: Certificates, self_signed: tuple[ssl.SSLContext, Path]
) -> None:
    server, certificate = self_signed
    itself = "its certificate is signed by itself"
    assert exchange(server, Security()) == nothing_sent(f"{itself}: set reporter.ca-file")
    named = f"{itself}: it is not among those of reporter.ca-file"
    assert exchange(server, Security(certificates.ca_file)) == nothing_sent(named)
    assert status(exchange(server, Security(certificate))[0]) == 202


def test_what_is_said_of_an_engine_names_the_settings_of_the_engine(certificates: Certificates) -> None:
    done, _ = exchange(certificates.server(), Security(table="engines.orders"))
    assert done.failure == "unknown certificate authority: set engines.orders.ca-file"


def test_a_certificate_for_another_host_is_not_trusted_and_its_host_is_said(certificates: Certificates) -> None:
    other = "its certificate is for telemetry.example, not for 127.0.0.1: correct the host of the address"
    assert exchange(certificates.server("telemetry.example"), Security(certificates.ca_file)) == nothing_sent(other)


def test_a_certificate_that_has_expired_is_not_trusted_and_its_end_is_said(certificates: Certificates) -> None:
    expired = certificates.server(not_after=datetime(2024, 1, 1, tzinfo=UTC))
    end = "its certificate expired on 2024-01-01: it must be renewed there"
    assert exchange(expired, Security(certificates.ca_file)) == nothing_sent(end)


def test_a_certificate_that_is_not_valid_yet_is_not_trusted_and_its_beginning_is_said(
    certificates: Certificates,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    begins, ends = datetime(2300, 5, 1, tzinfo=UTC), datetime(2301, 1, 1, tzinfo=UTC)
    certificates.authority.issue_cert("127.0.0.1", not_before=begins, not_after=ends).configure_cert(context)
    early = "its certificate is not valid before 2300-05-01: check the clock of this machine"
    assert exchange(context, Security(certificates.ca_file)) == nothing_sent(early)


def test_a_server_that_speaks_no_tls_fails_and_sees_no_request(certificates: Certificates) -> None:
    with RawServer(accepts) as server, Client(security=Security(certificates.ca_file), limit=100) as client:
        request = Request("POST", f"https://{server.address}/", (("Host", "h"), ("Content-Length", "2")), b"{}")
        done = client.exchange(request, seconds=1)
    assert (done.answer, done.body_begun) == (None, False)
    assert b"POST" not in b"".join(bytes(peer.received) for peer in server.peers)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_tls_before_1_2_is_refused(certificates: Certificates) -> None:
    old = certificates.server()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.TLSv1
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    too_old = "it speaks only TLS 1.1 or older: it must offer TLS 1.2"
    assert exchange(old, Security(certificates.ca_file)) == nothing_sent(too_old)


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
    server = requiring(certificates, ssl.TLSVersion.TLSv1_2)
    assert exchange(server, Security(certificates.ca_file)) == nothing_sent(
        "the handshake failed, perhaps because it wants a client certificate:"
        " set reporter.client-cert and reporter.client-key"
    )


def test_over_tls_1_3_a_missing_certificate_is_no_answer_even_if_it_shows_only_after_the_body(
    certificates: Certificates,
) -> None:
    done, received = exchange(requiring(certificates, ssl.TLSVersion.TLSv1_3), Security(certificates.ca_file))
    assert (done.answer, received) == (None, b"")
    assert done.failure == "it wants a client certificate: set reporter.client-cert and reporter.client-key"


def test_a_certificate_of_ours_that_the_server_does_not_trust_is_no_answer(certificates: Certificates) -> None:
    cert, key = certificates.client(trustme.CA())
    server = requiring(certificates, ssl.TLSVersion.TLSv1_2)
    assert exchange(server, Security(certificates.ca_file, cert, key)) == nothing_sent(
        "it does not accept our certificate (tlsv1 alert unknown ca):"
        " replace reporter.client-cert, or let it trust its issuer"
    )


def test_a_client_that_was_prepared_for_plain_http_trusts_nobody_over_tls(certificates: Certificates) -> None:
    with (
        RawServer(accepts, tls=certificates.server()) as server,
        Client(security=Security(certificates.ca_file), limit=100) as client,
    ):
        client.prepare(f"http://{server.address}/")
        request = Request("POST", f"https://{server.address}/", (("Host", "h"), ("Content-Length", "2")), b"{}")
        done = client.exchange(request, seconds=5)
    assert (done.answer, done.body_begun) == (None, False)
