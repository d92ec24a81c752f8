# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the certificates and keys of a layout, seen with cryptography."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    TIME_FORMAT,
    Certificate,
    InvalidCertificate,
    read_certificate,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    Block,
    InvalidPem,
    blocks,
    certificates,
    holds_private_key,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import require_cryptography
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import CaRoot, ClientPair, Registry

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID
except ImportError:  # told by require_cryptography
    pass

# What Go's crypto/tls, and so every engine, takes; OpenSSH's own form would load here and fail there.
_KEY_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY")


class _Fault(Exception):
    """A file can't be judged any further; holds the finding's code and detail, never a part of the file."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


class _Parsed:
    """One certificate of a file: what cryptography makes of it, beside the facts that results show."""

    def __init__(self, block: Block) -> None:
        try:
            self.facts: Certificate = read_certificate(block.der)
            self.x509 = x509.load_der_x509_certificate(block.der)
            self.public_key = self.x509.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._extensions = {extension.oid: extension.value for extension in self.x509.extensions}
        except InvalidPem as error:
            raise _Fault("certificate-junk", str(error)) from None
        except (InvalidCertificate, ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
            raise _Fault("certificate-junk", "a certificate in it is damaged") from None
        except UnsupportedAlgorithm:
            raise _Fault("certificate-junk", "its public key is of a kind that engines don't know") from None

    @property
    def basic_constraints(self) -> x509.BasicConstraints | None:
        found = self._extensions.get(x509.BasicConstraints.oid)
        return found if isinstance(found, x509.BasicConstraints) else None

    @property
    def key_usage(self) -> x509.KeyUsage | None:
        found = self._extensions.get(x509.KeyUsage.oid)
        return found if isinstance(found, x509.KeyUsage) else None

    @property
    def extended_key_usage(self) -> x509.ExtendedKeyUsage | None:
        found = self._extensions.get(x509.ExtendedKeyUsage.oid)
        return found if isinstance(found, x509.ExtendedKeyUsage) else None

    @property
    def is_self_issued(self) -> bool:
        return self.x509.issuer == self.x509.subject


def check(registries: Iterable[Registry], *, now: datetime) -> list[Finding]:
    """All findings of all registries, in the order of registries and files."""
    require_cryptography()
    found: list[Finding] = []
    for registry in registries:
        for root in registry.ca_certificates:
            found += _root_findings(root, now)
        for pair in registry.client_pairs:
            found += _pair_findings(pair, now)
    return found


def _root_findings(root: CaRoot, now: datetime) -> Iterator[Finding]:
    yield from _exposed(root.content, root.source)
    try:
        chain = _parse(root.content)
    except _Fault as fault:
        yield Finding(fault.code, root.source, fault.detail)
        return
    yield from _date_findings(chain, root.source, now)
    yield from (Finding("leaf-in-crt", root.source, one.facts.subject) for one in chain if not _vouches(one))


def _pair_findings(pair: ClientPair, now: datetime) -> list[Finding]:
    """A half that is missing has been told by whoever read the layout; the other one is judged all the same."""
    chain, found = _certificate_half(pair)
    key, told = _key_half(pair)
    found += told
    key_fits = bool(chain) and key == chain[0].public_key
    if chain and key and not key_fits:
        found.append(Finding("key-mismatch", pair.key_source, f"the certificate is {chain[0].facts.subject}"))
    if chain:
        found += _date_findings(chain, pair.certificate_source, now)
        found += _use_findings(chain[0], pair.certificate_source, key_fits=key_fits)
    return found


def _certificate_half(pair: ClientPair) -> tuple[list[_Parsed], list[Finding]]:
    if not pair.certificate:
        return [], []
    exposed = list(_exposed(pair.certificate, pair.certificate_source))
    try:
        return _parse(pair.certificate), exposed
    except _Fault as fault:
        return [], [*exposed, Finding(fault.code, pair.certificate_source, fault.detail)]


def _key_half(pair: ClientPair) -> tuple[bytes, list[Finding]]:
    if not pair.private_key:
        return b"", []
    try:
        return _public_key(pair.private_key), []
    except _Fault as fault:
        return b"", [Finding(fault.code, pair.key_source, fault.detail)]


def _exposed(content: str, source: str) -> Iterator[Finding]:
    if holds_private_key(content):
        yield Finding("key-exposed", source)


def _parse(content: str) -> list[_Parsed]:
    found = certificates(content)
    if found:
        return [_Parsed(block) for block in found]
    labels = ", ".join(dict.fromkeys(block.label for block in blocks(content)))
    if labels:
        raise _Fault("certificate-junk", f"it holds {labels} instead")
    raise _Fault("certificate-junk", "" if content.strip() else "it is empty")


def _date_findings(chain: list[_Parsed], source: str, now: datetime) -> Iterator[Finding]:
    for one in chain:
        prefix = f"{one.facts.subject}, " if len(chain) > 1 else ""
        if now > one.facts.not_after:
            when, distance = one.facts.not_after, _duration(now - one.facts.not_after)
            yield Finding("expired", source, f"{prefix}{when.strftime(TIME_FORMAT)}, {distance} ago")
        if now < one.facts.not_before:
            when, distance = one.facts.not_before, _duration(one.facts.not_before - now)
            yield Finding("not-yet-valid", source, f"{prefix}from {when.strftime(TIME_FORMAT)}, in {distance}")


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    for size, unit in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            number = minutes // size
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return "less than a minute"


def _vouches(one: _Parsed) -> bool:
    """Whether engines can take a certificate for a CA root.

    Without basic constraints, which X.509 v1 did not have, a self-signed one is a root: old CAs, and servers'
    self-signed certificates that stand for themselves.
    """
    constraints = one.basic_constraints
    return one.is_self_issued if constraints is None else constraints.ca


def _use_findings(leaf: _Parsed, source: str, *, key_fits: bool) -> Iterator[Finding]:
    """Whether a certificate is one that clients present.

    `openssl req -x509`, by which the document makes its client certificate, says CA:TRUE, as a CA root does that was
    wrongly named .cert. The latter has no key of its own beside it, or was issued by another CA, or says keyCertSign.
    """
    if leaf.basic_constraints is not None and leaf.basic_constraints.ca:
        signs = leaf.key_usage is not None and leaf.key_usage.key_cert_sign
        if signs or not leaf.is_self_issued or not key_fits:
            yield Finding("ca-in-cert", source, leaf.facts.subject)
            return
    purposes = leaf.extended_key_usage
    client = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if purposes is not None and not any(purpose in client for purpose in purposes):
        yield Finding("no-client-use", source, "its extended key usage lacks clientAuth")
    usage = leaf.key_usage
    if usage is not None and not (usage.digital_signature or usage.key_agreement):
        yield Finding("no-client-use", source, "its key usage lacks digitalSignature")


def _public_key(content: str) -> bytes:
    """The public half of a private key; exceptions of cryptography end here, they could quote what they read."""
    if "-----BEGIN ENCRYPTED PRIVATE KEY" in content or "Proc-Type: 4,ENCRYPTED" in content:
        raise _Fault("key-encrypted")
    found = [block for block in blocks(content) if block.label.endswith("PRIVATE KEY")]
    if len(found) != 1 or found[0].label not in _KEY_LABELS:
        raise _Fault("key-junk", _label_fault(content, found))
    try:
        key = load_pem_private_key(found[0].text.encode(), password=None)
        return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm):
        raise _Fault("key-junk", "it is damaged, or of a kind that engines don't know") from None


def _label_fault(content: str, found: list[Block]) -> str:
    if len(found) > 1:
        return f"it holds {len(found)} keys"
    if found:
        return f"engines don't read the form {found[0].label}"
    labels = ", ".join(dict.fromkeys(block.label for block in blocks(content)))
    if labels:
        return f"it holds {labels} instead"
    return "" if content.strip() else "it is empty"
