# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians, ratios and slopes."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.cases import COMPARISON, FIRST, LAYOUT, NODES, PING, Block, Case
from ansible_collections.fleet.certs_d.tests.bench.samples import Measured, Sample, Summary, each_further, summarise

FLOOR = Case(PING, "", 0, 2)
LAID = Case(LAYOUT, FIRST, 1, 2)
BLOCK = Block(COMPARISON, (FLOOR, LAID), 3)


def measured(walls: list[tuple[float, float]]) -> list[Measured]:
    """A ping and a layout per round."""
    return [
        Measured(BLOCK, number, case, Sample(wall, wall / 2, 1000 * number))
        for number, pair in enumerate(walls)
        for case, wall in zip((FLOOR, LAID), pair, strict=True)
    ]


def test_the_median_stands_for_the_runs() -> None:
    floor, laid = summarise(measured([(1.0, 2.0), (1.0, 9.0), (1.0, 3.0)]))
    assert (laid.runs, laid.wall, laid.fastest, laid.slowest, laid.cpu) == (3, 3.0, 2.0, 9.0, 1.5)
    assert laid.peak == 2000
    assert (floor.wall, floor.to_ping) == (1.0, 1.0)


def test_a_ratio_is_taken_within_its_round() -> None:
    """The machine is ten times slower in the last two rounds: the ratio of the medians would be 1, or 15."""
    laid = summarise(measured([(1.0, 1.5), (10.0, 15.0), (10.0, 15.0)]))[1]
    assert laid.to_ping == 1.5


def test_blocks_of_equal_cases_stay_apart() -> None:
    other = Block(NODES, (FLOOR, LAID), 1)
    both = measured([(1.0, 2.0)]) + [each._replace(block=other) for each in measured([(1.0, 4.0)])]
    assert [each.to_ping for each in summarise(both)] == [1.0, 2.0, 1.0, 4.0]


def test_one_more_costs_what_the_line_rises_by() -> None:
    points = [(1, 1.5), (5, 3.5), (20, 11.0)]
    summaries = [
        Summary(BLOCK, Case(LAYOUT, FIRST, 1, nodes), 1, wall, wall, wall, 0.0, 0, 0.0) for nodes, wall in points
    ]
    assert each_further(summaries, "nodes") == pytest.approx(0.5)
