# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of PEM text."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    InvalidPem,
    blocks,
    certificates,
    fingerprint,
    holds_private_key,
    normalise,
)
from ansible_collections.fleet.certs_d.tests.unit.material import Issued


@given(st.text(alphabet=st.sampled_from("a \\nr\r\n-\t")))
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: pem.replace("\n", "\r"),
        lambda pem: pem.replace("\n", "\\n"),
        lambda pem: pem.replace("\n", "\\r\\n"),
        lambda pem: pem.rstrip("\n"),
        lambda pem: "\n\n" + pem + "\n \n",
    ],
    ids=["CRLF", "CR", "written newline", "written CRLF", "no final newline", "blank lines around"],
)
def test_all_spellings_of_a_pem_have_one_normal_form(client: Issued, spoil: object) -> None:
    assert callable(spoil)
    assert normalise(spoil(client.certificate)) == client.certificate


def test_blocks_come_in_their_order_without_the_text_around_them(ca: Issued, client: Issued) -> None:
    text = normalise(f"Certificate:\n  Data: x\n{client.certificate}# the issuer\n{ca.certificate}{client.private_key}")
    assert [block.label for block in blocks(text)] == ["CERTIFICATE", "CERTIFICATE", "PRIVATE KEY"]
    assert [block.der for block in certificates(text)] == [client.der, ca.der]


def test_the_trusted_form_of_openssl_is_no_certificate_for_engines(client: Issued) -> None:
    assert certificates(client.certificate.replace("CERTIFICATE", "TRUSTED CERTIFICATE")) == []


def test_a_block_that_is_cut_off_is_none(client: Issued) -> None:
    assert blocks(client.certificate[:-20]) == []


def test_a_damaged_block_is_refused_without_being_quoted(client: Issued) -> None:
    damaged = client.private_key.replace("M", "!", 1)
    with pytest.raises(InvalidPem) as caught:
        assert blocks(damaged)[0].der
    assert str(caught.value) == "the PRIVATE KEY block is no base64"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
def test_a_private_key_is_seen_however_damaged_it_is(label: str) -> None:
    assert holds_private_key(f"-----BEGIN {label}-----\nMII")


def test_certificates_and_public_keys_are_no_private_keys(client: Issued) -> None:
    assert not holds_private_key(client.certificate + "-----BEGIN PUBLIC KEY-----")


@given(st.binary())
def test_a_fingerprint_is_the_sha256_with_colons(der: bytes) -> None:
    assert fingerprint(der).replace(":", "") == hashlib.sha256(der).hexdigest()
    assert [len(part) for part in fingerprint(der).split(":")] == [2] * 32


def test_a_block_begins_a_line(client: Issued) -> None:
    """Engines skip what does not: the text of a list, for one, is no PEM."""
    assert blocks(f"['{client.certificate.strip()}']") == []
