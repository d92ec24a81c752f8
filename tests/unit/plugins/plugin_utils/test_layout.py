# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the layout as plain data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import (
    from_data,
    to_data,
    without_private_keys,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Place, read_tree
from ansible_collections.fleet.certs_d.tests.unit.material import Issued

REGISTRY = "registry.example:5000"


def pair(client: Issued, name: str = "client") -> dict[str, Any]:
    return {"name": name, "certificate": client.certificate, "private_key": client.private_key}


def codes(entries: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(finding.code, finding.place) for finding in from_data(entries)[1]]


def test_data_comes_back_as_it_was_given(ca: Issued, client: Issued) -> None:
    data = [
        {
            "name": REGISTRY,
            "ca_certificates": [{"name": "corporate", "content": ca.certificate}],
            "client_pairs": [pair(client)],
        }
    ]
    registries, findings = from_data(data)
    assert findings == []
    assert to_data(registries) == data


@pytest.mark.parametrize("absent", [{}, {"ca_certificates": None, "client_pairs": None}, {"client_pairs": []}])
def test_roots_and_pairs_may_be_absent(absent: dict[str, Any]) -> None:
    registries, findings = from_data([{"name": REGISTRY, **absent}])
    assert (registries[0].ca_certificates, registries[0].client_pairs, findings) == ((), (), [])


def test_pem_is_normalised(client: Issued) -> None:
    spoilt = {
        "name": "client",
        "certificate": client.certificate.replace("\n", "\r\n"),
        "private_key": client.private_key.strip().replace("\n", "\\n"),
    }
    (registry,), _findings = from_data([{"name": REGISTRY, "client_pairs": [spoilt]}])
    assert registry.client_pairs[0].certificate == client.certificate
    assert registry.client_pairs[0].private_key == client.private_key


def test_files_stand_in_the_order_of_the_bytes_of_their_names_with_suffix(ca: Issued, client: Issued) -> None:
    names = ["client", "9", "é", "a.b", "z", "10", "B", "client-b", "a", "a-b"]
    data = {
        "name": REGISTRY,
        "ca_certificates": [{"name": name, "content": ca.certificate} for name in names],
        "client_pairs": [pair(client, name) for name in names],
    }
    (registry,), findings = from_data([data])
    expected = ["10", "9", "B", "a-b", "a.b", "a", "client-b", "client", "z", "é"]
    assert findings == []
    assert [each.name for each in registry.client_pairs] == expected
    assert [each.name for each in registry.ca_certificates] == expected


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
def test_the_order_is_that_of_the_files_on_disk(names: list[str]) -> None:
    (registry,), _findings = from_data([{"name": REGISTRY, "client_pairs": [{"name": name} for name in names]}])
    assert [f"{each.name}.cert" for each in registry.client_pairs] == sorted(
        (f"{name}.cert" for name in names), key=os.fsencode
    )


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "a b", "library", "registry.example:0", "reg:70000", None])
def test_a_registry_that_no_image_can_name_is_told(name: str | None) -> None:
    assert [code for code, _place in codes([{"name": name}])] == ["registry-name"]


@pytest.mark.parametrize("name", ["", " ", "a/b", "../a", "a\0b", "a\nb", ".hidden", "..", "x" * 251, "\udcff", None])
def test_a_name_that_can_be_no_file_is_told(ca: Issued, client: Issued, name: str | None) -> None:
    data = {
        "name": REGISTRY,
        "ca_certificates": [{"name": name, "content": ca.certificate}],
        "client_pairs": [{**pair(client), "name": name}],
    }
    assert {code for code, _place in codes([data])} == {"file-name"}
    assert all(place.isprintable() for _code, place in codes([data]))


def test_the_longest_file_name_is_taken(client: Issued) -> None:
    assert codes([{"name": REGISTRY, "client_pairs": [pair(client, "x" * 250)]}]) == []


