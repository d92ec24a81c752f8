# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what TLS asks of a certificate; cryptography is the oracle."""

from __future__ import annotations

import pytest
from cryptography import x509

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import InvalidCertificate
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_details import (
    alternative_names,
    chain_of,
    issuers_of,
    key_bits,
    name_fits,
)
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, KeyType, issue, issue_ca, issue_client


def test_the_issuers_of_a_chain_are_told_byte_for_byte(ca: Issued) -> None:
    intermediate = issue_ca("Zwischen, ÖA", signer=ca)
    leaf = issue_client(signer=intermediate)
    issuers = issuers_of(chain_of(leaf.certificate + intermediate.certificate))
    assert issuers == [leaf.x509.issuer.public_bytes(), ca.x509.subject.public_bytes()]


def test_what_stands_behind_a_damaged_certificate_is_not_told(client: Issued) -> None:
    damaged = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n"
    assert len(issuers_of(chain_of(client.certificate + damaged + client.certificate))) == 1
    assert issuers_of(chain_of("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")) == []


@pytest.mark.parametrize(
    ("key_type", "bits"), [("rsa", 2048), ("rsa1024", 1024), ("p256", 256), ("ed25519", 256), ("secp256k1", 256)]
)
def test_the_size_of_a_key(key_type: KeyType, bits: int) -> None:
    assert key_bits(issue(key_type=key_type).der) == bits


@pytest.mark.parametrize("der", [b"", b"0", b"junk", b"\x30\x03\x02\x01\x05"])
def test_junk_is_refused(der: bytes) -> None:
    for read in (key_bits, alternative_names):
        with pytest.raises(InvalidCertificate):
            read(der)
    assert issuers_of([der]) == []


def test_names_and_addresses_are_told_and_nothing_else(ca: Issued) -> None:
    kinds = [x509.DNSName("reg.lab"), x509.RFC822Name("a@b.c"), x509.DNSName("*.lab")]
    server = issue("server", signer=ca, alternative_names=kinds)
    assert alternative_names(server.der) == ["reg.lab", "*.lab"]
    assert alternative_names(issue("server", signer=ca).der) == []


@pytest.mark.parametrize(
    ("host", "names", "fits"),
    [
        ("reg.lab", ["reg.lab"], True),
        ("REG.lab", ["reg.LAB"], True),
        ("reg.lab", ["*.lab"], True),
        ("a.reg.lab", ["*.lab"], False),
        ("lab", ["*.lab"], False),
        ("reg.lab", [], False),
        ("10.0.0.1", ["10.0.0.1"], True),
        ("10.0.0.1", ["*.0.0.1"], False),
        ("fd00::1", ["fd00:0:0::1"], True),
        ("10.0.0.1", ["10.0.0.2", "reg.lab"], False),
    ],
)
def test_a_name_fits(host: str, names: list[str], fits: bool) -> None:
    assert name_fits(host, names) is fits
