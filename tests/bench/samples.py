# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was measured, and its medians."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.bench.cases import Block, Case


class Sample(NamedTuple):
    """One run: seconds by the clock, seconds of the controller's processors, bytes of its largest process."""

    wall: float
    cpu: float
    peak: int


class Measured(NamedTuple):
    """A sample and where it belongs."""

    block: Block
    round: int
    case: Case
    sample: Sample


class Summary(NamedTuple):
    """All runs of one case in one block. `to_ping` is the median of the ratios to the ping of the same round."""

    block: Block
    case: Case
    runs: int
    wall: float
    fastest: float
    slowest: float
    cpu: float
    peak: int
    to_ping: float


def summarise(measured: Iterable[Measured]) -> list[Summary]:
    """The summary of each case, in the order in which they were first measured."""
    runs: dict[tuple[Block, Case], list[Measured]] = {}
    pings: dict[tuple[Block, int], float] = {}
    for each in measured:
        runs.setdefault((each.block, each.case), []).append(each)
        if each.case == each.block.ping:
            pings[each.block, each.round] = each.sample.wall
    return [_summary(block, case, of_case, pings) for (block, case), of_case in runs.items()]


def each_further(summaries: Sequence[Summary], what: str) -> float:
    """How many seconds one more of something costs, by least squares over the medians."""
    points: list[tuple[int, float]] = [(getattr(each.case, what), each.wall) for each in summaries]
    middle = sum(x for x, _y in points) / len(points)
    spread = sum((x - middle) ** 2 for x, _y in points)
    return sum((x - middle) * y for x, y in points) / spread


def _summary(block: Block, case: Case, runs: list[Measured], pings: dict[tuple[Block, int], float]) -> Summary:
    walls = [each.sample.wall for each in runs]
    return Summary(
        block,
        case,
        runs=len(runs),
        wall=median(walls),
        fastest=min(walls),
        slowest=max(walls),
        cpu=median(each.sample.cpu for each in runs),
        peak=max(each.sample.peak for each in runs),
        to_ping=median(each.sample.wall / pings[block, each.round] for each in runs),
    )
