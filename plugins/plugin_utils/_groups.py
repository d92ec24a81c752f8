# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of a host in Ansible's own precedence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.inventory.helpers import sort_groups


def groups_by_precedence(task_vars: Mapping[str, Any]) -> list[str]:
    """The host's groups without `all`, the one that wins last: by depth, `ansible_group_priority` and name.

    Plugins are given `group_names` only, which is sorted by name. Depth and priority are known to the inventory
    alone, and the one way to it from a lookup and an action alike is the private `_inventory` of `hostvars`.
    Should that go away, the names' order decides: not Ansible's precedence, but the same in each run.
    """
    inventory = getattr(task_vars.get("hostvars"), "_inventory", None)
    host = inventory.get_host(task_vars["inventory_hostname"]) if inventory else None
    if host is None:
        return [str(name) for name in task_vars.get("group_names", ())]
    return [str(group.name) for group in sort_groups(host.get_groups()) if group.name != "all"]
