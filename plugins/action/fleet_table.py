# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the fleet's verdicts once, as one table; its documentation is the module's."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_table_arguments import FLEET_TABLE_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_records import records
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import is_due, is_end, render, rows_of


class ActionModule(ActionBase):
    """Reads what the hosts' tasks have recorded; no host is talked to."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the table; the result counts its hosts, and tells whether the rollout is to end."""
        super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=FLEET_TABLE_ARGUMENTS)
        _check_limit(args["max_fail_percentage"])
        variables = task_vars or {}
        found = records(variables, args)
        of_play = [record for record in found if record.host in args["hosts"]]
        where = {"batch": variables["ansible_play_batch"], "max_fail_percentage": args["max_fail_percentage"]}
        if not is_due(of_play, **where):
            return {"changed": False, "hosts": 0, "ends": False}
        Display().display("\n" + render([row for record in found for row in rows_of(record)]))
        return {"changed": False, "hosts": len(found), "ends": is_end(of_play, **where)}


def _check_limit(limit: float | None) -> None:
    if limit is not None and not 0 <= limit <= 100:
        raise AnsibleActionFail(f"max_fail_percentage: {limit:g} is no percentage: give a number from 0 to 100")
