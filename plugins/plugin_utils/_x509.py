# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and keys as cryptography sees them."""

from __future__ import annotations

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificate,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    Block,
    InvalidPem,
    blocks,
    certificates,
    is_cut_off,
)

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
    from cryptography.x509.oid import ExtendedKeyUsageOID
except ImportError:  # told by require_cryptography
    pass

# What Go's crypto/tls, and so every engine, takes; OpenSSH's own form would load here and fail there.
_KEY_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")
_BROKEN_HASHES = ("md5", "sha1")


class Fault(Exception):
    """A file can't be judged any further; holds the finding's code and detail, never a part of the file."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class Parsed:
    """One certificate of a file: what cryptography makes of it, beside the facts that results show."""

    def __init__(self, block: Block) -> None:
        try:
            self.facts: Certificate = read_certificate(block.der)
            self._x509 = x509.load_der_x509_certificate(block.der)
            self._key = self._x509.public_key()
            self.public_key = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._extensions = {extension.oid: extension.value for extension in self._x509.extensions}
        except InvalidPem as error:
            raise Fault("certificate-junk", str(error)) from None
        except (InvalidCertificate, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            raise Fault("certificate-junk", "a certificate in it is damaged") from None
        except UnsupportedAlgorithm:
            raise Fault("certificate-junk", "its public key is of a kind that engines don't know") from None

    @property
    def subject(self) -> bytes:
        """The name of the subject as it is encoded, which is what engines compare."""
        return self._x509.subject.public_bytes()

    @property
    def issuer(self) -> bytes:
        """The same of the issuer."""
        return self._x509.issuer.public_bytes()

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer

    @property
    def vouches(self) -> bool:
        """Whether engines can take it for a CA root.

        Without basic constraints, which X.509 v1 did not have, a self-signed one is a root: old CAs, and servers'
        self-signed certificates that stand for themselves.
        """
        constraints = self._constraints()
        return self.is_self_issued if constraints is None else constraints.ca

    @property
    def claims_ca(self) -> bool:
        """Whether it says CA:TRUE."""
        constraints = self._constraints()
        return constraints is not None and constraints.ca

    @property
    def signs_certificates(self) -> bool:
        """Whether its key usage names keyCertSign."""
        usage = self._key_usage()
        return usage is not None and usage.key_cert_sign

    @property
    def lacks_for_clients(self) -> list[str]:
        """What keeps it from client use, in words."""
        lacks = []
        purposes = self._extensions.get(x509.ExtendedKeyUsage.oid)
        client = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
        if isinstance(purposes, x509.ExtendedKeyUsage) and not any(purpose in client for purpose in purposes):
            lacks.append("its extended key usage lacks clientAuth")
        usage = self._key_usage()
        if usage is not None and not (usage.digital_signature or usage.key_agreement):
            lacks.append("its key usage lacks digitalSignature")
        return lacks

    @property
    def alternative_names(self) -> list[str]:
        """The subject's alternative names, as `DNS:name` and the like."""
        found = self._extensions.get(x509.SubjectAlternativeName.oid)
        if not isinstance(found, x509.SubjectAlternativeName):
            return []
        return [f"{_NAME_KINDS.get(type(name).__name__, type(name).__name__)}:{name.value}" for name in found]

    @property
    def key_kind(self) -> str:
        """The kind of the key as far as a server's signature algorithms tell keys apart: RSA, a curve, Ed25519."""
        return self.facts.key_kind

    @property
    def weak_key(self) -> str:
        """The size of a key that OpenSSL's default security level refuses; empty for any other."""
        size = self._key.key_size if isinstance(self._key, rsa.RSAPublicKey) else 0
        return f"RSA {size}" if 0 < size < 2048 else ""

    @property
    def unknown_curve(self) -> str:
        """The kind of a key that Go's TLS can't use; empty for any other."""
        if self.facts.engines_know_its_key:
            return ""
        return self._key.curve.name if isinstance(self._key, ec.EllipticCurvePublicKey) else type(self._key).__name__

    @property
    def broken_hash(self) -> str:
        """The hash of its signature where servers of today refuse it; empty for any other, and for a root's own."""
        try:
            algorithm = self._x509.signature_hash_algorithm
        except UnsupportedAlgorithm:
            return ""
        name = algorithm.name if algorithm is not None and not self.is_self_issued else ""
        return name if name in _BROKEN_HASHES else ""

    def _constraints(self) -> x509.BasicConstraints | None:
        found = self._extensions.get(x509.BasicConstraints.oid)
        return found if isinstance(found, x509.BasicConstraints) else None

    def _key_usage(self) -> x509.KeyUsage | None:
        found = self._extensions.get(x509.KeyUsage.oid)
        return found if isinstance(found, x509.KeyUsage) else None


_NAME_KINDS = {"DNSName": "DNS", "IPAddress": "IP", "RFC822Name": "email", "UniformResourceIdentifier": "URI"}


def parse_certificates(content: str) -> list[Parsed]:
    """All certificates of a PEM text in normal form, or Fault."""
    found = certificates(content)
    if found and is_cut_off(content):
        raise Fault("certificate-junk", "a block in it is cut off or indented")
    if found:
        return [Parsed(block) for block in found]
    raise Fault("certificate-junk", _instead(content))


def public_key_of(private_key: str) -> bytes:
    """The public half of a private key; exceptions of cryptography end here, they could quote what they read."""
    if "-----BEGIN ENCRYPTED PRIVATE KEY" in private_key or "Proc-Type: 4,ENCRYPTED" in private_key:
        raise Fault("key-encrypted")
    found = [block for block in blocks(private_key) if block.label.endswith("PRIVATE KEY")]
    if not found:
        raise Fault("key-junk", _instead(private_key))
    # Engines take the first.
    if found[0].label not in _KEY_LABELS:
        raise Fault("key-junk", f"engines don't read the form {found[0].label}")
    try:
        key = load_pem_private_key(found[0].text.encode(), password=None)
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        raise Fault("key-junk", "it is damaged, or of a kind that engines don't know") from None


def _instead(content: str) -> str:
    """What a file holds that lacks what belongs into it."""
    labels = ", ".join(dict.fromkeys(block.label for block in blocks(content)))
    return f"it holds {labels} instead" if labels else "" if content.strip() else "it is empty"
