# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the fleet's verdicts once, as one table; its documentation is the module's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_table_arguments import FLEET_TABLE_ARGUMENTS
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record, is_due, render, rows_of


class ActionModule(ActionBase):
    """Reads what the hosts' tasks have recorded; no host is talked to."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Print the table; the result only counts its hosts."""
        super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(argument_spec=FLEET_TABLE_ARGUMENTS)
        variables = task_vars or {}
        records = _records(variables, args)
        if not is_due(records, batch=variables["ansible_play_batch"]):
            return {"changed": False, "hosts": 0}
        Display().display("\n" + render([row for record in records for row in rows_of(record)]))
        return {"changed": False, "hosts": len(records)}


def _records(variables: Mapping[str, Any], args: Mapping[str, Any]) -> list[Record]:
    """The records of the hosts asked for, then those of all others that failed."""
    wanted, hostvars = dict.fromkeys(args["hosts"]), variables["hostvars"]
    gone = {*variables["ansible_play_hosts_all"]} - {*variables["ansible_play_hosts"]}
    records = [_record(host, hostvars[host], args) for host in {**wanted, **dict.fromkeys(hostvars)}]
    return [
        _noted(record) if record.host in gone else record
        for record in records
        if record.host in wanted or record.failure
    ]


def _record(host: str, variables: Mapping[str, Any], args: Mapping[str, Any]) -> Record:
    failures = [str(variables[name]) for name in args["failures"] if variables.get(name)]
    return Record(str(host), "\n".join(failures), variables.get(args["verification"]) or {})


def _noted(record: Record) -> Record:
    """A host may leave the play without a record, in a task that nobody foresaw."""
    return record if record.is_reached else record._replace(failure="it failed, see the message of its task above")
