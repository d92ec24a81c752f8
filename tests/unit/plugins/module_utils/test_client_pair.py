# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the question whether a key belongs to a certificate, as a node asks it."""

from __future__ import annotations

import os

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, KeyType, issue_client


@pytest.mark.parametrize("key_type", ["p256", "rsa", "ed25519"])
def test_a_sound_pair_has_no_fault(ca: Issued, key_type: KeyType) -> None:
    pair = issue_client(signer=ca, key_type=key_type)
    assert pair_fault(pair.certificate.encode(), pair.private_key.encode()) is None


def test_the_older_forms_of_keys_are_taken(client: Issued) -> None:
    assert pair_fault(client.certificate.encode(), client.traditional_key.encode()) is None


def test_intermediates_behind_the_certificate_are_taken(ca: Issued, client: Issued) -> None:
    assert pair_fault((client.certificate + ca.certificate).encode(), client.private_key.encode()) is None


@pytest.mark.parametrize("key_type", ["p256", "rsa"])
def test_the_key_of_another_certificate_is_told(ca: Issued, client: Issued, key_type: KeyType) -> None:
    foreign = issue_client(signer=ca, key_type=key_type).private_key
    assert pair_fault(client.certificate.encode(), foreign.encode()) == "key-mismatch"


def test_an_encrypted_key_is_told_and_no_passphrase_is_asked_for(client: Issued) -> None:
    for key in (client.encrypted_key, client.traditional_encrypted_key):
        assert pair_fault(client.certificate.encode(), key.encode()) == "key-encrypted"


@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n"])
def test_a_junk_key_is_told(client: Issued, junk: bytes) -> None:
    assert pair_fault(client.certificate.encode(), junk) == "key-junk"


@pytest.mark.parametrize("junk", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"])
def test_a_junk_certificate_is_told(client: Issued, junk: bytes) -> None:
    assert pair_fault(junk, client.private_key.encode()) == "certificate-junk"


def test_no_file_stays_open(client: Issued) -> None:
    before = len(os.listdir("/proc/self/fd"))
    pair_fault(client.certificate.encode(), client.private_key.encode())
    pair_fault(b"junk", client.private_key.encode())
    assert len(os.listdir("/proc/self/fd")) == before
