# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the lookup, through Ansible's own loader and in a playbook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import lookup_loader

from ansible_collections.fleet.certs_d.tests.unit.material import Issued
from ansible_collections.fleet.certs_d.tests.unit.programs import program

REGISTRY = "registry.example:5000"
PLAYBOOK = """
- name: Show the layout
  hosts: all
  gather_facts: false
  tasks:
    - name: Show the layout
      ansible.builtin.copy:
        dest: "{{ out }}/{{ inventory_hostname }}"
        content: "{{ query('fleet.certs_d.host_layout', pki='pki/') | to_json }}"
        mode: "0600"
"""
INVENTORY = """
[early]
node1
node2
[late]
node1
node2
[early:vars]
ansible_group_priority={priority}
[all:vars]
ansible_connection=local
ansible_python_interpreter={python}
"""


def lay(root: Path, level: str, name: str, issued: Issued, *, key: bytes | None = None) -> None:
    folder = root / REGISTRY / level
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.cert").write_text(issued.certificate)
    (folder / f"{name}.key").write_bytes(key or issued.private_key.encode())


def look_up(*terms: str, **options: Any) -> Any:
    lookup = lookup_loader.get("fleet.certs_d.host_layout", loader=DataLoader())
    return lookup.run(list(terms), {"inventory_hostname": "node1", "group_names": ["ungrouped"]}, **options)


def test_it_returns_the_registries_as_plain_data(tmp_path: Path, ca: Issued, client: Issued) -> None:
    lay(tmp_path, "all", "10-node", client)
    (tmp_path / REGISTRY / "all" / "corporate.crt").write_text(ca.certificate)
    assert look_up(pki=str(tmp_path)) == [
        {
            "name": REGISTRY,
            "ca_certificates": [{"name": "corporate", "content": ca.certificate}],
            "client_pairs": [{"name": "10-node", "certificate": client.certificate, "private_key": client.private_key}],
        }
    ]


def test_an_empty_tree_is_no_registry(tmp_path: Path) -> None:
    assert look_up(pki=str(tmp_path)) == []


def test_all_faults_are_one_lookup_error(tmp_path: Path, client: Issued, other: Issued) -> None:
    lay(tmp_path, "all", "10", client, key=other.private_key.encode())
    lay(tmp_path, "hosts/node1", "20", client, key=b"junk")
    with pytest.raises(AnsibleLookupError) as caught:
        look_up(pki=str(tmp_path))
    assert "node1: 2 faults" in str(caught.value)
    assert "all/10.key: the key belongs to another certificate" in str(caught.value)
    assert "hosts/node1/20.key: this is no private key" in str(caught.value)
    assert "MIG" not in str(caught.value)


def test_a_term_is_refused_with_the_right_spelling(tmp_path: Path) -> None:
    with pytest.raises(AnsibleLookupError, match="pki='PATH'"):
        look_up(str(tmp_path), pki=str(tmp_path))


def play(folder: Path, *arguments: str, priority: int) -> subprocess.CompletedProcess[str]:
    """Run the playbook as a user does; the file that each host leaves in `out` is its layout."""
    (folder / "site.yml").write_text(PLAYBOOK)
    (folder / "inventory").write_text(INVENTORY.format(priority=priority, python=sys.executable))
    (folder / "out").mkdir(exist_ok=True)
    command = [program("ansible-playbook"), "-i", "inventory", "-e", f"out={folder}/out", "site.yml"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def pairs(folder: Path, host: str) -> list[str]:
    (registry,) = json.loads((folder / "out" / host).read_text())
    return [pair["certificate"] for pair in registry["client_pairs"]]


def test_in_a_playbook_it_decrypts_vault_and_follows_group_priority(
    tmp_path: Path, client: Issued, other: Issued
) -> None:
    encrypted = VaultLib([("default", VaultSecret(b"password"))]).encrypt(client.private_key)
    lay(tmp_path / "pki", "groups/early", "10", client, key=encrypted)
    lay(tmp_path / "pki", "groups/late", "10", other)
    lay(tmp_path / "pki", "hosts/node2", "20", other)
    (tmp_path / "password").write_text("password")

    for priority, winner in ((1, other), (10, client)):
        run = play(tmp_path, "--vault-password-file", "password", "-vvv", priority=priority)
        assert run.returncode == 0, run.stdout + run.stderr
        assert pairs(tmp_path, "node1") == [winner.certificate]
        assert pairs(tmp_path, "node2") == [winner.certificate, other.certificate]


def test_in_a_playbook_a_missing_vault_password_is_told_for_each_host(tmp_path: Path, client: Issued) -> None:
    encrypted = VaultLib([("default", VaultSecret(b"password"))]).encrypt(client.private_key)
    lay(tmp_path / "pki", "all", "10", client, key=encrypted)
    run = play(tmp_path, priority=1)
    assert run.returncode == 2
    assert (run.stdout + run.stderr).count("Ansible Vault can't decrypt it") >= 2
    assert list((tmp_path / "out").iterdir()) == []
