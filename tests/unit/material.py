# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys for tests, issued in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH

KeyType = Literal["p256", "p384", "p521", "rsa", "rsa1024", "ed25519", "secp256k1"]
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_CURVES: dict[KeyType, ec.EllipticCurve] = {
    "p256": ec.SECP256R1(),
    "p384": ec.SECP384R1(),
    "p521": ec.SECP521R1(),
    "secp256k1": ec.SECP256K1(),
}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Issued:
    """A certificate with its key, as objects of cryptography and as PEM."""

    x509: x509.Certificate
    key: PrivateKey

    @property
    def certificate(self) -> str:
        return self.x509.public_bytes(Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        return self.x509.public_bytes(Encoding.DER)

    @property
    def private_key(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def traditional_key(self) -> str:
        """PKCS#1 or SEC1."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()

    @property
    def encrypted_key(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()

    @property
    def traditional_encrypted_key(self) -> str:
        encryption = BestAvailableEncryption(b"secret")
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, encryption).decode()

    @property
    def openssh_key(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def name(common_name: str) -> x509.Name:
    """A subject of a common name alone."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    subject: str | x509.Name = "client",
    *,
    signer: Issued | None = None,
    ca: bool | None = False,
    purposes: Sequence[x509.ObjectIdentifier] | None = None,
    usages: Sequence[str] | None = None,
    alternative_names: Sequence[x509.GeneralName] = (),
    key_type: KeyType = "p256",
    key: PrivateKey | None = None,
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + timedelta(days=60),
) -> Issued:
    """Issue a certificate, self-signed without a signer, for a new key of a type or for a given one; None leaves an
    extension out."""
    key = key or new_key(key_type)
    subject = name(subject) if isinstance(subject, str) else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.x509.subject if signer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if purposes is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if usages is not None:
        builder = builder.add_extension(x509.KeyUsage(**{usage: usage in usages for usage in _USAGES}), critical=True)
    if alternative_names:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative_names), critical=False)
    signing_key = signer.key if signer else key
    digest = None if isinstance(signing_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(builder.sign(signing_key, digest), key)


def issue_ca(subject: str = "Test CA", *, signer: Issued | None = None) -> Issued:
    """Issue a CA, self-signed without a signer."""
    return issue(subject, signer=signer, ca=True, usages=["key_cert_sign", "crl_sign"])


def issue_client(subject: str = "client", *, signer: Issued, key_type: KeyType = "p256") -> Issued:
    """Issue what a client presents."""
    return issue(subject, signer=signer, purposes=[CLIENT], usages=["digital_signature"], key_type=key_type)


def issue_server(*, signer: Issued, names: Sequence[str] = ("localhost", "127.0.0.1", "::1")) -> Issued:
    """Issue what a server on loopback presents; names that are addresses become addresses."""
    return issue("server", signer=signer, purposes=[SERVER], alternative_names=[_general_name(each) for each in names])


def issue_crl(
    signer: Issued,
    revoked: Sequence[Issued] = (),
    *,
    last_update: datetime = NOW - timedelta(days=1),
    next_update: datetime = NOW + timedelta(days=30),
) -> str:
    """Issue the revocation list of a CA."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(signer.x509.subject)
    builder = builder.last_update(last_update).next_update(next_update)
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.x509.serial_number).revocation_date(last_update)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def with_broken_hash(certificate: str) -> str:
    """The certificate of an RSA signer, said to be signed with SHA-1, with which cryptography signs no longer."""
    der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)
    rsa_with = bytes.fromhex("2a864886f70d0101")
    sha1 = der.replace(rsa_with + b"\x0b", rsa_with + b"\x05")
    return x509.load_der_x509_certificate(sha1).public_bytes(Encoding.PEM).decode()


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def new_key(key_type: KeyType) -> PrivateKey:
    """Make a key."""
    if key_type in ("rsa", "rsa1024"):
        return rsa.generate_private_key(65537, 2048 if key_type == "rsa" else 1024)
    if key_type == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(_CURVES[key_type])
