# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the layout of one host, through Ansible's own loader and Vault."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.plugin_utils import _check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import CryptographyMissing
from ansible_collections.fleet.certs_d.plugins.plugin_utils._host_layout import Terms, judge, read_host_layout
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import LayoutError, Registry, from_data
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, Issued, issue_ca

REGISTRY = "registry.example:5000"
CA = issue_ca().certificate
SECRETS = [("default", VaultSecret(b"password"))]


def lay(root: Path, client: Issued, *, key: bytes | None = None) -> Path:
    """A tree with one pair for all."""
    level = root / REGISTRY / "all"
    level.mkdir(parents=True)
    (level / "client.cert").write_text(client.certificate)
    (level / "client.key").write_bytes(key or client.private_key.encode())
    return level


def read(pki: str, base: Path, *, secrets: list[Any] | None = None, **task_vars: Any) -> tuple[Registry, ...]:
    loader = DataLoader()
    loader.set_basedir(str(base))
    loader.set_vault_secrets(secrets or [])
    task_vars = {"inventory_hostname": "node1", **task_vars}
    return read_host_layout(pki=pki, task_vars=task_vars, loader=loader, terms=Terms(NOW)).registries


def test_an_absolute_path_is_taken(tmp_path: Path, client: Issued) -> None:
    lay(tmp_path / "pki", client)
    assert read(str(tmp_path / "pki"), Path("/"))[0].client_pairs[0].private_key == client.private_key


@pytest.mark.parametrize("place", ["pki", "files/pki"])
@pytest.mark.parametrize("pki", ["pki", "pki/"])
def test_a_relative_path_is_found_beside_the_playbook_and_in_files(
    tmp_path: Path, client: Issued, place: str, pki: str
) -> None:
    lay(tmp_path / place, client)
    assert [registry.name for registry in read(pki, tmp_path)] == [REGISTRY]


def test_a_relative_path_is_searched_where_the_task_searches(tmp_path: Path, client: Issued) -> None:
    lay(tmp_path / "role" / "files" / "pki", client)
    assert read("pki", tmp_path, ansible_search_path=[str(tmp_path / "role")], role_path=str(tmp_path / "role"))


@pytest.mark.parametrize("pki", ["pki/", "/nowhere/pki"])
def test_a_missing_tree_is_told_as_it_was_given(tmp_path: Path, pki: str) -> None:
    with pytest.raises(LayoutError, match="there is no such PKI tree") as caught:
        read(pki, tmp_path)
    assert f"  - {pki}: " in str(caught.value)


def test_a_vault_encrypted_key_is_decrypted_in_memory(tmp_path: Path, client: Issued) -> None:
    encrypted = VaultLib(SECRETS).encrypt(client.private_key)
    level = lay(tmp_path / "pki", client, key=encrypted)
    assert read("pki", tmp_path, secrets=SECRETS)[0].client_pairs[0].private_key == client.private_key
    assert (level / "client.key").read_bytes() == encrypted


@pytest.mark.parametrize("secrets", [[], [("default", VaultSecret(b"wrong"))]], ids=["none", "wrong"])
def test_a_key_that_vault_cant_decrypt_is_told(tmp_path: Path, client: Issued, secrets: list[Any]) -> None:
    level = lay(tmp_path / "pki", client, key=VaultLib(SECRETS).encrypt(client.private_key))
    with pytest.raises(LayoutError) as caught:
        read("pki", tmp_path, secrets=secrets)
    assert str(caught.value).split("\n")[1:] == [
        f"  - {level}/client.key: Ansible Vault can't decrypt it: give its password, for example with --vault-id"
    ]


def test_the_reason_of_the_system_is_told(tmp_path: Path, client: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "pki", client)

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(LayoutError, match=r"client\.key: the file can't be read \(Permission denied\)"):
        read("pki", tmp_path)


def test_a_der_file_is_a_finding_without_complaints_of_the_loader(
    tmp_path: Path, client: Issued, capfd: pytest.CaptureFixture[str]
) -> None:
    level = lay(tmp_path / "pki", client)
    (level / "client.cert").write_bytes(client.der)
    with pytest.raises(LayoutError, match=r"client\.cert: this is no certificate in PEM form"):
        read("pki", tmp_path)
    assert capfd.readouterr() == ("", "")


