"""`telemetry_core.http` over TLS: the files and directories that it is given, and what those that do not fit say."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from telemetry_core.errors import ConfigurationError, SecretExposed
from telemetry_core.http import Client, Exchange, Security
from telemetry_core.wire import Request
from tests.support.certificates import Certificates
from tests.support.raw_server import ACCEPTED, Peer, RawServer


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certificates]:
    made = Certificates(trustme.CA(), tmp_path_factory.mktemp("certificates"))
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    yield made


def accepts(peer: Peer) -> None:
    peer.read_request()
    peer.send(ACCEPTED)


def exchange(tls: ssl.SSLContext, security: Security) -> Exchange:
    with RawServer(accepts, tls=tls) as server, Client(security=security, limit=100) as client:
        request = Request("POST", f"https://{server.address}/", (("Host", "h"), ("Content-Length", "2")), b"{}")
        return client.exchange(request, seconds=5)


def prepare(security: Security, url: str = "https://127.0.0.1:1/") -> None:
    with Client(security=security, limit=100) as client:
        client.prepare(url)


def refusal(security: Security) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as raised:
        prepare(security)
    return raised.value


def hashed(directory: Path, *certificates: bytes) -> Path:
    """A directory of authorities as OpenSSL wants it."""
    directory.mkdir()
    for number, certificate in enumerate(certificates):
        (directory / f"ca{number}.pem").write_bytes(certificate)
    subprocess.run(["openssl", "rehash", directory], check=True, capture_output=True)
    return directory


def test_a_directory_of_authorities_is_trusted_by_its_hashed_names(certificates: Certificates, tmp_path: Path) -> None:
    other, ours = trustme.CA().cert_pem.bytes(), certificates.authority.cert_pem.bytes()
    done = exchange(certificates.server(), Security(hashed(tmp_path / "both", other, ours)))
    assert done.answer is not None, done.failure
    done = exchange(certificates.server(), Security(hashed(tmp_path / "other", other)))
    assert done.failure == "unknown certificate authority: it is not among those of reporter.ca-file"


def test_a_directory_without_hashed_names_is_refused_with_the_command_that_makes_them(
    certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_bytes(certificates.authority.cert_pem.bytes())
    error = refusal(Security(tmp_path))
    assert error.message == f"reporter.ca-file: {tmp_path} has no certificates under the names that OpenSSL looks for."
    assert error.hint == f"Run: openssl rehash {tmp_path}"


def test_files_that_are_missing_or_no_certificates_are_named_with_their_settings(
    certificates: Certificates, tmp_path: Path
) -> None:
    nonsense, absent = tmp_path / "nonsense.pem", tmp_path / "absent.pem"
    nonsense.write_text("no certificate\n", encoding="utf-8")
    nonsense.chmod(0o600)
    cert, key = certificates.client()
    ca = certificates.ca_file
    cases = (
        (Security(absent), "ca-file", absent, "No such file or directory"),
        (Security(nonsense), "ca-file", nonsense, "NO CERTIFICATE OR CRL FOUND"),
        (Security(ca, nonsense), "client-cert", nonsense, "no PEM in it"),
        (Security(ca, nonsense, key), "client-cert", nonsense, "no PEM in it"),
        (Security(ca, cert, nonsense), "client-key", nonsense, "no PEM in it"),
        (Security(ca, absent, key), "client-cert", absent, "No such file or directory"),
        (Security(ca, cert, absent), "client-key", absent, "No such file or directory"),
    )
    for security, setting, file, reason in cases:
        error = refusal(security)
        assert error.message == f"reporter.{setting}: {file} cannot be used for TLS: {reason}."
        assert error.hint == "It must be readable and in PEM format."


def test_the_key_of_another_certificate_is_refused(certificates: Certificates, tmp_path: Path) -> None:
    cert, _ = certificates.client()
    other = tmp_path / "other.key"
    other.write_bytes(certificates.authority.issue_cert("other.example").private_key_pem.bytes())
    other.chmod(0o600)
    error = refusal(Security(certificates.ca_file, cert, other, "engines.orders"))
    assert error.message == (
        f"engines.orders.client-key: the key in {other} does not belong to the certificate in {cert}."
    )


def test_an_encrypted_key_is_refused_without_a_question(certificates: Certificates, tmp_path: Path) -> None:
    cert, key = certificates.client()
    encrypted = tmp_path / "encrypted.key"
    command: list[str | Path] = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:geheim", "-out", encrypted]
    subprocess.run(command, check=True, capture_output=True)
    encrypted.chmod(0o600)
    error = refusal(Security(certificates.ca_file, cert, encrypted))
    assert error.message.startswith(f"reporter.client-key: the key in {encrypted} is encrypted, ")
    assert error.hint == f"Write it without one into a file with mode 0600: openssl pkey -in {encrypted} -out NEW"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_that_others_can_read_is_refused(mode: int, certificates: Certificates, tmp_path: Path) -> None:
    cert, key = certificates.client()
    key.chmod(mode)
    with pytest.raises(SecretExposed, match="holds a secret and others can use it"):
        prepare(Security(certificates.ca_file, cert, key))
    both = tmp_path / "both.pem"
    both.write_bytes(cert.read_bytes() + key.read_bytes())
    both.chmod(mode)
    with pytest.raises(SecretExposed, match="holds a secret and others can use it"):
        prepare(Security(certificates.ca_file, both))
    both.chmod(0o600)
    prepare(Security(certificates.ca_file, both))


def test_over_plain_http_certificate_files_are_not_looked_at(tmp_path: Path) -> None:
    prepare(Security(ca_file=tmp_path / "absent.pem"), "http://127.0.0.1:1/")


def test_openssl_takes_no_authority_from_the_surroundings(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(hashed(tmp_path / "ca", certificates.authority.cert_pem.bytes())))
    assert exchange(certificates.server(), Security()).failure.startswith("unknown certificate authority")
