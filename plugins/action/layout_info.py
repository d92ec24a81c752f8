# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have a node tell its host directories, then judge them; its documentation is the module's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._layout_info_arguments import LAYOUT_INFO_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._cryptography import CryptographyMissing
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout_info import judged
from ansible_collections.fleet.certs_d.plugins.plugin_utils._node import check_path_of_node, check_roots, run_on_node


class ActionModule(ActionBase):
    """The node tells what lies there, public certificates and findings; the controller reads the certificates."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return every host directory with its findings."""
        super().run(tmp, task_vars)
        check_path_of_node("path", self._task.args.get("path"))
        _validation, args = self.validate_argument_spec(argument_spec=LAYOUT_INFO_ARGUMENTS)
        check_roots(args)
        sent = {name: value for name, value in args.items() if name != "warn_days" and value is not None}
        result = run_on_node(self, "fleet.certs_d.layout_info", sent, task_vars or {})
        if result.get("failed") or "registries" not in result:
            return result
        try:
            result["registries"] = judged(result["registries"], now=datetime.now(UTC), warn_days=args["warn_days"])
        except CryptographyMissing as error:
            raise AnsibleActionFail(str(error)) from error
        return result
