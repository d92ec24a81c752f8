# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's verdicts as one table of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import NOT_VERIFIED, outcome

_HEAD = ("HOST", "REGISTRY", "PAIR", "ATTEMPTS", "DAYS LEFT", "RESULT")
_NOTHING = "-"
_UNREACHABLE = "unreachable"
_FAILED = "failed"


class Row(NamedTuple):
    """One line of the table; a fault's sentence stands below the table, beside its host and registry."""

    host: str
    registry: str = _NOTHING
    pair: str = _NOTHING
    attempts: str = _NOTHING
    days_left: str = _NOTHING
    result: str = _FAILED
    fault: str = ""


class Record(NamedTuple):
    """What the tasks of one host have recorded.

    `failure` tells why it got no further and begins with `unreachable:` where that is why, `verification` is what
    verify_fallback returned. Both are empty for a host that the run has not come to.
    """

    host: str
    failure: str
    verification: Mapping[str, Any]

    @property
    def is_reached(self) -> bool:
        """Whether the run has come to this host."""
        return bool(self.failure or self.verification)

    @property
    def is_bad(self) -> bool:
        """Whether this host is going to fail."""
        return any(row.result in (_FAILED, _UNREACHABLE) for row in rows_of(self))


def is_due(records: Sequence[Record], *, batch: Iterable[str]) -> bool:
    """Whether the table is to be shown in this batch: all hosts have been reached, or the play ends here.

    Ansible ends a play after a batch of which no host is left.
    """
    now = set(batch)
    if all(record.is_reached or record.host in now for record in records):
        return True
    return all(record.is_bad for record in records if record.host in now)


def rows_of(record: Record) -> list[Row]:
    """The rows of one host."""
    host, failure, verification = record
    if failure or verification.get("unreachable"):
        unreachable = failure.startswith(f"{_UNREACHABLE}:") or verification.get("unreachable")
        fault = failure.removeprefix(f"{_UNREACHABLE}: ") or str(verification.get("msg", ""))
        return [Row(host, result=_UNREACHABLE if unreachable else _FAILED, fault=fault)]
    if not verification:
        return [Row(host, result="not reached")]
    if "registries" not in verification:
        return [Row(host, fault=str(verification.get("msg", "")))]
    if not verification["registries"]:
        return [Row(host, result=NOT_VERIFIED if verification.get("verified") is False else "no registries")]
    return [_row(host, registry) for registry in verification["registries"]]


def render(rows: Sequence[Row]) -> str:
    """The table, its faults, and one line that counts hosts."""
    lines = [_HEAD, *(row[: len(_HEAD)] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    faults = [
        row.fault if row.fault.startswith(f"{row.host}: ") else f"{row.host}: {row.fault}" for row in rows if row.fault
    ]
    return "\n".join([*table, "", *faults, *([""] if faults else []), _count(rows)])


def _row(host: str, registry: Mapping[str, Any]) -> Row:
    verdict = registry["documented"]
    if verdict["reason"] == NOT_VERIFIED:
        return Row(host, registry["name"], result=NOT_VERIFIED)
    fault = "" if registry["expected"] else registry.get("complaint") or verdict["reason"]
    return Row(
        host,
        registry["name"],
        verdict["pair"] or _NOTHING,
        _attempts(verdict["attempts"]),
        _days_left(registry["client_pairs"], verdict["fingerprint"]),
        _FAILED if fault else "verified",
        fault,
    )


def _attempts(attempts: Iterable[Mapping[str, Any]]) -> str:
    told = [f"{attempt['pair'] or 'no certificate'} {_short(outcome(attempt))}" for attempt in attempts]
    return " > ".join(told) or "none"


def _short(outcome: str) -> str:
    """A status, or the mere fact of an error: its words stand below the table."""
    return outcome if outcome.isdigit() else "error"


def _days_left(pairs: Iterable[Mapping[str, Any]], fingerprint: str | None) -> str:
    left = [str(pair["days_left"]) for pair in pairs if fingerprint and pair["fingerprint"] == fingerprint]
    return left[0] if left else _NOTHING


def _count(rows: Sequence[Row]) -> str:
    hosts = dict.fromkeys(row.host for row in rows)
    good = [host for host in hosts if all(row.result == "verified" for row in rows if row.host == host)]
    return f"{len(good)} of {len(hosts)} hosts verified"
