# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The goals, judged."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.cases import (
    COMPARISON,
    COPY,
    FILES,
    FIRST,
    LAYOUT,
    PING,
    UNARCHIVE,
    UNCHANGED,
    Block,
    Case,
)
from ansible_collections.fleet.certs_d.tests.bench.goals import Goal, goals
from ansible_collections.fleet.certs_d.tests.bench.samples import Summary


def summary(method: str, state: str, to_ping: float, *, table: str = COMPARISON) -> Summary:
    """What was measured of five registries."""
    block = Block(table, (Case(PING, "", 0, 4),), 1)
    case = Case(method, state, 0 if method == PING else 5, 4)
    return Summary(block, case, 1, to_ping, to_ping, to_ping, 0.0, 0, to_ping)


LAID = [summary(PING, "", 1.0), summary(LAYOUT, FIRST, 1.4), summary(LAYOUT, UNCHANGED, 1.2)]
UNPACKED = summary(UNARCHIVE, FIRST, 2.8)
COPIED = [summary(COPY, FIRST, 70.0), summary(COPY, UNCHANGED, 12.0)]


def test_each_goal_is_judged_by_ratios_to_ping() -> None:
    judged = {goal.what: (goal.ratio, goal.met) for goal in goals([*LAID, UNPACKED, *COPIED])}
    assert judged == {
        "layout unchanged : ping": (1.2, True),
        "layout first run : ping": (1.4, True),
        "layout first run : unarchive first run": (0.5, True),
        "copy first run : layout first run": (pytest.approx(50.0), True),
        "copy unchanged : layout unchanged": (pytest.approx(10.0), False),
    }


def test_what_was_not_measured_is_no_goal() -> None:
    assert len(goals([*LAID, UNPACKED])) == 3
    assert goals([summary(LAYOUT, FIRST, 1.0, table=FILES)]) == []


def test_the_bound_itself_is_met() -> None:
    assert Goal("", 1, 1.25, most=1.25).met
    assert Goal("", 1, 20.0, least=20.0).met
    assert not Goal("", 1, 1.26, most=1.25).met
