# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks alone, and inventories that are not as they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.running import PROJECT, Ansible, run, tool

REGISTRY = PROJECT / "playbooks" / "registry.yml"
SITE = PROJECT / "playbooks" / "site.yml"


def test_the_registry_alone_can_be_deployed(playbook: Ansible) -> None:
    done = playbook(REGISTRY)
    assert done.status == 0, done.output


def test_a_registry_that_fails_alone_fails_the_run(playbook: Ansible) -> None:
    done = playbook(REGISTRY, "-e", "registry_client_ca=/nowhere/ca.crt")
    assert done.status != 0
    assert "/nowhere/ca.crt" in done.output


def test_an_inventory_without_nodes_and_registries_is_told(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("servers: {hosts: {a: {ansible_connection: local}}}\n")
    done = run(tool("ansible-playbook"), SITE, "-i", tmp_path / "hosts.yml")
    assert done.status != 0
    assert "put the container hosts into 'nodes'" in " ".join(done.output.split())


@pytest.mark.parametrize("fault", ["ansible_connection: nosuch", "ansible_host: '{{ nosuch }}'"])
def test_a_first_host_that_can_not_even_be_tried_is_a_row(playbook: Ansible, tmp_path: Path, fault: str) -> None:
    (tmp_path / "odd.yml").write_text(f"nodes: {{hosts: {{node1: {{{fault}}}}}}}\n")
    done = playbook(SITE, "-i", tmp_path / "odd.yml", "--limit", "nodes")
    assert done.status != 0
    rows = done.rows()
    assert rows["node1"][-1] == "failed"
    assert [rows[host][-1] for host in ("node2", "node3")] == ["verified", "verified"]


def test_a_strategy_of_ones_own_shows_one_table_all_the_same(playbook: Ansible) -> None:
    done = playbook(SITE, ANSIBLE_STRATEGY="free")
    assert done.status == 0, done.output
    assert done.output.count("\nHOST ") == 1


def test_a_tree_that_holds_nothing_for_a_host_is_told(playbook: Ansible, tmp_path: Path) -> None:
    (tmp_path / "registry.lab:5000" / "hosts" / "nod1").mkdir(parents=True)
    (tmp_path / "registry.lab:5000" / "hosts" / "nod1" / "ca.crt").write_text("not read for node1")
    done = playbook(SITE, "--limit", "node1", "--tags", "layout", "-e", f"node_pki={tmp_path}")
    told = " ".join(done.output.split())
    assert "node1: " in told
    assert "the PKI tree holds nothing for this host (node1)" in told
    assert "hosts/nod1: the inventory has no host or group of this name" in told
