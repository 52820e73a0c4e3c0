"""Certificates of an authority that only a test knows, and servers that show them."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import trustme


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
        key.unlink(missing_ok=True)
        key.touch(mode=0o600)
        key.write_bytes(leaf.private_key_pem.bytes())
        return cert, key

    def self_signed(self, name: str) -> Path:
        """A certificate with its key that no authority has signed, as the command of OpenSSL makes them."""
        made = self.directory / "self-signed.pem"
        key = made.with_suffix(".key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
             "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{name}", "-keyout", key, "-out", made],
            check=True, capture_output=True,
        )  # fmt: skip
        made.write_bytes(made.read_bytes() + key.read_bytes())
        return made
