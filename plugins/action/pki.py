# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action fleet.certs_d.pki; its documentation is the module's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.fleet.certs_d.plugins.module_utils._pki_arguments import PKI_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._throwaway_pki import PkiError, fill, order


class ActionModule(ActionBase):
    """Makes the throw-away PKI in the controller's own process; the host may be unreachable."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Fill the tree and tell what is in it."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(argument_spec=PKI_ARGUMENTS)
        now = datetime.now(UTC)
        try:
            wanted = order(
                arguments,
                path=self._loader.path_dwim(str(arguments["path"])),
                authority=self._loader.path_dwim(str(arguments["authority"])),
            )
            report = fill(wanted, now=now, dry_run=self._task.check_mode)
        except PkiError as error:
            raise AnsibleActionFail(str(error)) from error
        result["changed"] = report.changed
        result["certificates"] = [each.as_data(now) for each in report.certificates]
        if self._task.diff:
            result["diff"] = report.diff()
        return result
