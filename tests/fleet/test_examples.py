# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the documentation run as they stand."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, Ansible

PKI = INVENTORY / ".lab" / "pki"
OWN = PKI / "registry.lab:5000" / "hosts" / "node1"
KEY = "/etc/pki/tls/private/node.key"
# What the examples lay, beside what the lab has laid.
LAID = "/etc/containers /etc/containerd /etc/docker/certs.d/registry.example:5000 /etc/docker/certs.d/*/hosts.toml"


def examples(module: str) -> list[dict[str, Any]]:
    text = importlib.import_module(f"ansible_collections.fleet.certs_d.plugins.modules.{module}").EXAMPLES
    return list(yaml.safe_load(text))


@pytest.fixture
def surroundings(on: Callable[[str, str], str], tmp_path: Path) -> Iterator[Path]:
    """What the examples take for granted: a tree and a CA beside the playbook, a key and a user on the node."""
    shutil.copytree(PKI, tmp_path / "pki")
    shutil.copy(PKI / "registry.lab:5000" / "all" / "ca.crt", tmp_path / "corporate.pem")
    key = (OWN / "10-old.key").read_text()
    on("node1", f"install -d -m 0700 {Path(KEY).parent} && (umask 077 && echo '{key}' > {KEY})")
    on("node1", "id builder >/dev/null 2>&1 || useradd builder; install -d -o builder /home/builder")
    yield tmp_path
    on("node1", f"rm -rf {LAID} /etc/pki /home/builder")


@pytest.mark.parametrize("module", ["layout", "layout_info"])
def test_the_examples_of_a_module_run(playbook: Ansible, surroundings: Path, module: str) -> None:
    play = {
        "hosts": "node1",
        "gather_facts": False,
        "vars": {
            "node_certificate": (OWN / "10-old.cert").read_text(),
            "node_private_key": (OWN / "10-old.key").read_text(),
        },
        "tasks": examples(module),
    }
    (surroundings / "examples.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    done = playbook(surroundings / "examples.yml")
    assert done.status == 0, done.output
    assert f"ok={len(examples(module))} " in done.output
