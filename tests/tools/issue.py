# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Issue client pairs for tests, also such as no PKI issues: expired ones, and certificates whose key is missing.

Usage: python tests/tools/issue.py AUTHORITY_DIR OUT_DIR NAME [NAME ...] [--expired NAME ...] [--keyless NAME ...]

The CA is AUTHORITY_DIR/ca.crt with its ca.key. Each NAME, which may hold folders, becomes OUT_DIR/NAME.cert and
OUT_DIR/NAME.key, with the CA as ca.crt beside them. What is there and good stays. Prints JSON: whether something was
made, and by NAME the fingerprint and serial number of each certificate, as Apache's logs tell them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "unit"))

from material import CLIENT, NOW, Issued, PrivateKey, issue

_SHORTEST = timedelta(days=1)
_LONGEST_NAME = 64


class Wanted(NamedTuple):
    """A pair to be issued, by its path without suffix."""

    name: str
    expired: bool
    keyless: bool


def main() -> int:
    """Issue what is missing, tell about all."""
    parser = argparse.ArgumentParser(description="Issue client pairs for tests.")
    parser.add_argument("authority", type=Path, metavar="AUTHORITY_DIR", help="folder with ca.crt and ca.key")
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a sound pair")
    parser.add_argument("--expired", nargs="+", default=[], metavar="NAME", help="a pair that expired yesterday")
    parser.add_argument("--keyless", nargs="+", default=[], metavar="NAME", help="a certificate without its key")
    chosen = parser.parse_args()
    authority = read_pair(chosen.authority / "ca.crt", chosen.authority / "ca.key")
    outcomes = {each.name: settle(each, authority=authority, out=chosen.out) for each in _wanted(chosen)}
    pairs = {name: facts for name, (_made, facts) in outcomes.items()}
    print(json.dumps({"made": any(made for made, _facts in outcomes.values()), "pairs": pairs}))
    return 0


def settle(wanted: Wanted, *, authority: Issued, out: Path) -> tuple[bool, dict[str, str]]:
    """Keep or issue one pair; whether it was issued, and what logs tell of it."""
    certificate, key = out / f"{wanted.name}.cert", out / f"{wanted.name}.key"
    root = certificate.with_name("ca.crt")
    made = False
    if not is_good(certificate, key, wanted=wanted, authority=authority):
        write_pair(new_pair(wanted, authority), certificate, None if wanted.keyless else key)
        made = True
    if not root.exists() or root.read_text() != authority.certificate:
        root.write_text(authority.certificate)
        made = True
    return made, facts_of(x509.load_pem_x509_certificate(certificate.read_bytes()))


def new_pair(wanted: Wanted, authority: Issued) -> Issued:
    """A pair for client use, its validity over since yesterday where it is to be expired."""
    return issue(
        wanted.name[-_LONGEST_NAME:],
        signer=authority,
        purposes=[CLIENT],
        usages=["digital_signature"],
        not_before=NOW - timedelta(days=30),
        not_after=NOW + timedelta(days=-1 if wanted.expired else 60),
    )


def is_good(certificate: Path, key: Path, *, wanted: Wanted, authority: Issued) -> bool:
    """Whether what lies there is a certificate of this CA as it is wanted, and its key, or none."""
    if not certificate.exists() or key.exists() == wanted.keyless:
        return False
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        found.verify_directly_issued_by(authority.x509)
        fits = wanted.keyless or spki(found) == spki(read_pair(certificate, key).key)
    except (ValueError, TypeError, InvalidSignature):
        return False
    ends = found.not_valid_after_utc
    return fits and (ends < NOW if wanted.expired else ends > NOW + _SHORTEST)


def read_pair(certificate: Path, key: Path) -> Issued:
    """A certificate and its key from their files."""
    loaded = load_pem_private_key(key.read_bytes(), password=None)
    return Issued(x509.load_pem_x509_certificate(certificate.read_bytes()), loaded)  # type: ignore[arg-type]


def write_pair(pair: Issued, certificate: Path, key: Path | None) -> None:
    """The key has its mode from the first byte."""
    certificate.parent.mkdir(parents=True, exist_ok=True)
    certificate.with_suffix(".key").unlink(missing_ok=True)
    if key is not None:
        with open(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(pair.private_key)
    certificate.write_text(pair.certificate)


def facts_of(certificate: x509.Certificate) -> dict[str, str]:
    """The fingerprint as the access log has it, the serial number as the error log has it."""
    return {
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(":"),
        "serial": _whole_bytes(f"{certificate.serial_number:X}"),
    }


def spki(holder: x509.Certificate | PrivateKey) -> bytes:
    """The public key of a certificate or of a private key, to compare them."""
    return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _whole_bytes(digits: str) -> str:
    return digits.zfill(len(digits) + len(digits) % 2)


def _wanted(chosen: argparse.Namespace) -> list[Wanted]:
    names = sorted({*chosen.names, *chosen.expired, *chosen.keyless})
    return [Wanted(name, expired=name in chosen.expired, keyless=name in chosen.keyless) for name in names]


if __name__ == "__main__":
    sys.exit(main())
