# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's report as data: made of what hosts have recorded, and merged from the slices of a fleet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils import _report_shape as shape
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record, rows_of
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import InvalidReport
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import NOT_VERIFIED, SKIPPED

Report = dict[str, Any]

VERIFIED, FAILED, UNREACHABLE, NOT_REACHED = "verified", "failed", "unreachable", "not reached"
NO_REGISTRIES = "no registries"
# From the one that somebody must look at first.
STATES = (FAILED, UNREACHABLE, NOT_REACHED, SKIPPED, NOT_VERIFIED, NO_REGISTRIES, VERIFIED)
_VERSION = 1


def build(records: Iterable[Record], *, made: str) -> Report:
    """The report of these hosts, all of them measured at the time `made`."""
    return _report([_host(record, made) for record in records], made)


def read(text: str) -> Report:
    """The report of a file; InvalidReport where it is none, or one of another release."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidReport(f"this is no JSON: {error}") from None
    if not isinstance(data, Mapping) or "report" not in data:
        raise InvalidReport("this is no report: name the report.json of an earlier run")
    if data["report"] != _VERSION:
        raise InvalidReport(f"this is a report of another release ({data['report']!r}): make it again")
    found: Report = shape.report(data, "report")
    for number, host in enumerate(found["hosts"]):
        if not (host["host"] and host["measured"] and host["state"] in STATES):
            raise InvalidReport(f"report.hosts[{number}]: its name, its time or its state is missing")
    return found


def merge(reports: Iterable[Report], *, made: str) -> Report:
    """One report of all hosts. Of a host in several the newest stands, in whatever order they come."""
    newest: dict[str, dict[str, Any]] = {}
    for report in reports:
        for host in report["hosts"]:
            known = newest.setdefault(host["host"], host)
            newest[host["host"]] = max(known, host, key=_age)
    return _report(newest.values(), made)


def as_text(report: Report) -> str:
    """The report as JSON, the same for the same report."""
    return json.dumps(report, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def answer_of(verdict: Mapping[str, Any]) -> str:
    """What a verdict comes to: `let in`, `refused`, `error` or `unknown`."""
    status = verdict["status"]
    if status is None:
        return "unknown" if verdict["error"] is None else "error"
    return "let in" if 200 <= status < 300 else "refused"


def state_of(registry: Mapping[str, Any]) -> str:
    """The result of one registry and engine of a host."""
    if registry["verdicts"]["effective"]["reason"] == NOT_VERIFIED:
        return NOT_VERIFIED
    return VERIFIED if registry["expected"] else FAILED


def _report(hosts: Iterable[dict[str, Any]], made: str) -> Report:
    return {"report": _VERSION, "made": made, "hosts": sorted(hosts, key=lambda host: str(host["host"]))}


def _age(host: Mapping[str, Any]) -> tuple[bool, str, str]:
    """The newer, the greater, but a host that a run did not come to is no news. The text orders what else is equal."""
    return host["state"] != NOT_REACHED, host["measured"], json.dumps(host, sort_keys=True)


def _host(record: Record, made: str) -> dict[str, Any]:
    host = {"host": record.host, "measured": made, "state": FAILED, "fault": "", "registries": []}
    told = record.verification.get("registries")
    if record.failure or record.verification.get("unreachable") or not told:
        (row,) = rows_of(record)
        return dict(shape.host({**host, "state": row.result, "fault": row.fault}, record.host))
    try:
        registries = shape.registries(told, "registries")
    except InvalidReport as error:
        return dict(shape.host({**host, "fault": f"its verification can't be read: {error}"}, record.host))
    states = [state_of(registry) for registry in registries]
    return {**shape.host(host, record.host), "state": min(states, key=STATES.index), "registries": registries}
