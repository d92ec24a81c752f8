# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the X.509 checks: each fault alone, and what must not be taken for one."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import ClientPair, Registry, from_data
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    SERVER,
    Issued,
    KeyType,
    issue,
    issue_ca,
    issue_client,
)

REGISTRY = "registry.example:5000"
CERT, KEY, CRT = (f"{REGISTRY}/x.{suffix}" for suffix in ("cert", "key", "crt"))
JUNK_KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49\n-----END PRIVATE KEY-----\n"


def sentences(*, pair: tuple[str, str] | None = None, root: str | None = None, now: datetime = NOW) -> list[str]:
    data = {
        "name": REGISTRY,
        "client_pairs": [{"name": "x", "certificate": pair[0], "private_key": pair[1]}] if pair else [],
        "ca_certificates": [{"name": "x", "content": root}] if root is not None else [],
    }
    registries, _findings = from_data([data])
    return [f"{each.code} {each.place} {each.detail}".strip() for each in check(registries, now=now)]


def faults(issued: Issued) -> list[str]:
    """Of a client pair."""
    return sentences(pair=(issued.certificate, issued.private_key))


# What must pass


@pytest.mark.parametrize("key_type", ["p256", "rsa", "ed25519"])
def test_a_sound_client_pair_has_no_fault(ca: Issued, key_type: KeyType) -> None:
    assert faults(issue_client(signer=ca, key_type=key_type)) == []


@pytest.mark.parametrize("key_type", ["p256", "rsa"])
def test_the_older_forms_of_keys_are_taken(ca: Issued, key_type: KeyType) -> None:
    issued = issue_client(signer=ca, key_type=key_type)
    assert sentences(pair=(issued.certificate, issued.traditional_key)) == []


def test_ec_parameters_before_the_key_are_taken(client: Issued) -> None:
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert sentences(pair=(client.certificate, parameters + client.traditional_key)) == []


def test_intermediates_behind_the_certificate_are_taken(ca: Issued) -> None:
    intermediate = issue_ca("Intermediate", signer=ca)
    issued = issue_client(signer=intermediate)
    assert sentences(pair=(issued.certificate + intermediate.certificate, issued.private_key)) == []


@pytest.mark.parametrize("purposes", [None, [CLIENT], [SERVER, CLIENT], [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]])
@pytest.mark.parametrize("usages", [None, ["digital_signature"], ["key_agreement"]])
def test_what_allows_client_use_is_taken(ca: Issued, purposes: list[object] | None, usages: list[str] | None) -> None:
    assert faults(issue(signer=ca, purposes=purposes, usages=usages)) == []  # type: ignore[arg-type]


def test_bundles_of_roots_are_taken(ca: Issued) -> None:
    assert sentences(root=ca.certificate + issue_ca("Another", signer=ca).certificate) == []


def test_a_self_signed_root_without_basic_constraints_is_taken() -> None:
    assert sentences(root=issue(ca=None).certificate) == []


def test_the_documents_own_example_is_taken(tmp_path: Path) -> None:
    """localhost/{client.cert, client.key, localhost.crt}, made by the document's commands, but with 2048 bits."""
    key, certificate, root = (str(tmp_path / name) for name in ("client.key", "client.cert", "localhost.crt"))
    request = ["openssl", "req", "-new", "-x509", "-text", "-subj", "/CN=x"]
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run([*request, "-key", key, "-out", certificate], check=True, capture_output=True)
    server = [*request, "-newkey", "rsa:2048", "-nodes", "-keyout", str(tmp_path / "server.key"), "-out", root]
    subprocess.run(server, check=True, capture_output=True)
    assert "CA:TRUE" in Path(certificate).read_text()
    pair = Path(certificate).read_text(), Path(key).read_text()
    assert sentences(pair=pair, root=Path(root).read_text(), now=datetime.now(UTC)) == []


# Keys


def test_the_key_of_another_certificate_is_told(client: Issued, other: Issued) -> None:
    assert sentences(pair=(client.certificate, other.private_key)) == [
        f"key-mismatch {KEY} the certificate is CN=client"
    ]


def test_an_encrypted_key_is_told(client: Issued) -> None:
    for key in (client.encrypted_key, client.traditional_encrypted_key):
        assert sentences(pair=(client.certificate, key)) == [f"key-encrypted {KEY}"]


@pytest.mark.parametrize(
    ("key", "detail"),
    [
        (" ", "it is empty"),
        ("junk", ""),
        (JUNK_KEY, "it is damaged, or of a kind that engines don't know"),
        (JUNK_KEY.replace("M", "!"), "it is damaged, or of a kind that engines don't know"),
        (JUNK_KEY.replace("PRIVATE", "PUBLIC"), "it holds PUBLIC KEY instead"),
    ],
)
def test_a_junk_key_is_told(client: Issued, key: str, detail: str) -> None:
    assert sentences(pair=(client.certificate, key)) == [f"key-junk {KEY} {detail}".strip()]


