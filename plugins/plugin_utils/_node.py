# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module of this collection on a node."""

from __future__ import annotations

from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


def run_on_node(
    action: ActionBase, module: str, arguments: dict[str, Any], task_vars: dict[str, Any]
) -> dict[str, Any]:
    """What the module returns; AnsibleActionFail in one sentence where the node can't run any."""
    if getattr(action._connection._shell, "_IS_WINDOWS", False):
        raise AnsibleActionFail("certs.d is laid on Linux hosts: take this Windows host out of the play")
    if constants.config.get_config_value("DEFAULT_KEEP_REMOTE_FILES"):
        raise AnsibleActionFail("ANSIBLE_KEEP_REMOTE_FILES would leave private keys on the node: unset it")
    # Whatever the configuration says: without pipelining Ansible writes the arguments, keys included, into files.
    action._connection.always_pipeline_modules = _can_pipeline(action)
    result: dict[str, Any] = action._execute_module(
        module_name=module,
        module_args=arguments,
        task_vars=task_vars,
    )
    said = str(result.get("module_stderr", "")).strip()
    if result.get("failed") and said:
        result["msg"] = f"the node could not run the module ({said.splitlines()[-1]}): check become and the interpreter"
    return result


def _can_pipeline(action: ActionBase) -> bool:
    become = action._connection.become
    return bool(action._connection.has_pipelining and (not become or become.pipelining))
