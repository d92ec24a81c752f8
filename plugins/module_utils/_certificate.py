# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a certificate, read from its DER with nothing but the standard library.

Python has no public call that parses a certificate, and a node has no other library. Only what results and diffs
show is read here; judging certificates is the controller's work, with cryptography.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._der import (
    INTEGER,
    OID,
    SEQUENCE,
    UTC_TIME,
    Element,
    dotted,
    elements,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    Block,
    InvalidPem,
    certificates,
    fingerprint,
    is_cut_off,
)

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_VERSION = 0xA0
_UTF16_STRING, _UTF32_STRING = 0x1E, 0x1C
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})Z")
_KEY_KINDS = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.10045.2.1 1.2.840.10045.3.1.7": "P-256",
    "1.2.840.10045.2.1 1.3.132.0.34": "P-384",
    "1.2.840.10045.2.1 1.3.132.0.35": "P-521",
    "1.3.101.112": "Ed25519",
}
_ATTRIBUTES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
}


class InvalidCertificate(ValueError):
    """The bytes are no X.509 certificate."""


class Certificate(NamedTuple):
    """What names a certificate and bounds its life; names are RFC 4514 strings, times are aware and in UTC."""

    fingerprint: str
    serial_number: str
    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    key_kind: str

    @property
    def engines_know_its_key(self) -> bool:
        """Whether Go's TLS, and so every engine, can use a key of this kind."""
        return self.key_kind in _KEY_KINDS.values()

    def as_data(self, now: datetime) -> dict[str, Any]:
        """The facts as they stand in results; `days_left` is counted in whole days and negative once expired."""
        return {
            "fingerprint": self.fingerprint,
            "serial_number": self.serial_number,
            "subject": self.subject,
            "issuer": self.issuer,
            "not_before": told_time(self.not_before),
            "not_after": told_time(self.not_after),
            "days_left": (self.not_after - now).days,
        }


def told_time(moment: datetime) -> str:
    """A time in UTC as results have it. Of a year below 1000 strftime leaves the zeros in front out."""
    return f"{moment.year:04}{moment.strftime(TIME_FORMAT)[-16:]}"


def read_certificate(der: bytes) -> Certificate:
    """Read one certificate, or raise InvalidCertificate."""
    try:
        return _read(der)
    except (IndexError, ValueError, StopIteration, OverflowError) as error:
        raise InvalidCertificate("these bytes are no X.509 certificate") from error


def read_certificates(text: str) -> list[Certificate]:
    """All certificates of a PEM text in normal form; InvalidCertificate where one is damaged or none is there."""
    try:
        found = [read_certificate(block.der) for block in certificates(text)]
    except InvalidPem as error:
        raise InvalidCertificate(str(error)) from error
    if not found:
        raise InvalidCertificate("there is no certificate in it")
    if is_cut_off(text):
        raise InvalidCertificate("a block in it is cut off or indented")
    return found


def holds_certificate(text: str) -> bool:
    """Whether a client finds a CA root in a PEM text in normal form: Go passes over all blocks that it can't read."""
    return any(map(_is_certificate, certificates(text)))


def _is_certificate(block: Block) -> bool:
    try:
        read_certificate(block.der)
    except (InvalidPem, InvalidCertificate):
        return False
    return True


def _read(der: bytes) -> Certificate:
    serial, _algorithm, issuer, validity, subject, key = signed_fields(der)[:6]
    if serial.tag != INTEGER:
        raise ValueError("no serial number")
    not_before, not_after = (_time(element.tag, element.content) for element in elements(validity.content))
    return Certificate(
        fingerprint=fingerprint(der),
        serial_number=serial.content.hex(),
        subject=distinguished_name(subject.content),
        issuer=distinguished_name(issuer.content),
        not_before=not_before,
        not_after=not_after,
        key_kind=_key_kind(key.content),
    )


def signed_fields(der: bytes) -> list[Element]:
    """What the issuer has signed, without the version: serial number, algorithm, issuer, validity, subject, key, …"""
    outer, *rest = elements(der)
    if outer.tag != SEQUENCE or rest:
        raise ValueError("not one sequence")
    to_be_signed = next(elements(outer.content)).content
    return [element for element in elements(to_be_signed) if element.tag != _VERSION]


def _key_kind(value: bytes) -> str:
    """The algorithm of a public key and the curve that goes with it; the numbers of one that has no name here."""
    algorithm = next(elements(value)).content
    numbers = " ".join(dotted(element.content) for element in elements(algorithm) if element.tag == OID)
    return _KEY_KINDS.get(numbers, numbers)


def _time(tag: int, value: bytes) -> datetime:
    """UTCTime has two digits for the year, of which 50 to 99 mean the last century (RFC 5280, 4.1.2.5.1)."""
    text = value.decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    # strptime would have every run on every node import calendar and locale.
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise ValueError("not a time as RFC 5280 has it")
    year, month, day, hour, minute, second = map(int, parts.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def distinguished_name(value: bytes) -> str:
    """The content of a distinguished name as RFC 4514 writes it: the last part first."""
    parts = ["+".join(_attribute(pair.content) for pair in elements(part.content)) for part in elements(value)]
    return ",".join(reversed(parts))


def _attribute(value: bytes) -> str:
    kind, text = elements(value)
    number = dotted(kind.content)
    return f"{_ATTRIBUTES.get(number, number)}={_escape(_text(text.tag, text.content))}"


def _text(tag: int, content: bytes) -> str:
    encoding = {_UTF16_STRING: "utf-16-be", _UTF32_STRING: "utf-32-be"}.get(tag, "utf-8")
    return content.decode(encoding, "backslashreplace")


def _escape(text: str) -> str:
    """RFC 4514, 2.4: special characters anywhere, a blank at either end, # in front, NUL as hex."""
    escaped = "".join("\\" + char if char in '"+,;<>\\' else char for char in text).replace("\0", "\\00")
    if escaped.startswith(("#", " ")):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if escaped.endswith(" ") and len(text) > 1 else escaped
