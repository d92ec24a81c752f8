# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module of this collection on a node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._names import shown

# What would show or leave a module's arguments somewhere, and where.
_INDISCREET = {
    "DEFAULT_KEEP_REMOTE_FILES": "ANSIBLE_KEEP_REMOTE_FILES would leave private keys on the node: unset it",
    "DEFAULT_DEBUG": "ANSIBLE_DEBUG would print private keys: unset it",
}


def run_on_node(
    action: ActionBase,
    module: str,
    arguments: dict[str, Any],
    task_vars: dict[str, Any],
    *,
    holds_keys: bool = False,
) -> dict[str, Any]:
    """What the module returns; AnsibleActionFail in one sentence where the node can't run any, or not safely."""
    if getattr(action._connection._shell, "_IS_WINDOWS", False):
        raise AnsibleActionFail("certs.d is laid on Linux hosts: take this Windows host out of the play")
    for setting, reason in _INDISCREET.items():
        if holds_keys and constants.config.get_config_value(setting):
            raise AnsibleActionFail(reason)
    # Whatever the configuration says: without pipelining Ansible writes the arguments, keys included, into files.
    action._connection.always_pipeline_modules = _can_pipeline(action)
    result: dict[str, Any] = action._execute_module(
        module_name=module,
        module_args=arguments,
        task_vars=task_vars,
    )
    if result.get("failed") and "module_stdout" in result:
        said = str(result.get("module_stderr") or result["module_stdout"]).strip() or "it said nothing"
        result["msg"] = f"the node could not run the module ({said.splitlines()[-1]}): check become and the interpreter"
    return result


def root_faults(args: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with engines and path."""
    if not args["engines"]:
        yield "engines: the list is empty: name an engine"
    elif args["path"] is not None and len(args["engines"]) != 1:
        yield "path goes with one engine: each engine reads its own root"


def check_roots(args: Mapping[str, Any]) -> None:
    """AnsibleActionFail for engines, path, scope and user that can't be meant together."""
    faults = list(root_faults(args))
    if faults:
        raise AnsibleActionFail("\n".join(faults))
    if args["scope"] == "system" and args["user"] is not None:
        raise AnsibleActionFail("user goes with scope: user")
    homeless = [name for name in args["engines"] if ENGINES[name].user_root is None]
    if args["scope"] == "user" and args["path"] is None and homeless:
        raise AnsibleActionFail(f"engines: {', '.join(homeless)} reads no home directory: give path, or leave it out")


def check_path_of_node(option: str, path: object) -> None:
    """AnsibleActionFail for a path that the controller would expand by its own home and environment."""
    if path is not None and not re.fullmatch(r"/[^$]*", str(path)):
        raise AnsibleActionFail(
            f"{option}: {shown(str(path))} is not absolute: give the path on the node, without ~ and $"
        )


def _can_pipeline(action: ActionBase) -> bool:
    become = action._connection.become
    return bool(action._connection.has_pipelining and (not become or become.pipelining))
