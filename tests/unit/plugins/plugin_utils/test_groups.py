# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of group precedence, against Ansible's own inventory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.fleet.certs_d.plugins.plugin_utils._groups import groups_by_precedence

INVENTORY = """
[low]
node1
[zz]
node1
[first]
node1
[first:vars]
ansible_group_priority=10
level=first
[aa]
node1
[parent:children]
low
[low:vars]
level=low
"""


def task_vars(inventory_file: Path, text: str, host: str) -> dict[str, Any]:
    """What Ansible hands to a lookup and an action."""
    inventory_file.write_text(text)
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(inventory_file)])
    manager = VariableManager(loader=loader, inventory=inventory)
    HostVars(inventory, manager, loader)
    found: dict[str, Any] = manager.get_vars(host=inventory.get_host(host))
    return found


def test_depth_then_priority_then_name_decide(tmp_path: Path) -> None:
    variables = task_vars(tmp_path / "inventory.ini", INVENTORY, "node1")
    assert groups_by_precedence(variables) == ["aa", "parent", "zz", "first", "low"]


def test_the_last_group_is_the_one_whose_variables_win(tmp_path: Path) -> None:
    variables = task_vars(tmp_path / "inventory.ini", INVENTORY, "node1")
    assert variables["level"] == groups_by_precedence(variables)[-1]


def test_a_host_without_groups_is_ungrouped(tmp_path: Path) -> None:
    assert groups_by_precedence(task_vars(tmp_path / "inventory.ini", "node1\n", "node1")) == ["ungrouped"]


def test_without_the_inventory_the_names_order_decides() -> None:
    assert groups_by_precedence({"inventory_hostname": "node1", "group_names": ["aa", "zz"]}) == ["aa", "zz"]
