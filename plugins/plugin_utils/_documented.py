# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented verdict: what the loop of docker's document comes to, as docker 1.2.0 to 1.3.3 did it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._faults import faults_for
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    Row,
    Verdict,
    addressed,
    lets_in,
    of_attempts,
    of_faults,
    told,
)

# The option is in docker's CHANGELOG from 1.3.1 on. What it does was seen with the registry client of docker 1.3.3, for
# which loopback addresses were ordinary ones.
_LATE_RULE = (
    ". From docker 1.3.1 on, which brought --insecure-registry, no certs.d is read for it, since docker's settings "
    "here call it insecure"
)


def documented(registry: Mapping[str, Any]) -> Verdict:
    """Pairs in file-name order, going on at 403, at 5xx and at a transport error; the last result stands.

    A fault in the host directory stops everything before the first request, and CA roots replace the system's.
    """
    name = registry["name"]
    faults = faults_for("documented", registry["findings"])
    if faults:
        verdict = of_faults(name, "the loop of the document refuses", faults)
    else:
        attempts = _attempts(_trusting(registry))
        verdict = of_attempts(attempts, _reason(name, attempts))
    return {**verdict, "reason": verdict["reason"] + _LATE_RULE} if registry["measured"]["listed_insecure"] else verdict


def _trusting(registry: Mapping[str, Any]) -> list[Row]:
    """The requests that this client would send, as they end where the CA roots alone are trusted."""
    rows = registry["requests"]
    asked = [row for row in rows if row["pair"] is not None] or rows
    distrust = registry["measured"]["trust"]["replacing"]
    return [{**row, "status": None, "error": distrust} for row in asked] if distrust else asked


def _attempts(requests: Sequence[Row]) -> list[Row]:
    attempts = []
    for request in requests:
        attempts.append(request)
        if not _goes_on(request):
            break
    return attempts


def _goes_on(request: Row) -> bool:
    status = request["status"]
    return status is None or status == 403 or status >= 500


def _reason(registry: str, attempts: Sequence[Row]) -> str:
    *earlier, last = attempts
    after = f" after {told(earlier)}" if earlier else ""
    if lets_in(last):
        presented = f"with {last['pair']}" if last["pair"] else "without a certificate"
        return f"{registry} lets in this host {presented}{after}"
    return f"{addressed(registry, last)} does not let this host in: {told([last])}{after}"
