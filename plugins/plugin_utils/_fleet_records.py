# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of a fleet, as the variables of its hosts hold them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record


def records(variables: Mapping[str, Any], args: Mapping[str, Any]) -> list[Record]:
    """The records of the hosts asked for, then those of all others that failed.

    `variables` are those of the running task; of `args` it reads `hosts`, `verification` and `failures`.
    """
    wanted, hostvars = dict.fromkeys(args["hosts"]), variables["hostvars"]
    gone = {*variables["ansible_play_hosts_all"]} - {*variables["ansible_play_hosts"]}
    found = [_record(host, hostvars[host], args) for host in {**wanted, **dict.fromkeys(hostvars)}]
    return [
        _noted(record) if record.host in gone else record for record in found if record.host in wanted or record.failure
    ]


def _record(host: str, variables: Mapping[str, Any], args: Mapping[str, Any]) -> Record:
    failures = [str(variables[name]) for name in args["failures"] if variables.get(name)]
    verification = variables.get(args["verification"]) or {}
    if not isinstance(verification, Mapping):
        verification = {"msg": f"{args['verification']} holds no result of verify_fallback: register it by this name"}
    return Record(str(host), "\n".join(failures), verification)


def _noted(record: Record) -> Record:
    """A host may leave the play without a record, in a task that nobody foresaw."""
    return record if record.is_reached else record._replace(failure="it failed, see the message of its task above")
