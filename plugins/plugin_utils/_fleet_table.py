# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's verdicts as one table of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import NOT_VERIFIED, SKIPPED, is_known, outcome

_HEAD = ("HOST", "REGISTRY", "ENGINE", "DOCUMENTED", "EFFECTIVE", "ITSELF", "DAYS LEFT", "RESULT")
_NOTHING = "-"
_UNREACHABLE = "unreachable"
_FAILED = "failed"
_WORDLESS = "what is recorded for it has neither verdicts nor a message: see its tasks above"


class Row(NamedTuple):
    """One line of the table; a fault's sentence stands below the table, beside its host and registry.

    `itself` is what the engine says itself, of which the pair is not known.
    """

    host: str
    registry: str = _NOTHING
    engine: str = _NOTHING
    documented: str = _NOTHING
    effective: str = _NOTHING
    itself: str = _NOTHING
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
    def is_refused(self) -> bool:
        """Whether verify_fallback ended before it sent anything to the node: its options are wrong, for example."""
        told = self.verification
        return bool(told) and not any(told.get(key) for key in ("unreachable", "skipped")) and "verified" not in told

    @property
    def is_bad(self) -> bool:
        """Whether this host is going to fail."""
        return any(row.result in (_FAILED, _UNREACHABLE) for row in rows_of(self))


def is_due(records: Sequence[Record], *, batch: Iterable[str], max_fail_percentage: float | None = None) -> bool:
    """Whether the table is to be shown in this batch: all hosts have been reached, or the play ends here."""
    now = set(batch)
    if all(record.is_reached or record.host in now for record in records):
        return True
    return is_end(records, batch=now, max_fail_percentage=max_fail_percentage)


def is_end(records: Iterable[Record], *, batch: Iterable[str], max_fail_percentage: float | None) -> bool:
    """Whether no host of the batch is left, where Ansible ends the play, or more have failed than are allowed to."""
    now = set(batch)
    bad = [record.is_bad for record in records if record.host in now]
    return all(bad) or (max_fail_percentage is not None and 100 * sum(bad) > max_fail_percentage * len(bad))


def rows_of(record: Record) -> list[Row]:
    """The rows of one host."""
    host, failure, verification = record
    if failure or verification.get("unreachable"):
        unreachable = failure.startswith(f"{_UNREACHABLE}:") or verification.get("unreachable")
        fault = failure.removeprefix(f"{_UNREACHABLE}: ") or str(verification.get("msg", ""))
        return [Row(host, result=_UNREACHABLE if unreachable else _FAILED, fault=fault)]
    if not verification:
        return [Row(host, result="not reached")]
    if verification.get("skipped"):
        why = verification.get("false_condition") or verification.get("skip_reason") or "nobody says why"
        return [Row(host, result=SKIPPED, fault=f"its verification was skipped: {why}")]
    registries = verification.get("registries")
    # Without a host directory nothing was asked, which has a message and no registries; check mode has neither.
    if "registries" not in verification or (not registries and verification.get("msg")):
        return [Row(host, fault=str(verification.get("msg") or _WORDLESS))]
    if not registries:
        return [Row(host, result=NOT_VERIFIED if verification.get("verified") is False else "no registries")]
    return [_row(host, registry) for registry in registries]


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
    name, engine, verdicts = registry["name"], registry["engine"], registry["verdicts"]
    if verdicts["effective"]["reason"] == NOT_VERIFIED:
        return Row(host, name, engine, result=NOT_VERIFIED)
    complaint = registry["complaint"] or ""
    return Row(
        host,
        name,
        engine,
        _attempts(verdicts["documented"]),
        _attempts(verdicts["effective"]),
        _short(verdicts["engine"]) if is_known(verdicts["engine"]) else _NOTHING,
        _days_left(registry["client_pairs"], verdicts["effective"]),
        _FAILED if complaint else "verified",
        complaint,
    )


def _attempts(verdict: Mapping[str, Any]) -> str:
    told = [f"{attempt['pair'] or 'no certificate'} {_short(attempt)}" for attempt in verdict["attempts"]]
    return " > ".join(told) or ("no request" if is_known(verdict) else "unknown")


def _short(answer: Mapping[str, Any]) -> str:
    """A status, or the mere fact of an error: its words stand below the table."""
    told = outcome(answer)
    return told if told.isdigit() else "error"


def _days_left(pairs: Iterable[Mapping[str, Any]], verdict: Mapping[str, Any]) -> str:
    """Those of the pair that is presented, whether it gets in or not."""
    presented = {attempt["fingerprint"] for attempt in verdict["attempts"][-1:]}
    return next((str(pair["days_left"]) for pair in pairs if pair["fingerprint"] in presented), _NOTHING)


def _count(rows: Sequence[Row]) -> str:
    hosts = dict.fromkeys(row.host for row in rows)
    good = [host for host in hosts if all(row.result == "verified" for row in rows if row.host == host)]
    return f"{len(good)} of {len(hosts)} hosts verified"
