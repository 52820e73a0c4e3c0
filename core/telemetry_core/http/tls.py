"""Whom TLS trusts and what it shows of us, and what to do where either side refuses the other.

Nothing is taken from the surroundings: OpenSSL itself would read `SSL_CERT_FILE` and `SSL_CERT_DIR`.
"""

from __future__ import annotations

import re
import ssl
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telemetry_core import files
from telemetry_core.errors import ConfigurationError

_HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")
_EXPIRED, _NOT_YET_VALID = 10, 9
_NO_ISSUER = frozenset({2, 18, 19, 20, 21})
_OTHER_NAME = frozenset({62, 64})
_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION"})
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_WANTS_OURS = frozenset({"TLSV13_ALERT_CERTIFICATE_REQUIRED"})
_REFUSES_OURS = frozenset({
    "TLSV1_ALERT_UNKNOWN_CA", "TLSV1_ALERT_ACCESS_DENIED", "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED", "SSLV3_ALERT_CERTIFICATE_REVOKED", "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Security:
    """What TLS is checked against, and what we show; None is the system's default and nothing.

    Attributes:
        ca_file: A file, or a directory with the hashed names of OpenSSL, that stands for the system's authorities.
        client_cert: Our certificate.
        client_key: Its key; without one it is in the same file.
        table: Where the settings stand that say this, for messages.
    """

    ca_file: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    table: str = "reporter"


def context(security: Security, *, for_proxy: bool = False) -> ssl.SSLContext:
    """What a connection is made with: TLS 1.2 or later; to a proxy nothing of us is shown.

    Raises:
        ConfigurationError: A certificate file cannot be used.
        SecretExposed: Others can read our key.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.sslsocket_class = _TellingSocket
    made.sslobject_class = _TellingObject
    if security.ca_file is None:
        _trust_the_system(made)
    else:
        _trust(made, security.ca_file, f"{security.table}.ca-file")
    if security.client_cert is not None and not for_proxy:
        table = security.table
        _show(made, security.client_cert, security.client_key, settings=(f"{table}.client-cert", f"{table}.client-key"))
    elif security.client_key is not None and security.client_cert is None:
        raise ConfigurationError(
            f"{security.table}.client-key is set without {security.table}.client-cert.", hint="Set both, or neither."
        )
    return made


def server_context(certificate: Path, key: Path | None, *, table: str) -> ssl.SSLContext:
    """What a server shows: TLS 1.2 or later.

    Args:
        certificate: Its own, with those between it and the authority.
        key: Its key; without one it is in the same file.
        table: Where the settings `tls-cert` and `tls-key` stand, for messages.

    Raises:
        ConfigurationError: A file cannot be used.
        SecretExposed: Others can read the key.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    _show(made, certificate, key, settings=(f"{table}.tls-cert", f"{table}.tls-key"))
    return made


def _trust_the_system(made: ssl.SSLContext) -> None:
    if sys.platform == "win32":
        made.load_default_certs()
        return
    known = ssl.get_default_verify_paths()
    file, directory = Path(known.openssl_cafile), Path(known.openssl_capath)
    if file.is_file():
        made.load_verify_locations(cafile=file)
    if directory.is_dir():
        made.load_verify_locations(capath=directory)


def _trust(made: ssl.SSLContext, place: Path, setting: str) -> None:
    try:
        if not place.is_dir():
            made.load_verify_locations(cafile=place)
        elif any(_HASHED.fullmatch(entry.name) for entry in place.iterdir()):
            made.load_verify_locations(capath=place)
        else:
            raise ConfigurationError(
                f"{setting}: {place} has no certificates under the names that OpenSSL looks for.",
                hint=f"Run: openssl rehash {place}",
            )
    except (OSError, ssl.SSLError) as error:
        raise _unusable(setting, place, error) from error


def _show(made: ssl.SSLContext, certificate: Path, own_key: Path | None, *, settings: tuple[str, str]) -> None:
    setting = settings[0]
    key = own_key or certificate
    key_setting = setting if own_key is None else settings[1]

    def refuse() -> str:  # instead of OpenSSL's question on the terminal
        raise ConfigurationError(
            f"{key_setting}: the key in {key} is encrypted, and nobody is there at night to give its password.",
            hint=f"Write it without one into a file with mode 0600: openssl pkey -in {key} -out NEW",
        )

    try:
        files.refuse_if_others_can_read(key)
        made.load_cert_chain(certificate, own_key, password=refuse)
    except (OSError, ssl.SSLError) as error:
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ConfigurationError(
                f"{key_setting}: the key in {key} does not belong to the certificate in {certificate}.",
                hint="Name the key that the certificate was made for.",
            ) from error
        wrong = key if _is_certificate(certificate) else certificate
        raise _unusable(key_setting if wrong == key else setting, wrong, error) from error


def _is_certificate(path: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True


def _unusable(setting: str, path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"{setting}: {path} cannot be used for TLS: {_reason(error)}.", hint="It must be readable and in PEM format."
    )


def _reason(error: OSError) -> str:
    reason = getattr(error, "reason", None) or ("no PEM in it" if isinstance(error, ssl.SSLError) else error.strerror)
    return str(reason or error).replace("_", " ")


def explain(error: ssl.SSLError, security: Security, *, host: str, to_proxy: bool = False) -> str:
    """Why a connection over TLS did not come about and what ends that, as the end of a sentence.

    Args:
        error: What was raised.
        security: What the connection was made with.
        host: Whom it was made to.
        to_proxy: Whether that is a proxy, which we show nothing of us.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrust(error, security, host)
    reason = error.reason or "no reason given"
    if reason in _OLD:
        return "it speaks only TLS 1.1 or older: it must offer TLS 1.2"
    if reason in _NO_TLS:
        return "it does not speak TLS: check port and scheme of the address"
    table = security.table
    if not to_proxy and security.client_cert is None and reason in _WANTS_OURS | {"SSLV3_ALERT_HANDSHAKE_FAILURE"}:
        sure = "it wants" if reason in _WANTS_OURS else "the handshake failed, perhaps because it wants"
        return f"{sure} a client certificate: set {table}.client-cert and {table}.client-key"
    words = reason.replace("_", " ").lower()
    if not to_proxy and security.client_cert is not None and reason in _REFUSES_OURS:
        return f"it does not accept our certificate ({words}): replace {table}.client-cert, or let it trust its issuer"
    return f"TLS failed: {words}"


def _distrust(error: ssl.SSLCertVerificationError, security: Security, host: str) -> str:
    chain: list[Mapping[str, Any]] = getattr(error, "chain", [])
    if error.verify_code == _EXPIRED:
        ends = sorted(_date(one["notAfter"]) for one in chain)
        on = f" on {ends[0]}" if ends else ""
        return f"its certificate expired{on}: it must be renewed there"
    if error.verify_code == _NOT_YET_VALID:
        begins = sorted(_date(one["notBefore"]) for one in chain)
        on = f" before {begins[-1]}" if begins else " yet"
        return f"its certificate is not valid{on}: check the clock of this machine"
    if error.verify_code in _NO_ISSUER:
        who = "its certificate is signed by itself" if error.verify_code == 18 else "unknown certificate authority"
        setting = f"{security.table}.ca-file"
        return f"{who}: set {setting}" if security.ca_file is None else f"{who}: it is not among those of {setting}"
    if error.verify_code in _OTHER_NAME:
        names = ", ".join(str(name) for _, name in chain[0].get("subjectAltName", ())[:5]) if chain else ""
        return f"its certificate is for {names or 'another host'}, not for {host}: correct the host of the address"
    return f"its certificate is not trusted: {error.verify_message.rstrip('.')}"


def _date(text: str) -> str:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC).date().isoformat()


class _TellingSocket(ssl.SSLSocket):
    """Keeps the certificates that were not trusted with the error that says so."""

    def do_handshake(self, block: bool = False) -> None:  # the library's
        """As in the library."""
        try:
            super().do_handshake(block)
        except ssl.SSLCertVerificationError as error:
            error.chain = _unverified(self)  # type: ignore[attr-defined]  # ours
            raise


class _TellingObject(ssl.SSLObject):
    """The same, for TLS within TLS."""

    def do_handshake(self) -> None:
        """As in the library."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.chain = _unverified(self)  # type: ignore[attr-defined]  # ours
            raise


def _unverified(side: ssl.SSLSocket | ssl.SSLObject) -> list[Mapping[str, Any]]:
    """What the other side showed, leaf first; empty where this Python does not tell, which makes messages shorter."""
    try:
        return [one.get_info() for one in side._sslobj.get_unverified_chain() or ()]  # type: ignore[union-attr]  # no public way before Python 3.13
    except (AttributeError, ValueError):
        return []
