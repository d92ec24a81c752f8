# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the table that tells what verifying costs."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.verify.report import Run, Size, goal, report


def test_the_goal_is_a_ping_and_two_round_trips_for_each_request() -> None:
    assert goal(Run(ping=1.0, verify=9.0, module=1.0, request=0.05, requests=10)) == pytest.approx(2.0)


@pytest.mark.parametrize(("verify", "verdict"), [(1.9, "met"), (2.1, "missed")])
def test_a_row_has_the_medians_and_their_verdict(verify: float, verdict: str) -> None:
    runs = [Run(1.0, each, 0.5, 0.05, 10) for each in (0.1, verify, 9.0)]
    row = report({Size(5, 3): runs}).splitlines()[1].split()
    assert row == ["5", "3", "10", "3", "1.00", f"{verify:.2f}", "0.50", "50.0", "2.00", verdict]
