"""Certificates made for a test: an authority, and who it has certified."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass
class Pair:
    """A certificate and its key, as files."""

    cert: Path
    key: Path


def name(text: str) -> x509.Name:
    """A subject of one common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(key: Key, password: bytes | None = None) -> bytes:
    """A key's bytes."""
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


class Authority:
    """Certifies servers and clients, into files of a folder."""

    def __init__(self, folder: Path, subject: str = "authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.subject = folder, name(subject)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.cert = self._sign(self.subject, self.key, DAY * 365, [x509.BasicConstraints(True, None)])
        self.file = folder / "ca.pem"
        self.file.write_bytes(self.cert.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject: x509.Name, key: Key, until: datetime.timedelta, extensions: list[x509.ExtensionType]) -> x509.Certificate:
        now = datetime.datetime.now(datetime.timezone.utc)
        made = x509.CertificateBuilder(self.subject, subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(now - DAY * 30).not_valid_after(now + until)
        for extension in extensions:
            made = made.add_extension(extension, isinstance(extension, x509.BasicConstraints))
        return made.sign(self.key, hashes.SHA256())

    def issue(self, stem: str, *, client: bool = False, days: float = 30, key: Key | None = None) -> Pair:
        """A certificate for localhost, or of a client, as `stem`.crt and `stem`.key."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        cert = self._sign(name(stem), key, DAY * days, [x509.ExtendedKeyUsage([use]), x509.SubjectAlternativeName(names)])
        pair = Pair(self.folder / f"{stem}.crt", self.folder / f"{stem}.key")
        pair.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
        pair.key.write_bytes(pem(key))
        pair.key.chmod(0o600)
        return pair
