# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the matrix, against a real TLS server whose log is the oracle."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._matrix import found_registries, measure
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue, issue_client
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import ScriptedRegistry, scripted_registry


def lay(root: Path, name: str, ca: Issued, **pairs: Issued) -> Path:
    """A host directory with these pairs."""
    home = root / name
    home.mkdir()
    (home / "ca.crt").write_text(ca.certificate)
    for stem, pair in pairs.items():
        (home / f"{stem}.cert").write_text(pair.certificate)
        (home / f"{stem}.key").write_text(pair.private_key)
    return home


def matrix(root: Path, registry: ScriptedRegistry) -> dict[str, Any]:
    return measure(str(root), registry.name, request="/v2/", timeout=5, now=NOW)


def test_each_pair_is_asked_with_once_in_file_name_order_on_a_connection_of_its_own(
    tmp_path: Path, ca: Issued, client: Issued, other: Issued
) -> None:
    script = {fingerprint(client.der): 403, fingerprint(other.der): 200}
    expired = issue("expired", signer=ca, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=2))
    with scripted_registry(script, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client, a_b=other, A=expired, b=client)
        found = matrix(tmp_path, registry)
        assert registry.answers() == [
            (None, "refused"),
            (fingerprint(client.der), 403),
            (fingerprint(other.der), 200),
            (fingerprint(client.der), 403),
        ]
        assert len(set(registry.peers)) == 4
    assert [(row["pair"], row["status"]) for row in found["requests"]] == [
        ("A", None),
        ("a", 403),
        ("a_b", 200),
        ("b", 403),
    ]
    assert [row["fingerprint"] for row in found["requests"]][1:3] == [fingerprint(client.der), fingerprint(other.der)]
    assert set(found["requests"][0]) == {"pair", "fingerprint", "status", "error", "seconds"}


def test_the_public_facts_of_each_pair_come_with_it(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 200}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client)
        found = matrix(tmp_path, registry)
    (facts,) = found["client_pairs"]
    assert facts["name"] == "a"
    assert facts["subject"] == "CN=client"
    assert facts["issuer"] == "CN=Test CA"
    assert facts["days_left"] == 60
    assert "PRIVATE" not in str(found)


def test_without_pairs_one_request_goes_out_without_a_certificate(tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: 403}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca)
        found = matrix(tmp_path, registry)
        assert registry.answers() == [(None, 403)]
    assert [(row["pair"], row["fingerprint"], row["status"]) for row in found["requests"]] == [(None, None, 403)]


def test_without_a_host_directory_the_systems_roots_judge_the_server(tmp_path: Path, ca: Issued) -> None:
    with scripted_registry({None: 200}, ca=ca) as registry:
        found = matrix(tmp_path, registry)
        assert registry.answers() == [(None, "refused")]
    assert "certificate is not accepted" in found["requests"][0]["error"]
    assert found["findings"] == []


def test_a_fault_behind_a_sound_pair_means_no_request(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({}, ca=ca) as registry:
        home = lay(tmp_path, registry.name, ca, a=client, b=client)
        (home / "b.key").unlink()
        found = matrix(tmp_path, registry)
        assert registry.peers == []
    assert found["requests"] == []
    assert [finding["code"] for finding in found["findings"]] == ["key-missing"]
    assert str(home / "b.cert") in found["findings"][0]["message"]


def test_a_pair_under_two_names_is_asked_with_twice(tmp_path: Path, ca: Issued, client: Issued) -> None:
    with scripted_registry({fingerprint(client.der): 403}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=client, b=client)
        matrix(tmp_path, registry)
        assert len(registry.answers()) == 2


def test_a_pair_of_rsa_with_1024_bits_is_asked_with(tmp_path: Path, ca: Issued) -> None:
    """OpenSSL refuses to load it at its own level; whether it gets in is the registry's word."""
    weak = issue_client(signer=ca, key_type="rsa1024")
    with scripted_registry({}, ca=ca) as registry:
        lay(tmp_path, registry.name, ca, a=weak)
        found = matrix(tmp_path, registry)
        assert len(registry.answers()) == 1
    assert found["findings"] == []


@pytest.mark.parametrize("name", ["", "..", "/", "a/b", "registry.lab:0", "registry.lab:70000", "a b", "registry"])
def test_under_a_name_that_is_none_nothing_is_read_or_asked(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / "root", tmp_path / "root" / "a b", tmp_path / "root" / "a" / "b"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "orphan.key").touch()
    found = measure(str(tmp_path / "root"), name, request="/v2/", timeout=1, now=NOW)
    assert [finding["code"] for finding in found["findings"]] == ["registry-name"]
    assert found["requests"] == []


def test_directories_that_no_image_name_can_name_are_passed_over(tmp_path: Path) -> None:
    for name in ("registry.lab:5000", "registry.lab:5000.bak", "_default", "localhost"):
        (tmp_path / name).mkdir()
    names, passed_over = found_registries(str(tmp_path))
    assert names == ["localhost", "registry.lab:5000"]
    assert [finding.place for finding in passed_over] == ["_default", "registry.lab:5000.bak"]
