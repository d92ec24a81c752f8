# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the reader of DER."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._der import INTEGER, SEQUENCE, Element, dotted, elements


def test_elements_come_one_after_the_other_with_all_their_bytes() -> None:
    data = bytes.fromhex("3003020105" + "020107")
    first, second = elements(data)
    assert first == Element(SEQUENCE, bytes.fromhex("020105"), data[:5])
    assert second == Element(INTEGER, b"\7", data[5:])


def test_a_long_length_is_read() -> None:
    data = b"\x04\x82\x01\x00" + b"a" * 256
    (element,) = elements(data)
    assert (len(element.content), element.raw) == (256, data)


@pytest.mark.parametrize("data", ["30", "3005", "048201", "0482010041"])
def test_what_is_cut_off_is_refused(data: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        list(elements(bytes.fromhex(data)))


@pytest.mark.parametrize(("oid", "text"), [("551d11", "2.5.29.17"), ("2a864886f70d010101", "1.2.840.113549.1.1.1")])
def test_numbers_are_written_with_dots(oid: str, text: str) -> None:
    assert dotted(bytes.fromhex(oid)) == text
