# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a layout on the controller, then let the node make it; its documentation is the module's."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._layout_arguments import LAYOUT_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._host_layout import checked, read_host_layout
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import (
    LayoutError,
    Registry,
    from_data,
    without_private_keys,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._node import run_on_node


class ActionModule(ActionBase):
    """One call per host: everything is checked here, keys travel in one option that is never logged."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Raise AnsibleActionFail with every finding, or return what the module returns."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        _validation, args = self.validate_argument_spec(**LAYOUT_ARGUMENTS)
        if args["path"] is not None and len(args["engines"]) != 1:
            raise AnsibleActionFail("path goes with one engine: each engine reads its own root")
        if args["path"] is not None and not os.path.isabs(args["path"]):
            raise AnsibleActionFail(f"path: {args['path']} is relative: give the absolute path on the node")
        if not args["engines"]:
            raise AnsibleActionFail("engines: the list is empty, so that nothing would be laid: name an engine")
        if args["private_keys"]:
            raise AnsibleActionFail("private_keys is filled by the action: give each key in its client pair")
        try:
            registries, private_keys = without_private_keys(self._registries(args, task_vars))
        except LayoutError as error:
            raise AnsibleActionFail(str(error)) from error
        sent = {name: args[name] for name in ("engines", "path", "purge")}
        return run_on_node(
            self,
            "fleet.certs_d.layout",
            {**sent, "registries": registries, "private_keys": private_keys},
            task_vars,
        )

    def _registries(self, args: dict[str, Any], task_vars: dict[str, Any]) -> tuple[Registry, ...]:
        now = datetime.now(UTC)
        if args["pki"] is not None:
            return read_host_layout(pki=args["pki"], task_vars=task_vars, loader=self._loader, now=now)
        registries, findings = from_data(args["registries"])
        return checked(registries, findings, now=now, host=task_vars["inventory_hostname"])
