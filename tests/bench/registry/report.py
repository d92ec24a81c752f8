# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the registry's rates, and its goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from ansible_collections.fleet.certs_d.tests.bench.registry.load import BLOB, GATE, PLAIN, Case, Rate
from ansible_collections.fleet.certs_d.tests.bench.table import render

_HEAD = ("what", "clients", "way", "runs", "requests/s", "range", "MB/s", ": plain")
_GOAL = 0.9

Rates = Mapping[Case, Sequence[Rate]]


def report(rates: Rates) -> str:
    """All rates, each beside plain Apache's of the same round, and whether blobs reach the goal."""
    rows: list[tuple[str, ...]] = []
    for case, measured in rates.items():
        if case.way == PLAIN and rows:
            rows.append(())
        rows.append(_row(case, measured, _to_plain(case, rates)))
    goals = [
        (f"{case.what}, {case.way} : {PLAIN}", str(case.clients), f"{ratio:.2f}", f">= {_GOAL:.2f}", _verdict(ratio))
        for case in rates
        if (case.way, case.what) == (GATE, BLOB)
        for ratio in [_to_plain(case, rates)]
    ]
    return (
        f"The registry beside plain Apache\n\n{render(_HEAD, rows)}\n\n"
        f"Goals\n\n{render(('goal', 'clients', 'ratio', 'wanted', 'verdict'), goals)}\n"
    )


def _row(case: Case, measured: Sequence[Rate], ratio: float) -> tuple[str, ...]:
    requests = [each.requests for each in measured]
    span = f"{min(requests):.1f} .. {max(requests):.1f}" if len(requests) > 1 else ""
    megabytes = f"{median(each.megabytes for each in measured):.1f}"
    size = (case.what, str(case.clients), case.way, str(len(requests)))
    return (*size, f"{median(requests):.1f}", span, megabytes, f"{ratio:.2f}")


def _to_plain(case: Case, rates: Rates) -> float:
    """The median of the ratios to plain Apache in the same round."""
    plain = rates[case._replace(way=PLAIN)]
    return median(own.requests / floor.requests for own, floor in zip(rates[case], plain, strict=True))


def _verdict(ratio: float) -> str:
    return "met" if ratio >= _GOAL else "missed"
