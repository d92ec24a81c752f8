# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verifying costs, as a table of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.bench.table import render

_HEAD = ("registries", "pairs", "requests", "runs", "ping s", "verify s", "module s", "request ms", "goal s", "verdict")
# The goal: no more than a ping, and two round trips for each request.
_ROUND_TRIPS = 2


class Size(NamedTuple):
    """How many registries a node asks, with how many pairs each."""

    registries: int
    pairs: int


class Run(NamedTuple):
    """One round: seconds of a ping, of a verification and of its module alone, of one request made by itself.

    `requests` is how many the registries saw.
    """

    ping: float
    verify: float
    module: float
    request: float
    requests: int


def report(runs: Mapping[Size, Sequence[Run]]) -> str:
    """A row per size, of medians."""
    return render(_HEAD, (_row(size, found) for size, found in runs.items())) + "\n"


def goal(run: Run) -> float:
    """The most seconds that a verification may take."""
    return run.ping + _ROUND_TRIPS * run.request * run.requests


def _row(size: Size, runs: Sequence[Run]) -> tuple[str, ...]:
    middle = Run(*(median(column) for column in zip(*runs, strict=True)))
    most = goal(middle)
    seconds = (f"{middle.ping:.2f}", f"{middle.verify:.2f}", f"{middle.module:.2f}")
    verdict = "met" if middle.verify <= most else "missed"
    counted = (str(size.registries), str(size.pairs), f"{middle.requests:.0f}", str(len(runs)))
    return (*counted, *seconds, f"{1000 * middle.request:.1f}", f"{most:.2f}", verdict)
