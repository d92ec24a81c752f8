# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.pki in a playbook, on a host that nobody can reach."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.tests.unit.programs import program

PLAYBOOK = """
- name: Make the PKI
  hosts: all
  gather_facts: false
  tasks:
    - name: Make the PKI
      fleet.certs_d.pki:
        path: pki
        authority: authority
        registries:
          - name: registry.lab:5000
            hosts: "{{ groups.all }}"
            %s
      run_once: true
"""


def play(folder: Path, *arguments: str, extra: str = "pairs: [client]", fails: bool = False) -> dict[str, Any]:
    """The task's result, as the JSON callback tells it."""
    (folder / "site.yml").write_text(PLAYBOOK % extra)
    (folder / "inventory").write_text("node1 ansible_host=203.0.113.1\nnode2 ansible_host=203.0.113.1\n")
    environment = {**os.environ, "ANSIBLE_STDOUT_CALLBACK": "tree", "ANSIBLE_CALLBACKS_ENABLED": "tree"}
    command = [program("ansible-playbook"), "-i", "inventory", "site.yml", "-vvvv", *arguments]
    environment["ANSIBLE_CALLBACK_TREE_DIR"] = str(folder / "results")
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == (2 if fails else 0), run.stdout + run.stderr
    assert "PRIVATE KEY" not in run.stdout + run.stderr
    found: dict[str, Any] = json.loads((folder / "results" / "node1").read_text())
    return found


def test_it_fills_the_tree_beside_the_playbook_and_stays(tmp_path: Path) -> None:
    first = play(tmp_path, "--diff")
    assert first["changed"]
    assert "CN=node2,OU=client,O=registry.lab:5000" in first["diff"]["after"]
    assert (tmp_path / "pki" / "registry.lab:5000" / "hosts" / "node2" / "client.key").exists()
    second = play(tmp_path, "--diff")
    assert not second["changed"]
    assert [each["fingerprint"] for each in second["certificates"]] == [
        each["fingerprint"] for each in first["certificates"]
    ]


def test_check_mode_tells_the_change_and_writes_nothing(tmp_path: Path) -> None:
    assert play(tmp_path, "--check")["changed"]
    assert not (tmp_path / "pki").exists()
    assert not (tmp_path / "authority").exists()


def test_a_refused_name_fails_the_task_before_anything_is_written(tmp_path: Path) -> None:
    result = play(tmp_path, extra="pairs: [../up]", fails=True)
    assert "the pair ../up can't be the name of a file" in result["msg"]
    assert not (tmp_path / "pki").exists()


def test_an_unknown_option_is_refused(tmp_path: Path) -> None:
    assert "Unsupported parameters" in play(tmp_path, extra="pair: client", fails=True)["msg"]
