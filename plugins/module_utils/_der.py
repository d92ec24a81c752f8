# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER, as far as certificates need it: elements one after the other, and object identifiers (X.690)."""

from __future__ import annotations

from typing import Iterator, NamedTuple

SEQUENCE, OID, INTEGER, BIT_STRING, OCTET_STRING, UTC_TIME = 0x30, 0x06, 0x02, 0x03, 0x04, 0x17


class Element(NamedTuple):
    """One element: its tag, its content, and all its bytes as they stand there."""

    tag: int
    content: bytes
    raw: bytes


def elements(data: bytes) -> Iterator[Element]:
    """Each element that stands in the data; ValueError or IndexError where one is cut off."""
    place = 0
    while place < len(data):
        start = place
        tag, length, place = data[place], data[place + 1], place + 2
        if length & 0x80:
            size = length & 0x7F
            length, place = int.from_bytes(data[place : place + size], "big"), place + size
        end = place + length
        if end > len(data):
            raise ValueError("an element is cut off")
        yield Element(tag, data[place:end], data[start:end])
        place = end


def dotted(oid: bytes) -> str:
    """An object identifier in its usual form; the first number holds the first two arcs (X.690, 8.19.4)."""
    numbers, number = [], 0
    for byte in oid:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, numbers[0] - 40 * first, *numbers[1:]))
