# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A throw-away certificate authority: what it issues, and whether what lies there is still good."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
except ImportError:  # told by require_cryptography
    pass

# RFC 5280, upper bounds of common, organization and unit names.
_LONGEST_NAME = 64
# So that a node whose clock is a little behind takes a new certificate.
_BACKDATED = timedelta(hours=1)
_AUTHORITY_DAYS = 3650


@dataclass(frozen=True)
class Material:
    """A certificate and its private key as PEM."""

    certificate: bytes
    private_key: bytes = field(repr=False)

    def facts(self) -> Certificate | None:
        """What results and diffs show of the certificate; None where there is none, or a damaged one."""
        try:
            return read_certificates(normalise(self.certificate.decode("utf-8", "replace")))[0]
        except InvalidCertificate:
            return None


@dataclass(frozen=True)
class Profile:
    """What a certificate is to say: whom it names and what it is for; `names` are DNS names and IP addresses."""

    purpose: Literal["server", "client"]
    common_name: str
    unit: str = ""
    organization: str = ""
    names: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """As results show it."""
        return _name(self).rfc4514_string()


AUTHORITY = Profile("server", "fleet.certs_d throw-away CA")


def new_authority(*, now: datetime, valid_days: int) -> Material:
    """A CA that outlives what it issues by ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(AUTHORITY)
    builder = _builder(name, name, key.public_key(), now=now, days=valid_days + _AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    return _signed(builder, key, key)


def issue(authority: Material, profile: Profile, *, now: datetime, valid_days: int) -> Material:
    """A new key and its certificate."""
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    signer = load_pem_private_key(authority.private_key, password=None)
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise TypeError("fault_of_authority was not asked")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(profile), issuer.subject, key.public_key(), now=now, days=valid_days)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([_purpose(profile)]), critical=False)
    builder = builder.add_extension(_identifier_of(issuer, signer.public_key()), critical=False)
    if profile.names:
        builder = builder.add_extension(_alternative_names(profile), critical=False)
    return _signed(builder, key, signer)


def is_throw_away(certificate: bytes) -> bool:
    """Whether it is a CA certificate that was made here, so that it may be replaced."""
    try:
        return x509.load_pem_x509_certificate(certificate).subject == _name(AUTHORITY)
    except ValueError:
        return False


def fault_of_authority(authority: Material, *, now: datetime, valid_days: int) -> str:
    """Why a CA can't issue certificates for so many days; empty where it can."""
    return (
        _fault_of_pair(authority) or _fault_of_dates(authority, now=now, days=valid_days) or _fault_of_signer(authority)
    )


def fault_of(material: Material, profile: Profile, authority: Material, *, now: datetime, renew_days: int) -> str:
    """Why a certificate has to be made anew; empty where it is good."""
    return (
        _fault_of_pair(material)
        or _fault_of_issuer(material, authority)
        or _fault_of_dates(material, now=now, days=renew_days)
        or _fault_of_contents(material, profile)
    )


def _fault_of_pair(material: Material) -> str:
    if not material.certificate or not material.private_key:
        return "missing"
    try:
        certificate = x509.load_pem_x509_certificate(material.certificate)
        key = load_pem_private_key(material.private_key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "damaged or encrypted"
    return "" if _spki(certificate.public_key()) == _spki(key.public_key()) else "key of another certificate"


def _fault_of_signer(authority: Material) -> str:
    certificate = x509.load_pem_x509_certificate(authority.certificate)
    if not isinstance(certificate.public_key(), ec.EllipticCurvePublicKey):
        return "its key is no elliptic one"
    constraints = {extension.oid: extension.value for extension in certificate.extensions}.get(
        x509.BasicConstraints.oid
    )
    return "" if isinstance(constraints, x509.BasicConstraints) and constraints.ca else "no CA"


def _fault_of_issuer(material: Material, authority: Material) -> str:
    certificate = x509.load_pem_x509_certificate(material.certificate)
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate))
    except (ValueError, TypeError, InvalidSignature):
        return "of another CA"
    return ""


def _fault_of_dates(material: Material, *, now: datetime, days: int) -> str:
    facts = material.facts()
    if facts is None:
        return "damaged"
    if now < facts.not_before:
        return "not yet valid"
    if now > facts.not_after:
        return "expired"
    return "" if facts.not_after - now >= timedelta(days=days) else "expiring"


def _fault_of_contents(material: Material, profile: Profile) -> str:
    certificate = x509.load_pem_x509_certificate(material.certificate)
    said = {extension.oid: extension.value for extension in certificate.extensions}
    wanted_names = _alternative_names(profile) if profile.names else None
    if said.get(x509.SubjectAlternativeName.oid) != wanted_names:
        return "other names"
    if said.get(x509.ExtendedKeyUsage.oid) != x509.ExtendedKeyUsage([_purpose(profile)]):
        return "other purpose"
    return "" if certificate.subject == _name(profile) else "other subject"


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, now: datetime, days: int
) -> x509.CertificateBuilder:
    now = now.replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Material:
    certificate = builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
    return Material(certificate, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _name(profile: Profile) -> x509.Name:
    parts = (
        (NameOID.ORGANIZATION_NAME, profile.organization),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, profile.unit),
        (NameOID.COMMON_NAME, profile.common_name),
    )
    return x509.Name([x509.NameAttribute(oid, text[:_LONGEST_NAME]) for oid, text in parts if text])


def _alternative_names(profile: Profile) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general_name(name) for name in profile.names])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _purpose(profile: Profile) -> x509.ObjectIdentifier:
    return ExtendedKeyUsageOID.SERVER_AUTH if profile.purpose == "server" else ExtendedKeyUsageOID.CLIENT_AUTH


def _identifier_of(issuer: x509.Certificate, key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    try:
        identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _spki(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
