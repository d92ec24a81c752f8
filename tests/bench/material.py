# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is laid: PKI trees made by the collection itself, and the same files as trees and archives of each node.

Each size has two variants that differ in one pair of one registry, so that a run can find one pair changed.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tarfile
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.cases import PAIRS, registry_names
from ansible_collections.fleet.certs_d.tests.bench.fleet import INVENTORY, Fleet

_HOME = INVENTORY / ".lab" / "material"
VARIANTS = ("before", "after")


class Material:
    """The files of one size in one variant."""

    def __init__(self, registries: int, variant: str) -> None:
        self.home = _HOME / str(registries) / variant
        self._registries = registries

    @property
    def pki(self) -> Path:
        """The PKI tree, of all nodes."""
        return self.home / "pki"

    @property
    def variables(self) -> Path:
        """What the playbooks need to know."""
        return self.home / "variables.json"

    def tree(self, node: str) -> Path:
        """What a node's certs.d is to hold."""
        return self.home / "trees" / node

    def order(self, nodes: list[str]) -> dict[str, object]:
        """The arguments of fleet.certs_d.pki; both variants have one authority."""
        entries = [{"name": name, "hosts": nodes, "pairs": list(PAIRS)} for name in registry_names(self._registries)]
        return {"path": str(self.pki), "authority": str(self.home.parent / "authority"), "registries": entries}

    def lay_out(self, nodes: list[str]) -> None:
        """Make trees and archives of the PKI tree."""
        for node in nodes:
            self._lay_out_node(node)
        files = [
            {"path": str(path.relative_to(self.tree(nodes[0]))), "mode": f"{stat.S_IMODE(path.stat().st_mode):04o}"}
            for path in sorted(self.tree(nodes[0]).rglob("*"))
            if path.is_file()
        ]
        variables = {
            "bench_material": str(self.home),
            "bench_registries": registry_names(self._registries),
            "bench_files": files,
        }
        self.variables.write_text(json.dumps(variables), encoding="utf-8")

    def _lay_out_node(self, node: str) -> None:
        for name in registry_names(self._registries):
            directory = self.tree(node) / name
            directory.mkdir(parents=True)
            for level in (self.pki / name / "all", self.pki / name / "hosts" / node):
                for file in level.iterdir():
                    # No second copy of a key: it is the same file.
                    os.link(file, directory / file.name)
        archive = self.home / "archives" / f"{node}.tar"
        archive.parent.mkdir(exist_ok=True)
        with tarfile.open(archive, "w") as packed:
            for name in registry_names(self._registries):
                packed.add(self.tree(node) / name, arcname=name)


def make(needed: Mapping[int, int], fleet: Fleet) -> None:
    """Make what each number of registries needs for its number of nodes; PKI trees that are good stay."""
    before = {size: Material(size, VARIANTS[0]) for size in needed}
    after = {size: Material(size, VARIANTS[1]) for size in needed}
    nodes = {size: fleet.nodes(number) for size, number in needed.items()}
    _order(fleet, [material.order(nodes[size]) for size, material in before.items()])
    for size, material in after.items():
        shutil.rmtree(material.home, ignore_errors=True)
        shutil.copytree(before[size].pki, material.pki)
        for node in nodes[size]:
            for half in (".cert", ".key"):
                (material.pki / registry_names(size)[0] / "hosts" / node / (PAIRS[0] + half)).unlink()
    _order(fleet, [material.order(nodes[size]) for size, material in after.items()])
    for size in needed:
        for material in (before[size], after[size]):
            for made in ("trees", "archives"):
                shutil.rmtree(material.home / made, ignore_errors=True)
            material.lay_out(nodes[size])


def _order(fleet: Fleet, trees: list[dict[str, object]]) -> None:
    fleet.run_here(fleet.playbook("material", nodes=0, variables=json.dumps({"bench_trees": trees})))
