# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict: which pair gets a node into a registry, told in one sentence, with the attempts that show it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import TIME_IS_OVER

Row = Mapping[str, Any]
Verdict = dict[str, Any]

VERDICTS = ("documented", "effective", "engine")
NOT_VERIFIED = "not verified (check mode)"
SKIPPED = "not verified (skipped)"


def of_attempts(attempts: Sequence[Row], reason: str) -> Verdict:
    """The verdict of requests that were sent; the last answer stands. Where time was over nobody can tell."""
    last = attempts[-1]
    if last["error"] == TIME_IS_OVER:
        return unknown(f"{named(last)} was {TIME_IS_OVER}: raise it, or see which registry takes so long")
    is_in = lets_in(last)
    return {
        "pair": last["pair"] if is_in else None,
        "fingerprint": last["fingerprint"] if is_in else None,
        "status": last["status"],
        "error": last["error"],
        "reason": reason,
        "attempts": [dict(attempt) for attempt in attempts],
    }


def of_faults(registry: str, reader: str, faults: Sequence[str]) -> Verdict:
    """The verdict of a host directory that the reader refuses before it sends anything."""
    reason = f"{registry}: no request was sent, because {reader} this host directory: {'; '.join(faults)}"
    return {**unknown(reason), "error": faults[0]}


def unknown(reason: str) -> Verdict:
    """The verdict where nobody can tell; the reason says why."""
    return {"pair": None, "fingerprint": None, "status": None, "error": None, "reason": reason, "attempts": []}


def unverified() -> Verdict:
    """The verdict where nothing was asked."""
    return unknown(NOT_VERIFIED)


def is_known(verdict: Mapping[str, Any]) -> bool:
    """Whether there is an answer or an error to judge by."""
    return verdict["status"] is not None or verdict["error"] is not None


def lets_in(answer: Row) -> bool:
    """Whether an attempt, or the verdict that it made, is an admission."""
    return answer["status"] is not None and 200 <= answer["status"] < 300


def outcome(attempt: Row) -> str:
    """The status of an attempt, or the error that came in its place."""
    return str(attempt["error"] if attempt["status"] is None else attempt["status"])


def told(attempts: Sequence[Row]) -> str:
    """Attempts as a list within a sentence."""
    return ", ".join(f"{named(attempt)} ({outcome(attempt)})" for attempt in attempts)


def named(attempt: Row) -> str:
    """What was presented."""
    return attempt["pair"] or "no certificate"


def addressed(registry: str, last: Row) -> str:
    """The registry as a refusal names it: with the port that it was asked at, where that may be the cause."""
    has_port = re.search(r":[0-9]+$", registry) is not None
    return registry if has_port or last["status"] is not None else f"{registry} (at port 443, since its name has none)"
