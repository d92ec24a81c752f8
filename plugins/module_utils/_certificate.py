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
from typing import Any, Iterator, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    InvalidPem,
    certificates,
    fingerprint,
    is_cut_off,
)

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

_SEQUENCE, _SET, _OID, _INTEGER, _UTC_TIME, _VERSION = 0x30, 0x31, 0x06, 0x02, 0x17, 0xA0
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
            "not_before": self.not_before.strftime(TIME_FORMAT),
            "not_after": self.not_after.strftime(TIME_FORMAT),
            "days_left": (self.not_after - now).days,
        }


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


def _read(der: bytes) -> Certificate:
    (tag, body), *rest = _elements(der)
    if tag != _SEQUENCE or rest:
        raise ValueError("not one sequence")
    to_be_signed = next(_elements(body))[1]
    fields = [element for element in _elements(to_be_signed) if element[0] != _VERSION]
    serial, _algorithm, issuer, validity, subject, key = fields[:6]
    if serial[0] != _INTEGER:
        raise ValueError("no serial number")
    not_before, not_after = (_time(tag, value) for tag, value in _elements(validity[1]))
    return Certificate(
        fingerprint=fingerprint(der),
        serial_number=serial[1].hex(),
        subject=_name(subject[1]),
        issuer=_name(issuer[1]),
        not_before=not_before,
        not_after=not_after,
        key_kind=_key_kind(key[1]),
    )


def _key_kind(value: bytes) -> str:
    """The algorithm of a public key and the curve that goes with it; the numbers of one that has no name here."""
    algorithm = next(_elements(value))[1]
    numbers = " ".join(_dotted(content) for tag, content in _elements(algorithm) if tag == _OID)
    return _KEY_KINDS.get(numbers, numbers)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and value of each DER element that stands in the data, one after the other."""
    place = 0
    while place < len(data):
        tag, length, place = data[place], data[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length, place = int.from_bytes(data[place : place + size], "big"), place + size
        if place + length > len(data):
            raise ValueError("an element is cut off")
        yield tag, data[place : place + length]
        place += length


def _time(tag: int, value: bytes) -> datetime:
    """UTCTime has two digits for the year, of which 50 to 99 mean the last century (RFC 5280, 4.1.2.5.1)."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    # strptime would have every run on every node import calendar and locale.
    parts = _TIME.fullmatch(text)
    if parts is None:
        raise ValueError("not a time as RFC 5280 has it")
    year, month, day, hour, minute, second = map(int, parts.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


def _name(value: bytes) -> str:
    """A distinguished name as RFC 4514 writes it: the last part first."""
    parts = ["+".join(_attribute(pair) for _tag, pair in _elements(part)) for _set, part in _elements(value)]
    return ",".join(reversed(parts))


def _attribute(value: bytes) -> str:
    (_oid_tag, oid), (tag, content) = _elements(value)
    dotted = _dotted(oid)
    return f"{_ATTRIBUTES.get(dotted, dotted)}={_escape(_text(tag, content))}"


def _text(tag: int, content: bytes) -> str:
    encoding = {_UTF16_STRING: "utf-16-be", _UTF32_STRING: "utf-32-be"}.get(tag, "utf-8")
    return content.decode(encoding, "backslashreplace")


def _dotted(oid: bytes) -> str:
    """The first number holds the first two arcs (X.690, 8.19.4)."""
    numbers, number = [], 0
    for byte in oid:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, numbers[0] - 40 * first, *numbers[1:]))


def _escape(text: str) -> str:
    """RFC 4514, 2.4: special characters anywhere, a blank at either end, # in front, NUL as hex."""
    escaped = "".join("\\" + char if char in '"+,;<>\\' else char for char in text).replace("\0", "\\00")
    if escaped.startswith(("#", " ")):
        escaped = "\\" + escaped
    return escaped[:-1] + "\\ " if escaped.endswith(" ") and len(text) > 1 else escaped
