# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the choice of Go's TLS stack, which every engine of today has."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._go_choice import presented, why_not
from ansible_collections.fleet.certs_d.tests.unit.matrix import asks_for, facts

ECDSA_ONLY = [0x0403, 0x0503, 0x0603]


def test_without_names_of_issuers_the_first_pair_is_presented() -> None:
    assert presented([facts("10", issuers=["ca1"]), facts("20", issuers=["ca2"])], asks_for()) == "10"


def test_the_first_pair_of_a_named_issuer_is_presented() -> None:
    pairs = [facts("10", issuers=["ca1"]), facts("20", issuers=["ca2"]), facts("30", issuers=["ca2"])]
    assert presented(pairs, asks_for("ca2")) == "20"
    assert presented(pairs, asks_for("ca3")) is None
    assert "other CAs" in why_not(pairs[0], asks_for("ca2"))


def test_an_intermediate_behind_the_leaf_makes_it_fit() -> None:
    assert presented([facts("10", issuers=["intermediate", "ca1"])], asks_for("ca1")) == "10"
    assert presented([facts("10", issuers=["intermediate"])], asks_for("ca1")) is None


def test_who_asks_for_no_certificate_gets_none() -> None:
    assert presented([facts("10")], asks_for(requested=False)) is None


@pytest.mark.parametrize(
    ("kind", "bits", "request_", "fits"),
    [
        ("P-256", None, asks_for(), True),
        ("P-384", None, asks_for(), True),
        ("P-521", None, asks_for(), True),
        ("Ed25519", None, asks_for(), True),
        ("RSA", 2048, asks_for(), True),
        ("RSA", 2048, asks_for(signature_schemes=ECDSA_ONLY), False),
        ("RSA", 2048, asks_for(signature_schemes=[0x0401]), False),
        ("RSA", 2048, asks_for(tls="TLSv1.2", signature_schemes=[0x0401]), True),
        ("RSA", 1024, asks_for(signature_schemes=[0x0806]), False),
        ("RSA", 1024, asks_for(signature_schemes=[0x0804]), True),
        ("P-384", None, asks_for(signature_schemes=[0x0403]), False),
        ("P-384", None, asks_for(tls="TLSv1.2", signature_schemes=[0x0403]), True),
        ("P-256", None, asks_for(tls="TLSv1.2", certificate_types=[1]), False),
        ("RSA", 2048, asks_for(tls="TLSv1.2", certificate_types=[64]), False),
        ("Ed25519", None, asks_for(tls="TLSv1.2", certificate_types=[64]), True),
        ("Ed25519", None, asks_for(signature_schemes=ECDSA_ONLY), False),
        ("1.2.840.10045.2.1 1.3.132.0.10", None, asks_for(), False),
    ],
    ids=str,
)
def test_a_key_fits_where_the_server_takes_a_signature_that_it_can_make(
    kind: str, bits: int | None, request_: dict[str, Any], fits: bool
) -> None:
    pair = facts("10", kind, bits=bits)
    assert (presented([pair], request_) == "10") is fits
    assert bool(why_not(pair, request_)) is not fits
