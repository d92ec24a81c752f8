# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What TLS asks of a certificate: whom it names as its issuer, byte for byte, its key's size, its names."""

from __future__ import annotations

import ipaddress
from typing import Iterable

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import InvalidCertificate, signed_fields
from ansible_collections.fleet.certs_d.plugins.module_utils._der import (
    BIT_STRING,
    OCTET_STRING,
    OID,
    dotted,
    elements,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import InvalidPem, certificates

_EXTENSIONS = 0xA3
_ALTERNATIVE_NAMES = "2.5.29.17"
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_RSA = "1.2.840.113549.1.1.1"
# By the numbers of the algorithm and its curve, which give the size of these keys away.
_BITS = {
    "1.2.840.10045.2.1 1.2.840.10045.3.1.7": 256,
    "1.2.840.10045.2.1 1.3.132.0.10": 256,
    "1.2.840.10045.2.1 1.3.132.0.34": 384,
    "1.2.840.10045.2.1 1.3.132.0.35": 521,
    "1.3.101.112": 256,
    "1.3.101.113": 456,
}
_FAULTS = (IndexError, ValueError, StopIteration)


def chain_of(text: str) -> list[bytes]:
    """The DER of each certificate of a PEM text in normal form, up to the first that is no base64."""
    chain = []
    for block in certificates(text):
        try:
            chain.append(block.der)
        except InvalidPem:
            break
    return chain


def issuers_of(chain: Iterable[bytes]) -> list[bytes]:
    """The issuer's name of each certificate, DER as it stands there, up to the first that can't be read.

    Go compares these bytes with the names that a server asks for.
    """
    issuers = []
    for der in chain:
        try:
            issuers.append(signed_fields(der)[2].raw)
        except _FAULTS:
            break
    return issuers


def key_bits(der: bytes) -> int | None:
    """The size of the public key in bits; None of a kind that is not known here."""
    try:
        algorithm, key = elements(signed_fields(der)[5].content)
        numbers = " ".join(dotted(element.content) for element in elements(algorithm.content) if element.tag == OID)
        return _rsa_bits(key.content) if numbers.startswith(_RSA) and key.tag == BIT_STRING else _BITS.get(numbers)
    except _FAULTS as error:
        raise InvalidCertificate("the public key can't be read") from error


def alternative_names(der: bytes) -> list[str]:
    """The host names and addresses that a server's certificate is for; engines of today look at nothing else."""
    try:
        for field in signed_fields(der)[6:]:
            if field.tag == _EXTENSIONS:
                return _names_in(field.content)
    except _FAULTS as error:
        raise InvalidCertificate("the names can't be read") from error
    return []


def name_fits(host: str, names: Iterable[str]) -> bool:
    """Whether one of the names is that of the host; a star stands for the whole first label (RFC 6125, 6.4.3)."""
    wanted = host.lower().rstrip(".")
    _first, _dot, rest = wanted.partition(".")
    if _is_address(host):
        return any(_is_address(name) and ipaddress.ip_address(name) == ipaddress.ip_address(host) for name in names)
    return any(name.lower() in (wanted, f"*.{rest}") for name in names)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _rsa_bits(bit_string: bytes) -> int:
    """The bit string holds, behind its count of unused bits, a sequence of modulus and exponent."""
    numbers = next(elements(bit_string[1:])).content
    return int.from_bytes(next(elements(numbers)).content, "big").bit_length()


def _names_in(extensions: bytes) -> list[str]:
    for extension in elements(next(elements(extensions)).content):
        number, *_critical, value = elements(extension.content)
        if dotted(number.content) == _ALTERNATIVE_NAMES and value.tag == OCTET_STRING:
            found = elements(next(elements(value.content)).content)
            return [_general_name(name.tag, name.content) for name in found if name.tag in (_DNS_NAME, _IP_ADDRESS)]
    return []


def _general_name(tag: int, content: bytes) -> str:
    return str(ipaddress.ip_address(content)) if tag == _IP_ADDRESS else content.decode("ascii", "backslashreplace")