def test_comments_beside_the_pem_stay_as_they_are(tmp_path: Path, client: Issued) -> None:
    level = lay(tmp_path / "pki", client)
    (level / "client.cert").write_text(f"# für Ünïcode\n{client.certificate}", encoding="utf-8")
    assert read("pki", tmp_path)[0].client_pairs[0].certificate.startswith("# für Ünïcode\n")


def test_all_faults_are_told_in_one_error_that_names_the_host(client: Issued, other: Issued) -> None:
    entries = [
        {"name": "registry.example:0", "client_pairs": [{"name": "a", "certificate": "junk"}]},
        {
            "name": REGISTRY,
            "client_pairs": [{"name": "b", "certificate": client.certificate, "private_key": other.private_key}],
        },
    ]
    with pytest.raises(LayoutError) as caught:
        judge(*from_data(entries), Terms(NOW), "node1")
    heading, *lines = str(caught.value).split("\n")
    assert heading == "node1: 3 faults in its registry certificates:"
    assert [line.split(": ")[0] for line in lines] == [
        "  - registry.example:0",
        "  - registry.example:0/a.cert",
        f"  - {REGISTRY}/b.key",
    ]


def test_warnings_alone_let_the_layout_pass_and_are_told() -> None:
    registries, _findings = from_data([{"name": REGISTRY}])
    finding = Finding("unmanaged", "README")
    assert judge(registries, [finding], Terms(NOW), "node1") == (registries, (f"node1: {finding.sentence()}",))


def test_a_warning_that_is_accepted_is_not_told() -> None:
    assert judge((), [Finding("unmanaged", "README")], Terms(NOW, accept=["unmanaged"]), "node1").warnings == ()


def test_an_error_that_is_accepted_lets_the_layout_pass() -> None:
    late = Terms(NOW + timedelta(days=61), accept=["expired"])
    registries, _findings = from_data([{"name": REGISTRY, "ca_certificates": [{"name": "ca", "content": CA}]}])
    assert judge(registries, [], late, "node1").registries == registries
    with pytest.raises(LayoutError, match="has expired"):
        judge(registries, [], late._replace(accept=[]), "node1")


@pytest.mark.parametrize("engines", [["docker"], ["docker", "containerd"], ["containers"]])
def test_only_containerd_gets_a_default_directory(engines: list[str]) -> None:
    registries, findings = from_data([{"name": "_default"}])
    with pytest.raises(LayoutError, match="only containerd reads it"):
        judge(registries, findings, Terms(NOW, engines=engines), "node1")
    assert judge(registries, findings, Terms(NOW, engines=["containerd"]), "node1").registries == registries


@pytest.mark.parametrize(
    ("engines", "fallback", "told"),
    [
        (["docker"], False, "docker"),
        (["containers", "containerd"], False, "containers, containerd"),
        (["docker", "containers", "containerd"], True, "containers"),
        (["docker", "containerd"], True, ""),
        ([], False, ""),
    ],
)
def test_a_pair_that_is_never_presented_is_told_for_the_engines_that_never_do(
    client: Issued, other: Issued, engines: list[str], fallback: bool, told: str
) -> None:
    pairs = [
        {"name": name, "certificate": pair.certificate, "private_key": pair.private_key}
        for name, pair in (("10", client), ("20", other))
    ]
    registries, _findings = from_data([{"name": REGISTRY, "client_pairs": pairs}])
    warnings = judge(registries, [], Terms(NOW, engines=engines, fallback=fallback), "node1").warnings
    assert [warning.split("(")[1].split(":")[0] for warning in warnings] == ([told] if told else [])


def test_a_missing_library_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise CryptographyMissing("Failed to import the required Python library (cryptography)")

    monkeypatch.setattr(_check, "require_cryptography", missing)
    with pytest.raises(LayoutError, match="required Python library"):
        judge((), [], Terms(NOW), "node1")