def test_more_than_one_block_in_a_key_file_is_told_and_the_first_key_counts(client: Issued, other: Issued) -> None:
    told = sentences(pair=(client.certificate, client.private_key + other.private_key + client.certificate))
    assert told == [f"key-blocks {KEY} PRIVATE KEY, CERTIFICATE"]


def test_the_parameters_of_a_curve_belong_to_its_key(client: Issued) -> None:
    parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert sentences(pair=(client.certificate, parameters + client.traditional_key)) == []


def test_a_key_in_a_form_that_engines_dont_read_is_told(client: Issued) -> None:
    told = sentences(pair=(client.certificate, client.openssh_key))
    assert told == [f"key-junk {KEY} engines don't read the form OPENSSH PRIVATE KEY"]


def test_a_certificate_in_the_place_of_the_key_is_told(client: Issued) -> None:
    told = sentences(pair=(client.certificate, client.certificate))
    assert told == [f"key-junk {KEY} it holds CERTIFICATE instead"]


def test_a_key_beside_a_junk_certificate_is_judged_all_the_same(client: Issued) -> None:
    told = sentences(pair=("junk", client.encrypted_key))
    assert told == [f"certificate-junk {CERT}", f"key-encrypted {KEY}"]


@pytest.mark.parametrize("place", ["cert", "crt"])
def test_a_private_key_in_a_world_readable_file_is_told(ca: Issued, client: Issued, place: str) -> None:
    if place == "cert":
        told = sentences(pair=(client.certificate + client.private_key, client.private_key))
        assert told == [f"key-exposed {CERT}"]
    else:
        assert sentences(root=client.private_key + ca.certificate) == [f"key-exposed {CRT}"]


def test_no_sentence_quotes_a_key(client: Issued, other: Issued) -> None:
    spoilt = [
        client.private_key.replace("-----END", "-----end"),
        client.private_key[:-40],
        client.private_key.replace("M", "*", 1),
        client.encrypted_key,
        client.openssh_key,
        other.private_key,
    ]
    for key in spoilt:
        told = "\n".join(sentences(pair=(client.certificate + key, key), root=key))
        assert told
        assert not [line for line in key.split("\n") if len(line) > 3 and not line.startswith("-") and line in told]


# Certificates


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (" ", "it is empty"),
        ("junk", ""),
        ("0\x82\x01\n", ""),
        ("-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n", "the CERTIFICATE block is no base64"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "a certificate in it is damaged"),
        ("-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----", "it holds X509 CRL instead"),
    ],
)  # fmt: skip
def test_a_junk_certificate_is_told(client: Issued, text: str, detail: str) -> None:
    assert sentences(pair=(text, client.private_key)) == [f"certificate-junk {CERT} {detail}".strip()]
    assert sentences(root=text) == [f"certificate-junk {CRT} {detail}".strip()]


def test_a_certificate_that_would_not_be_read_from_a_file_is_told(ca: Issued) -> None:
    assert sentences(root="#" * LARGEST + "\n" + ca.certificate) == [f"too-large {CRT}"]


def test_a_key_that_would_not_be_read_from_a_file_is_told(client: Issued) -> None:
    told = sentences(pair=(client.certificate, client.private_key + "#" * LARGEST))
    assert told == [f"too-large {KEY}"]


