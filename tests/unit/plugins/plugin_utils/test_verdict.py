# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what every verdict has in common."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import TIME_IS_OVER
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    NOT_VERIFIED,
    addressed,
    is_known,
    lets_in,
    of_attempts,
    of_faults,
    unknown,
    unverified,
)
from ansible_collections.fleet.certs_d.tests.unit.matrix import row


def test_all_verdicts_have_one_shape() -> None:
    made = [of_attempts([row("a", 200)], "x"), of_faults("r:1", "docker refuses", ["x"]), unknown("x"), unverified()]
    assert {tuple(verdict) for verdict in made} == {tuple(made[0])}
    assert unverified()["reason"] == NOT_VERIFIED


def test_only_an_answer_or_an_error_is_known() -> None:
    known = [of_attempts([row("a", 403)], "x"), of_attempts([row("a", "reset")], "x"), of_faults("r:1", "y", ["x"])]
    assert all(map(is_known, known))
    assert not is_known(unknown("x"))


@pytest.mark.parametrize(("answer", "is_in"), [(200, True), (204, True), (302, False), (401, False), ("x", False)])
def test_an_admission_is_a_status_of_2xx(answer: int | str, is_in: bool) -> None:
    assert lets_in(row("a", answer)) is is_in
    assert (of_attempts([row("a", answer)], "x")["pair"] == "a") is is_in


def test_the_port_that_a_name_leaves_out_is_told_where_nothing_answers() -> None:
    told = [addressed("r", row(None, "no answer")), addressed("r", row(None, 403)), addressed("r:1", row(None, "x"))]
    assert told == ["r (at port 443, since its name has none)", "r", "r:1"]


def test_what_was_not_asked_in_time_is_unknown() -> None:
    verdict = of_attempts([row("a", TIME_IS_OVER)], "x")
    assert not is_known(verdict)
    assert "timeout_total" in verdict["reason"]
