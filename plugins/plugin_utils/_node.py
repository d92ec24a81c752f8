# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module of this collection on a node."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


def run_on_node(
    action: ActionBase, module: str, arguments: dict[str, Any], task_vars: dict[str, Any]
) -> dict[str, Any]:
    """What the module returns; AnsibleActionFail in one sentence where the node can't run any."""
    if getattr(action._connection._shell, "_IS_WINDOWS", False):
        raise AnsibleActionFail("certs.d is laid on Linux hosts: take this Windows host out of the play")
    result: dict[str, Any] = action._execute_module(
        module_name=module,
        module_args=arguments,
        task_vars=task_vars,
    )
    return result
