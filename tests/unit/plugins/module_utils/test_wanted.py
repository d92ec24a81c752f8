# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is wanted: made of the layout's data, and judged by the node's own means."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import read_regular_file
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import File, HostDirectory
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import (
    Keys,
    WantedDirectory,
    node_faults,
    read_wanted,
    with_installed_keys,
)
from ansible_collections.fleet.certs_d.tests.unit.laid import huge
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue


def registry(name: str = "registry.lab:5000", *, roots: Any = None, pairs: Any = None) -> dict[str, Any]:
    """The layout's data as the module has it."""
    return {"name": name, "state": "present", "ca_certificates": roots, "client_pairs": pairs}


def pair(name: str, certificate: str, *, path: str | None = None) -> dict[str, Any]:
    return {"name": name, "certificate": certificate, "private_key_path": path}


def given(keys: dict[str, str]) -> Keys:
    """Keys that travel, on a node that has no files."""
    return Keys(keys, lambda path: None)


def wanted_pair(issued: Issued, *, key: str, name: str = "10") -> list[WantedDirectory]:
    pairs = [pair(name, issued.certificate)]
    wanted, findings = read_wanted([registry(pairs=pairs)], given({fingerprint(issued.der): key}))
    assert findings == []
    return wanted


def test_files_stand_in_the_order_of_the_bytes_of_their_names(ca: Issued, client: Issued) -> None:
    pairs = [pair(name, client.certificate) for name in ("client", "9", "10", "client-b", "B")]
    roots = [{"name": "ca", "content": ca.certificate}]
    keys = given({fingerprint(client.der): client.private_key})
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
    pairs = [pair("10", client.certificate.replace("\n", "\\n").strip())]
    keys = given({fingerprint(client.der): client.private_key.replace("\n", "\r\n")})
    (wanted,), _findings = read_wanted([registry(pairs=pairs)], keys)
    assert {file.name: file.content.decode() for file in wanted.files} == {
        "10.cert": client.certificate,
        "10.key": client.private_key,
    }


def test_all_that_is_wrong_is_told_at_once(client: Issued) -> None:
    bad = registry(
        "..",
        roots=[{"name": ".ca", "content": "junk"}],
        pairs=[pair("10", client.certificate)],
    )
    _wanted, findings = read_wanted([bad, registry(), registry()], given({}))
    assert {(finding.code, finding.place) for finding in findings} == {
        ("registry-name", ".."),
        ("certificate-junk", "../.ca.crt"),
        ("file-name", "../.ca.crt"),
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
    wanted, _findings = read_wanted([registry(roots=[{"name": "ca", "content": old.certificate}])], given({}))
    assert [(finding.code, finding.place) for finding in node_faults(wanted, NOW)] == [
        ("expired", "registry.lab:5000/ca.crt")
    ]


def test_results_tell_facts_and_no_key(ca: Issued, client: Issued) -> None:
    roots = [{"name": "ca", "content": ca.certificate}]
    pairs = [pair("10", client.certificate)]
    keys = given({fingerprint(client.der): client.private_key})
    (wanted,), _findings = read_wanted([registry(roots=roots, pairs=pairs)], keys)
    data = wanted.as_data(NOW)
    assert [(root["name"], root["subject"]) for root in data["ca_certificates"]] == [("ca", "CN=Test CA")]
    assert [(pair["name"], pair["issuer"], pair["days_left"]) for pair in data["client_pairs"]] == [
        ("10", "CN=Test CA", 60)
    ]
    assert "PRIVATE" not in str(data)


def test_a_key_of_the_node_is_read_from_its_path(client: Issued) -> None:
    keys = Keys({}, {"/node.key": client.private_key.encode()}.get)
    (wanted,), findings = read_wanted([registry(pairs=[pair("10", client.certificate, path="/node.key")])], keys)
    assert findings == []
    assert wanted.client_pairs[0].private_key == client.private_key


def test_a_path_without_a_key_is_told(client: Issued) -> None:
    pairs = [pair("10", client.certificate, path="/nowhere")]
    _wanted, (finding,) = read_wanted([registry(pairs=pairs)], given({}))
    assert (finding.code, finding.place) == ("not-a-file", "registry.lab:5000/10.key")
    assert "/nowhere on the node" in finding.detail


def test_a_path_that_can_not_be_read_is_told(client: Issued) -> None:
    def refuse(path: str) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    pairs = [pair("10", client.certificate, path="/secret")]
    _wanted, (finding,) = read_wanted([registry(pairs=pairs)], Keys({}, refuse))
    assert (finding.code, finding.detail) == ("unreadable", "/secret on the node: Permission denied")


def installed(key: str, name: str = "10.key") -> HostDirectory:
    return HostDirectory("/certs.d/registry.lab:5000", 0o755, 0, 0, (File(name, key.encode(), 0o600, 0, 0),))


def test_an_installed_key_stays_where_it_fits(client: Issued, other: Issued) -> None:
    (wanted,), findings = read_wanted([registry(pairs=[pair("10", client.certificate)])], given({}))
    assert findings == []
    found = [installed(other.private_key), installed(client.private_key)]
    complete, findings = with_installed_keys(wanted, found)
    assert findings == []
    assert complete.client_pairs[0].private_key == client.private_key


@pytest.mark.parametrize("name", ["10.key", "20.key"])
def test_without_a_key_that_fits_the_pair_is_refused(client: Issued, other: Issued, name: str) -> None:
    (wanted,), _findings = read_wanted([registry(pairs=[pair("10", client.certificate)])], given({}))
    key = other.private_key if name == "10.key" else client.private_key
    _complete, (finding,) = with_installed_keys(wanted, [installed(key, name)])
    assert (finding.code, finding.place) == ("key-missing", "registry.lab:5000/10.cert")


def test_a_key_file_of_any_size_is_told_and_not_read(client: Issued, tmp_path: Path) -> None:
    huge(tmp_path / "x.key")
    pairs = [pair("10", client.certificate, path=str(tmp_path / "x.key"))]
    _wanted, (finding,) = read_wanted([registry(pairs=pairs)], Keys({}, read_regular_file))
    assert (finding.code, finding.place) == ("too-large", "registry.lab:5000/10.key")