def test_a_registry_given_twice_is_told_once() -> None:
    assert codes([{"name": REGISTRY}] * 3) == [("duplicate-registry", REGISTRY)]


def test_two_files_of_one_name_are_told(ca: Issued, client: Issued) -> None:
    root = {"name": "a", "content": ca.certificate}
    data = {"name": REGISTRY, "ca_certificates": [root, root], "client_pairs": [pair(client), pair(client)]}
    assert codes([data]) == [("duplicate-name", f"{REGISTRY}/a.crt"), ("duplicate-name", f"{REGISTRY}/client.cert")]


def test_a_root_and_a_pair_may_share_a_name(ca: Issued, client: Issued) -> None:
    root = {"name": "client", "content": ca.certificate}
    assert codes([{"name": REGISTRY, "ca_certificates": [root], "client_pairs": [pair(client)]}]) == []


@pytest.mark.parametrize("absent", [{}, {"private_key": None}, {"private_key": ""}])
def test_the_key_of_a_certificate_without_one_is_the_nodes_to_find(client: Issued, absent: dict[str, Any]) -> None:
    half = {"name": "client", "certificate": client.certificate, **absent}
    assert codes([{"name": REGISTRY, "client_pairs": [half]}]) == []
    registries, _findings = from_data([{"name": REGISTRY, "client_pairs": [half]}])
    assert registries[0].client_pairs[0].key_is_elsewhere
    assert without_private_keys(registries)[1] == {}


@pytest.mark.parametrize("absent", [{}, {"certificate": None}, {"certificate": ""}])
def test_a_key_without_certificate_is_told(client: Issued, absent: dict[str, Any]) -> None:
    half = {"name": "client", "private_key": client.private_key, **absent}
    assert codes([{"name": REGISTRY, "client_pairs": [half]}]) == [("certificate-missing", f"{REGISTRY}/client.key")]


def test_all_faults_of_all_registries_are_told_at_once() -> None:
    found = codes([{"name": ".."}, {"name": REGISTRY, "client_pairs": [{"name": ""}]}])
    assert [code for code, _place in found] == ["registry-name", "file-name", "certificate-missing"]


def test_keys_leave_the_data_and_are_named_by_their_certificate(ca: Issued, client: Issued, other: Issued) -> None:
    chain = {**pair(other, "20"), "certificate": other.certificate + ca.certificate}
    registries, _findings = from_data([{"name": REGISTRY, "client_pairs": [pair(client, "10"), chain]}])
    data, private_keys = without_private_keys(registries)
    assert "PRIVATE KEY" not in str(data)
    assert data[0]["client_pairs"] == [
        {"name": "10", "certificate": client.certificate},
        {"name": "20", "certificate": other.certificate + ca.certificate},
    ]
    assert private_keys == {
        fingerprint(client.der): client.private_key,
        fingerprint(other.der): other.private_key,
    }


def test_a_private_key_is_not_in_the_representation(client: Issued) -> None:
    registries, _findings = from_data([{"name": REGISTRY, "client_pairs": [pair(client)]}])
    assert "PRIVATE KEY" not in repr(registries)


def test_a_key_where_a_name_belongs_is_not_told(client: Issued) -> None:
    swapped = {"name": client.private_key, "certificate": client.certificate, "private_key": "10-node"}
    _registries, findings = from_data([{"name": REGISTRY, "client_pairs": [swapped]}])
    told = "".join(finding.sentence() for finding in findings)
    assert "a private key where a name belongs" in told
    assert not any(line in told for line in client.private_key.splitlines() if line)


def test_a_directory_of_the_tree_that_can_not_be_listed_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may list any directory, so that the refusal itself has to be made."""
    (tmp_path / REGISTRY / "all").mkdir(parents=True)

    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    registries, findings = read_tree(str(tmp_path), Place("node1", []), read_text=str)
    assert registries == ()
    assert [(finding.code, finding.place, finding.detail) for finding in findings] == [
        ("unreadable", str(tmp_path), "Permission denied")
    ]
