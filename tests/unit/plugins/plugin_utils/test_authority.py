# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the throw-away authority issues."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.fleet.certs_d.plugins.plugin_utils._authority import (
    Material,
    Profile,
    fault_of,
    fault_of_authority,
    is_throw_away,
    issue,
    new_authority,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import from_data
from ansible_collections.fleet.certs_d.tests.unit import material
from ansible_collections.fleet.certs_d.tests.unit.material import NOW

CLIENT = Profile("client", "node1", unit="10-old", organization="registry.lab:5000")
SERVER = Profile("server", "registry.lab", names=("registry.lab", "10.0.0.1", "fd00::1"))


@pytest.fixture(scope="module")
def authority() -> Material:
    return new_authority(now=NOW, valid_days=90)


@pytest.fixture(scope="module")
def client(authority: Material) -> Material:
    return issue(authority, CLIENT, now=NOW, valid_days=90)


def fault(made: Material, profile: Profile, authority: Material, *, days: int = 0) -> str:
    return fault_of(made, profile, authority, now=NOW + timedelta(days=days), renew_days=30)


def load(made: Material) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.certificate)


def of_cryptography(issued: material.Issued) -> Material:
    return Material(issued.certificate.encode(), issued.private_key.encode())


def test_what_it_issues_passes_the_checks_of_a_layout(authority: Material, client: Material) -> None:
    data = {
        "name": "registry.lab:5000",
        "ca_certificates": [{"name": "ca", "content": authority.certificate.decode()}],
        "client_pairs": [
            {"name": "a", "certificate": client.certificate.decode(), "private_key": client.private_key.decode()}
        ],
    }
    assert check(from_data([data])[0], now=NOW) == []


def test_keys_are_p_256_in_pkcs_8(authority: Material, client: Material) -> None:
    for made in (authority, client):
        key = load_pem_private_key(made.private_key, password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.curve.name == "secp256r1"
        assert made.private_key.startswith(b"-----BEGIN PRIVATE KEY-----\n")


def test_a_client_certificate_names_host_pair_and_registry(client: Material) -> None:
    assert load(client).subject.rfc4514_string() == "CN=node1,OU=10-old,O=registry.lab:5000" == CLIENT.subject


def test_a_server_certificate_holds_names_and_addresses(authority: Material) -> None:
    made = load(issue(authority, SERVER, now=NOW, valid_days=90))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["registry.lab"]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.1", "fd00::1"]


def test_identifiers_link_what_is_issued_to_the_ca(authority: Material, client: Material) -> None:
    ca = load(authority).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    leaf = load(client).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert leaf.key_identifier == ca.digest


def test_names_longer_than_x_509_allows_are_cut(authority: Material) -> None:
    profile = Profile("client", "n" * 100, unit="u" * 100, organization="o" * 100)
    assert fault(issue(authority, profile, now=NOW, valid_days=90), profile, authority) == ""


def test_the_ca_outlives_what_it_issues(authority: Material) -> None:
    assert fault_of_authority(authority, now=NOW + timedelta(days=3650), valid_days=90) == ""
    assert fault_of_authority(authority, now=NOW + timedelta(days=3651), valid_days=90) == "expiring"


def test_a_good_certificate_stays(authority: Material, client: Material) -> None:
    assert fault(client, CLIENT, authority) == ""


def test_a_certificate_is_renewed_when_fewer_days_are_left(authority: Material, client: Material) -> None:
    assert fault(client, CLIENT, authority, days=60) == ""
    assert fault(client, CLIENT, authority, days=61) == "expiring"
    assert fault(client, CLIENT, authority, days=91) == "expired"
    assert fault(client, CLIENT, authority, days=-1) == "not yet valid"


def test_each_reason_to_make_it_anew_is_seen(authority: Material, client: Material) -> None:
    foreign = new_authority(now=NOW, valid_days=90)
    another = issue(authority, CLIENT, now=NOW, valid_days=90)
    server = issue(authority, SERVER, now=NOW, valid_days=90)
    assert fault(Material(b"", client.private_key), CLIENT, authority) == "missing"
    assert fault(Material(client.certificate, b""), CLIENT, authority) == "missing"
    assert fault(Material(b"junk", client.private_key), CLIENT, authority) == "damaged or encrypted"
    assert fault(Material(client.certificate, another.private_key), CLIENT, authority) == "key of another certificate"
    assert fault(issue(foreign, CLIENT, now=NOW, valid_days=90), CLIENT, authority) == "of another CA"
    assert fault(server, Profile("server", "registry.lab", names=("other",)), authority) == "other names"
    assert fault(client, Profile("server", "node1"), authority) == "other purpose"
    assert fault(client, Profile("client", "node2"), authority) == "other subject"


def test_only_its_own_cas_are_known_as_throw_away(authority: Material, ca: material.Issued) -> None:
    assert is_throw_away(authority.certificate)
    assert not is_throw_away(ca.certificate.encode())
    assert not is_throw_away(b"")


def test_a_ca_that_was_made_elsewhere_can_issue(ca: material.Issued) -> None:
    own = of_cryptography(ca)
    assert fault_of_authority(own, now=NOW, valid_days=30) == ""
    assert fault(issue(own, CLIENT, now=NOW, valid_days=40), CLIENT, own) == ""


def test_what_can_issue_nothing_is_seen(client: Material) -> None:
    rsa = of_cryptography(material.issue(ca=True, key_type="rsa"))
    assert fault_of_authority(rsa, now=NOW, valid_days=30) == "its key is no elliptic one"
    assert fault_of_authority(client, now=NOW, valid_days=30) == "no CA"


def test_a_private_key_is_not_in_the_representation(client: Material) -> None:
    assert "PRIVATE KEY" not in repr(client)
