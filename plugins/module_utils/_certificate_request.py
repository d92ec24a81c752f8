# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server says in a TLS handshake that Python has no public call for.

That is its CertificateRequest, by which a client chooses the certificate that it presents, and the chain behind its
own certificate. OpenSSL tells them to a callback, of which Python makes a private attribute of a context: whoever wants
these messages comes here, and nobody else touches that attribute. Where it is missing nothing is known, and no request
fails for it.
"""

from __future__ import annotations

import ssl
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import distinguished_name
from ansible_collections.fleet.certs_d.plugins.module_utils._der import elements
from ansible_collections.fleet.certs_d.plugins.module_utils._names import shown

_CALLBACK = "_msg_callback"
_HANDSHAKE = 22
_CERTIFICATE, _CERTIFICATE_REQUEST = 11, 13
_TLS_1_3 = 0x0304
_HEADER_SIZE = 4
# Extensions of TLS 1.3 (RFC 8446, 4.2).
_SIGNATURE_ALGORITHMS, _CERTIFICATE_AUTHORITIES = 13, 47
_FAULTS = (IndexError, ValueError, StopIteration)

NO_CALLBACK = "this Python does not tell the messages of a handshake"
CUT_SHORT = "the handshake ended before the server could ask for a certificate"
UNREADABLE = "the server's CertificateRequest is not as RFC 5246 or RFC 8446 has it"


class AsksFor(NamedTuple):
    """Which client certificates a server takes.

    `issuers` are DER names, `signature_schemes` the numbers of RFC 8446, 4.2.3; `certificate_types` those of RFC 5246,
    7.4.4, which TLS 1.3 has no longer. Without `requested` the server has asked for no certificate. `tls` is the
    protocol's version as Python writes it.
    """

    requested: bool
    tls: str
    issuers: tuple[bytes, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    certificate_types: tuple[int, ...] = ()

    def in_words(self) -> dict[str, Any]:
        """The facts for people, the numbers of schemes that RFC 8446 does not name in hexadecimal digits."""
        return {
            "requested": self.requested,
            "issuers": [_issuer_name(issuer) for issuer in self.issuers],
            "signature_schemes": [_SCHEME_NAMES.get(number, f"0x{number:04x}") for number in self.signature_schemes],
        }

    def as_data(self) -> dict[str, Any]:
        """The facts that a client's choice is a function of."""
        return {
            "requested": self.requested,
            "tls": self.tls,
            "issuers": [issuer.hex() for issuer in self.issuers],
            "issuer_names": [_issuer_name(issuer) for issuer in self.issuers],
            "signature_schemes": list(self.signature_schemes),
            "certificate_types": list(self.certificate_types),
        }


_SCHEME_NAMES = {
    0x0401: "rsa_pkcs1_sha256",
    0x0501: "rsa_pkcs1_sha384",
    0x0601: "rsa_pkcs1_sha512",
    0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
}


class Handshake:
    """The server's messages of one handshake, as they come in."""

    def __init__(self, context: ssl.SSLContext) -> None:
        """Listen to whatever socket the context wraps; the context is used for one connection only."""
        self._bodies: dict[int, bytes] = {}
        self._is_tls_1_3 = False
        self._is_over = False
        self._can_hear = hasattr(ssl.SSLContext, _CALLBACK)
        if self._can_hear:
            setattr(context, _CALLBACK, self._hear)

    def end(self) -> None:
        """The handshake is done: a later one on the same connection is none that Go's clients would take part in."""
        self._is_over = True

    def asks_for(self) -> tuple[AsksFor | None, str | None]:
        """What the server asked for, or None and why that is unknown."""
        body = self._bodies.get(_CERTIFICATE_REQUEST)
        if not self._can_hear:
            return None, NO_CALLBACK
        if body is not None:
            try:
                return (_of_tls_1_3(body) if self._is_tls_1_3 else _of_tls_1_2(body)), None
            except _FAULTS:
                return None, UNREADABLE
        tls = "TLSv1.3" if self._is_tls_1_3 else "TLSv1.2"
        return (AsksFor(requested=False, tls=tls), None) if self._is_over else (None, CUT_SHORT)

    def chain(self) -> list[bytes]:
        """The DER of the server's certificates as it sent them, its own in front; empty where they were not heard."""
        try:
            return _chain(self._bodies.get(_CERTIFICATE, b""), is_tls_1_3=self._is_tls_1_3)
        except _FAULTS:
            return []

    def _hear(self, _socket: object, direction: str, version: int, content: int, kind: int, data: bytes) -> None:
        if direction == "read" and content == _HANDSHAKE and not self._is_over:
            self._is_tls_1_3 = version == _TLS_1_3
            self._bodies.setdefault(kind, bytes(data[_HEADER_SIZE:]))


def _of_tls_1_2(body: bytes) -> AsksFor:
    """RFC 5246, 7.4.4."""
    types, rest = _vector(body, 1)
    schemes, rest = _vector(rest, 2)
    names, _rest = _vector(rest, 2)
    return AsksFor(True, "TLSv1.2", _vectors(names), _numbers(schemes), tuple(types))


def _of_tls_1_3(body: bytes) -> AsksFor:
    """RFC 8446, 4.3.2: a context, then extensions."""
    _context, rest = _vector(body, 1)
    listed, _rest = _vector(rest, 2)
    found = {}
    while listed:
        number = int.from_bytes(listed[:2], "big")
        found[number], listed = _vector(listed[2:], 2)
    names = _vector(found.get(_CERTIFICATE_AUTHORITIES, b"\0\0"), 2)[0]
    schemes = _vector(found.get(_SIGNATURE_ALGORITHMS, b"\0\0"), 2)[0]
    return AsksFor(True, "TLSv1.3", _vectors(names), _numbers(schemes))


def _chain(body: bytes, *, is_tls_1_3: bool) -> list[bytes]:
    """RFC 5246, 7.4.2; in TLS 1.3 a context stands in front and extensions behind each (RFC 8446, 4.4.2)."""
    rest = _vector(body, 1)[1] if is_tls_1_3 and body else body
    listed = _vector(rest, 3)[0] if rest else b""
    chain = []
    while listed:
        der, listed = _vector(listed, 3)
        chain.append(der)
        if is_tls_1_3:
            _extensions, listed = _vector(listed, 2)
    return chain


def _vector(data: bytes, size: int) -> tuple[bytes, bytes]:
    """What a length of so many bytes bounds, and what stands behind it."""
    end = size + int.from_bytes(data[:size], "big")
    if len(data) < max(size, end):
        raise ValueError("a vector is cut off")
    return data[size:end], data[end:]


def _vectors(data: bytes) -> tuple[bytes, ...]:
    found = []
    while data:
        item, data = _vector(data, 2)
        found.append(item)
    return tuple(found)


def _numbers(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2))


def _issuer_name(der: bytes) -> str:
    try:
        return shown(distinguished_name(next(elements(der)).content))
    except _FAULTS:
        return "(no name)"