def test_the_size_is_that_of_the_file_and_not_the_number_of_characters(ca: Issued) -> None:
    assert sentences(root="\N{EURO SIGN}" * (LARGEST // 3 + 1) + "\n" + ca.certificate) == [f"too-large {CRT}"]


def test_one_damaged_block_among_sound_ones_is_told(ca: Issued, client: Issued) -> None:
    damaged = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    told = sentences(pair=(client.certificate + damaged, client.private_key), root=ca.certificate + damaged)
    assert [each.split()[0] for each in told] == ["certificate-junk", "certificate-junk"]


def test_an_expired_certificate_is_told_with_its_date(ca: Issued) -> None:
    issued = issue(signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=3, hours=2))
    date = issued.x509.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert faults(issued) == [f"expired {CERT} {date}, 3 days ago"]


@pytest.mark.parametrize(
    ("since", "told"),
    [
        (timedelta(seconds=1), "less than a minute ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(days=1), "1 day ago"),
    ],
)
def test_the_age_is_told_in_the_largest_unit(ca: Issued, since: timedelta, told: str) -> None:
    assert faults(issue(signer=ca, not_after=NOW - since))[0].endswith(told)


def test_a_certificate_that_is_not_yet_valid_is_told_with_its_date(ca: Issued) -> None:
    issued = issue(signer=ca, not_before=NOW + timedelta(hours=5))
    date = issued.x509.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert faults(issued) == [f"not-yet-valid {CERT} from {date}, in 5 hours"]


def test_both_ends_of_the_validity_belong_to_it(ca: Issued) -> None:
    assert faults(issue(signer=ca, not_after=NOW)) == []
    assert faults(issue(signer=ca, not_before=NOW)) == []


def test_an_expired_certificate_among_others_is_named(ca: Issued) -> None:
    old = issue("Old CA", ca=True, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2))
    (told,) = sentences(root=ca.certificate + old.certificate)
    assert told.startswith(f"expired {CRT} CN=Old CA, ")


@pytest.mark.parametrize("purposes", [[SERVER], [ExtendedKeyUsageOID.CODE_SIGNING]])
def test_a_certificate_for_other_purposes_is_told(ca: Issued, purposes: list[object]) -> None:
    told = faults(issue(signer=ca, purposes=purposes))  # type: ignore[arg-type]
    assert told == [f"no-client-use {CERT} its extended key usage lacks clientAuth"]


def test_a_key_usage_that_cant_sign_handshakes_is_told(ca: Issued) -> None:
    told = faults(issue(signer=ca, usages=["key_encipherment"]))
    assert told == [f"no-client-use {CERT} its key usage lacks digitalSignature"]


# CA or client


def test_a_leaf_named_crt_is_told(client: Issued) -> None:
    assert sentences(root=client.certificate) == [f"leaf-in-crt {CRT} CN=client"]


def test_a_leaf_without_basic_constraints_named_crt_is_told(ca: Issued) -> None:
    assert sentences(root=issue("old", signer=ca, ca=None).certificate) == [f"leaf-in-crt {CRT} CN=old"]


def test_a_leaf_hidden_in_a_bundle_of_roots_is_told(ca: Issued, client: Issued) -> None:
    assert sentences(root=ca.certificate + client.certificate) == [f"leaf-in-crt {CRT} CN=client"]


def test_a_ca_named_cert_that_lacks_a_key_is_told(ca: Issued) -> None:
    assert sentences(pair=(ca.certificate, "")) == [f"ca-in-cert {CERT} CN=Test CA"]


def test_a_ca_that_openssl_req_made_is_told_too_when_it_lacks_a_key() -> None:
    half = ClientPair("x", issue(ca=True).certificate, "", CERT, KEY)
    told = check([Registry(REGISTRY, (), (half,))], now=NOW)
    assert [(each.code, each.detail) for each in told] == [("ca-in-cert", "CN=client")]


def test_where_the_node_has_the_key_the_documents_own_certificate_is_taken() -> None:
    assert sentences(pair=(issue(ca=True).certificate, "")) == []


def test_a_ca_named_cert_beside_the_clients_key_is_told(ca: Issued, client: Issued) -> None:
    told = sentences(pair=(ca.certificate, client.private_key))
    assert [each.split()[0] for each in told] == ["key-mismatch", "ca-in-cert"]


def test_a_ca_that_signs_certificates_is_told_even_with_its_key(ca: Issued) -> None:
    assert faults(ca) == [f"ca-in-cert {CERT} CN=Test CA"]


def test_an_intermediate_ca_named_cert_is_told_even_with_its_key(ca: Issued) -> None:
    assert faults(issue("Intermediate", signer=ca, ca=True)) == [f"ca-in-cert {CERT} CN=Intermediate"]


# All at once


def test_all_findings_of_all_registries_are_told_in_the_order_of_the_files(ca: Issued, client: Issued) -> None:
    expired = issue(signer=ca, purposes=[SERVER], not_after=NOW - timedelta(hours=1))
    entries = [
        {
            "name": name,
            "ca_certificates": [{"name": "b", "content": client.certificate}, {"name": "a", "content": "junk"}],
            "client_pairs": [
                {"name": "20", "certificate": expired.certificate, "private_key": client.private_key},
                {"name": "10", "certificate": client.certificate, "private_key": client.encrypted_key},
            ],
        }
        for name in ("one.example", "two.example")
    ]
    registries, _findings = from_data(entries)
    told = [(each.place, each.code) for each in check(registries, now=NOW)]
    expected = [
        ("a.crt", "certificate-junk"),
        ("b.crt", "leaf-in-crt"),
        ("10.key", "key-encrypted"),
        ("20.key", "key-mismatch"),
        ("20.cert", "expired"),
        ("20.cert", "no-client-use"),
    ]
    assert told == [(f"{name}/{file}", code) for name in ("one.example", "two.example") for file, code in expected]
