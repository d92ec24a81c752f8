# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which client pair Go's TLS stack presents, and so every engine of today (crypto/tls: SupportsCertificate)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# Of TLS 1.3 (RFC 8446, 4.2.3): a scheme for each curve.
_CURVE_SCHEMES = {"P-256": 0x0403, "P-384": 0x0503, "P-521": 0x0603}
_ED25519 = 0x0807
# RSA-PSS, with the least size in bits of a key that the hash and its salt fit into.
_PSS_SCHEMES = {0x0804: 528, 0x0805: 784, 0x0806: 1040}
# RSA with PKCS#1 signs in TLS 1.2 alone.
_PKCS1_SCHEMES = (0x0401, 0x0501, 0x0601)
# RFC 5246, 7.4.4 and RFC 8422, 5.5: the types of certificates that a server of TLS 1.2 takes.
_RSA_SIGN, _ECDSA_SIGN = 1, 64
_NAMES_TOLD = 3


def presented(pairs: Sequence[Mapping[str, Any]], asks_for: Mapping[str, Any]) -> str | None:
    """The name of the first pair that the server's CertificateRequest fits, None where no certificate is sent.

    `pairs` are in the order of their file names. Neither their dates nor an HTTP status plays a part.
    """
    if not asks_for["requested"]:
        return None
    return next((str(pair["name"]) for pair in pairs if not why_not(pair, asks_for)), None)


def why_not(pair: Mapping[str, Any], asks_for: Mapping[str, Any]) -> str:
    """Why the pair is passed over, empty where it is not."""
    if not _can_sign(pair, asks_for):
        return f"the registry takes no signature of its {pair['key_kind']} key"
    if asks_for["issuers"] and not set(pair["issuers"]) & set(asks_for["issuers"]):
        return f"the registry names other CAs than its issuer ({_told(asks_for['issuer_names'])})"
    return ""


def _told(names: Sequence[str]) -> str:
    """The first of them: servers may name a hundred."""
    return "; ".join(names[:_NAMES_TOLD]) + ("; …" if len(names) > _NAMES_TOLD else "")


def _can_sign(pair: Mapping[str, Any], asks_for: Mapping[str, Any]) -> bool:
    is_newest = asks_for["tls"] == "TLSv1.3"
    if not is_newest and not _is_of_type(pair, asks_for["certificate_types"]):
        return False
    return not _schemes(pair, is_newest=is_newest).isdisjoint(asks_for["signature_schemes"])


def _is_of_type(pair: Mapping[str, Any], types: Sequence[int]) -> bool:
    return (_RSA_SIGN if pair["key_kind"] == "RSA" else _ECDSA_SIGN) in types


def _schemes(pair: Mapping[str, Any], *, is_newest: bool) -> set[int]:
    """The signature schemes that Go has for the pair's key."""
    kind = pair["key_kind"]
    if kind == "RSA":
        fitting = {scheme for scheme, bits in _PSS_SCHEMES.items() if (pair["key_bits"] or 0) >= bits}
        return fitting if is_newest else {*fitting, *_PKCS1_SCHEMES}
    if kind in _CURVE_SCHEMES:
        return {_CURVE_SCHEMES[kind]} if is_newest else {*_CURVE_SCHEMES.values()}
    return {_ED25519} if kind == "Ed25519" else set()
