# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts on few nodes: each name of the inventory has host directories of its own on the node that it shares."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.tests.bench.fleet import CERTS_D
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_client

_PAIR = "10-node"
# Docker reads no certs.d for a registry on loopback.
_ENGINE = "containers"


def names(number: int) -> list[str]:
    """The names of so many hosts."""
    return [f"host{each:03}" for each in range(1, number + 1)]


def issue(hosts: Sequence[str], ca: Issued) -> dict[str, Issued]:
    """A client pair for each host."""
    return {host: issue_client(host, signer=ca) for host in hosts}


def admitted(pairs: Mapping[str, Issued]) -> dict[str | None, int]:
    """What the registry answers: it lets in these and nobody else."""
    return {None: 403, **{fingerprint(pair.der): 200 for pair in pairs.values()}}


def lay_pki(tree: Path, registry: str, ca: Issued, pairs: Mapping[str, Issued]) -> None:
    """A PKI tree: the CA root for all, a pair for each host."""
    _write(tree / registry / "all" / "ca.crt", ca.certificate)
    for host, pair in pairs.items():
        _write(tree / registry / "hosts" / host / f"{_PAIR}.cert", pair.certificate)
        _write(tree / registry / "hosts" / host / f"{_PAIR}.key", pair.private_key)


def inventory(hosts: Sequence[str], nodes: Sequence[Mapping[str, object]], pki: Path) -> str:
    """The inventory of these hosts alone, as YAML that is JSON, dealt out to nodes whose variables are given."""
    dealt = {
        host: {**nodes[number % len(nodes)], "node_path": f"{CERTS_D}/{host}"} for number, host in enumerate(hosts)
    }
    return json.dumps({"nodes": {"vars": {"node_pki": str(pki), "node_engines": [_ENGINE]}, "hosts": dealt}})


def _write(file: Path, content: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
