# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is wanted: made of the layout's data, and judged by the node's own means."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, node_faults, read_wanted
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue


def registry(name: str = "registry.lab:5000", *, roots: Any = None, pairs: Any = None) -> dict[str, Any]:
    """The layout's data; the module leaves out what a task leaves out."""
    return {"name": name, "ca_certificates": roots, "client_pairs": pairs}


def wanted_pair(issued: Issued, *, key: str, name: str = "10") -> list[WantedDirectory]:
    pairs = [{"name": name, "certificate": issued.certificate}]
    wanted, findings = read_wanted([registry(pairs=pairs)], {fingerprint(issued.der): key})
    assert findings == []
    return wanted


def test_files_stand_in_the_order_of_the_bytes_of_their_names(ca: Issued, client: Issued) -> None:
    pairs = [{"name": name, "certificate": client.certificate} for name in ("client", "9", "10", "client-b", "B")]
    roots = [{"name": "ca", "content": ca.certificate}]
    keys = {fingerprint(client.der): client.private_key}
    (wanted,), findings = read_wanted([registry(roots=roots, pairs=pairs)], keys)
    assert findings == []
    assert [pair.name for pair in wanted.client_pairs] == ["10", "9", "B", "client-b", "client"]
    names = [file.name for file in wanted.files]
    assert names == sorted(names, key=str.encode)
    assert {file.name.rpartition(".")[2]: file.mode for file in wanted.files} == {
        "crt": 0o644,
        "cert": 0o644,
        "key": 0o600,
    }


def test_pem_is_written_in_normal_form(client: Issued) -> None:
    pairs = [{"name": "10", "certificate": client.certificate.replace("\n", "\\n").strip()}]
    keys = {fingerprint(client.der): client.private_key.replace("\n", "\r\n")}
    (wanted,), _findings = read_wanted([registry(pairs=pairs)], keys)
    assert {file.name: file.content.decode() for file in wanted.files} == {
        "10.cert": client.certificate,
        "10.key": client.private_key,
    }


def test_all_that_is_wrong_is_told_at_once(client: Issued) -> None:
    bad = registry(
        "..",
        roots=[{"name": ".ca", "content": "junk"}],
        pairs=[{"name": "10", "certificate": client.certificate}],
    )
    _wanted, findings = read_wanted([bad, registry(), registry()], {})
    assert {(finding.code, finding.place) for finding in findings} == {
        ("registry-name", ".."),
        ("certificate-junk", "../.ca.crt"),
        ("file-name", "../.ca.crt"),
        ("key-missing", "../10.cert"),
        ("duplicate-registry", "registry.lab:5000"),
    }


def test_a_sound_pair_has_no_fault_on_the_node(client: Issued) -> None:
    assert node_faults(wanted_pair(client, key=client.private_key), NOW) == []


@pytest.mark.parametrize(
    ("key", "code"),
    [("other", "key-mismatch"), ("junk", "key-junk"), ("encrypted", "key-encrypted")],
)
def test_the_node_tries_each_key_with_its_certificate(client: Issued, other: Issued, key: str, code: str) -> None:
    content = {"other": other.private_key, "junk": "junk", "encrypted": client.encrypted_key}[key]
    (finding,) = node_faults(wanted_pair(client, key=content), NOW)
    assert (finding.code, finding.place) == (code, "registry.lab:5000/10.key")


@pytest.mark.parametrize(("days", "code"), [(-2, "not-yet-valid"), (61, "expired")])
def test_the_node_holds_its_own_clock_against_the_dates(client: Issued, days: int, code: str) -> None:
    clock = NOW + timedelta(days=days)
    (finding,) = node_faults(wanted_pair(client, key=client.private_key), clock)
    assert (finding.code, finding.place) == (code, "registry.lab:5000/10.cert")
    assert f"the node's clock says {clock:%Y-%m-%dT%H:%M:%SZ}" in finding.detail


def test_the_dates_of_ca_roots_count_too() -> None:
    old = issue(ca=True, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=3))
    wanted, _findings = read_wanted([registry(roots=[{"name": "ca", "content": old.certificate}])], {})
    assert [(finding.code, finding.place) for finding in node_faults(wanted, NOW)] == [
        ("expired", "registry.lab:5000/ca.crt")
    ]


def test_results_tell_facts_and_no_key(ca: Issued, client: Issued) -> None:
    roots = [{"name": "ca", "content": ca.certificate}]
    pairs = [{"name": "10", "certificate": client.certificate}]
    (wanted,), _findings = read_wanted(
        [registry(roots=roots, pairs=pairs)], {fingerprint(client.der): client.private_key}
    )
    data = wanted.as_data(NOW)
    assert [(root["name"], root["subject"]) for root in data["ca_certificates"]] == [("ca", "CN=Test CA")]
    assert [(pair["name"], pair["issuer"], pair["days_left"]) for pair in data["client_pairs"]] == [
        ("10", "CN=Test CA", 60)
    ]
    assert "PRIVATE" not in str(data)
