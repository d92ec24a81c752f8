# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts: pure functions of what a node has measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

NOT_VERIFIED = "not verified (check mode)"

# By the words of the error, the most special first.
_REMEDIES = {
    "certificate is not accepted": "deploy the CA root that signed it, or give the registry a certificate of this name",
    "refused the TLS connection": "deploy a pair that the registry trusts",
    "": "check that the registry runs, speaks TLS and can be reached from this host",
}


def documented(registry: Mapping[str, Any]) -> dict[str, Any]:
    """What the loop of docker's document comes to, as docker 1.2.0 to 1.3.3 did it.

    Pairs in file-name order, going on at 403, at 5xx and at a transport error; the last result stands. A fault in the
    host directory stops everything before the first request.
    """
    faults = [finding["message"] for finding in registry["findings"] if finding["severity"] == "error"]
    attempts = [] if faults else _attempts(registry["requests"])
    last: Row = attempts[-1] if attempts else {"pair": None, "fingerprint": None, "status": None, "error": faults[0]}
    lets_in = _lets_in(last)
    return {
        "pair": last["pair"] if lets_in else None,
        "fingerprint": last["fingerprint"] if lets_in else None,
        "status": last["status"],
        "error": last["error"],
        "reason": _reason(registry["name"], attempts, faults),
        "attempts": attempts,
    }


def unverified() -> dict[str, Any]:
    """The verdict where nothing was asked."""
    return {"pair": None, "fingerprint": None, "status": None, "error": None, "reason": NOT_VERIFIED, "attempts": []}


def is_expected(verdict: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether the answer that stands has the expected status and, where one is named, came to the expected pair."""
    pair = verdict["attempts"][-1]["pair"] if verdict["attempts"] else None
    return verdict["status"] == expected["status"] and expected["pair"] in (None, pair)


def complaint(verdict: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """Why a host fails, and what to do; of a verdict that is not what was expected."""
    pair = f" with {expected['pair']}" if expected["pair"] else ""
    # A fault of the directory says itself what to do.
    step = f" certs.d stays as deployed: {_remedy(verdict, expected)}." if verdict["attempts"] else ""
    return f"{verdict['reason']}. Expected: {expected['status']}{pair}.{step}"


def outcome(attempt: Row) -> str:
    """The status of an attempt, or the error that came in its place."""
    return str(attempt["error"] if attempt["status"] is None else attempt["status"])


def _attempts(requests: Sequence[Row]) -> list[dict[str, Any]]:
    attempts = []
    for request in requests:
        attempts.append(dict(request))
        if not _goes_on(request):
            break
    return attempts


def _goes_on(request: Row) -> bool:
    status = request["status"]
    return status is None or status == 403 or status >= 500


def _lets_in(attempt: Row) -> bool:
    return attempt["status"] is not None and 200 <= attempt["status"] < 300


def _reason(registry: str, attempts: Sequence[Row], faults: Sequence[str]) -> str:
    if faults:
        return f"{registry}: no request was sent, because clients refuse this host directory: {'; '.join(faults)}"
    *earlier, last = attempts
    after = f" after {_told(earlier)}" if earlier else ""
    if _lets_in(last):
        return f"{registry} lets in {_presented(last)}{after}"
    port = "" if _names_port(registry) or last["status"] is not None else " (at port 443, since its name has none)"
    return f"{registry}{port} does not let this host in: {_told([last])}{after}"


def _names_port(registry: str) -> bool:
    return re.search(r":[0-9]+$", registry) is not None


def _presented(attempt: Row) -> str:
    return f"this host with {attempt['pair']}" if attempt["pair"] else "this host without a certificate"


def _told(attempts: Sequence[Row]) -> str:
    return ", ".join(f"{attempt['pair'] or 'no certificate'} ({outcome(attempt)})" for attempt in attempts)


def _remedy(verdict: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    status, error = verdict["status"], verdict["error"]
    if status is None:
        return next(remedy for words, remedy in _REMEDIES.items() if words in error)
    if status == expected["status"]:
        return f"have the registry admit {expected['pair']}, and no pair before it"
    if status in (401, 403):
        return "have the registry admit this host, or deploy a pair that it admits"
    if status >= 500:
        return "look into the registry's log"
    return "check that the registry serves what is requested"
