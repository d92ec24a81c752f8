# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of when certificates expire."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import Report, build
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_expiries import (
    certificates,
    days_until,
    kind_of,
    timeline,
)
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import (
    MADE,
    after,
    good,
    hostile,
    pair,
    spoiled,
    unasked,
    verified,
)


def having(*days: float) -> Report:
    """A report of one host with a pair per number of days."""
    pairs = [pair(f"{place:02}", each) for place, each in enumerate(days)]
    return build([verified("node1", {**good("node1"), "client_pairs": pairs, "server": None})], made=MADE)


@pytest.mark.parametrize(("days", "whole"), [(0.5, 0), (0, 0), (-0.1, -1), (1, 1), (30.9, 30), (-3, -3)])
def test_days_are_whole_and_negative_once_expired(days: float, whole: int) -> None:
    assert days_until(after(days), MADE) == whole


@pytest.mark.parametrize(("days", "kind"), [(-1, "bad"), (0, "soon"), (30, "soon"), (31, "")])
def test_what_expires_soon_is_marked(days: int, kind: str) -> None:
    assert kind_of(days) == kind


def test_a_certificate_of_several_engines_and_hosts_counts_once() -> None:
    records = [verified("node1", good("node1"), unasked("node1")), verified("node2", good("node2"), spoiled("node2"))]
    names = [one.name for one in certificates(build(records, made=MADE))]
    assert names == [
        "node2 10-old",
        "node1 20-node",
        "node2 20-node",
        "server CN=registry.example of registry.example:5000",
    ]


def test_the_timeline_has_every_month_and_ends_with_the_last() -> None:
    told = [(period.label, period.kind, period.size) for period in timeline(having(-100, -1, 3, 5, 40, 800))]
    assert told[:4] == [("expired", "bad", 2), ("Nov 2026", "soon", 1), ("Dec 2026", "soon", 1), ("Jan 2027", "", 1)]
    assert told[-1] == ("later", "", 1)
    assert sum(size for _label, _kind, size in told) == 6


def test_a_year_has_twelve_months_and_the_same_month_again() -> None:
    labels = [period.label for period in timeline(having(364))]
    assert (labels[0], labels[-1], len(labels)) == ("Nov 2026", "Nov 2027", 13)


def test_some_are_named_and_the_rest_is_counted() -> None:
    (period,) = timeline(having(1, 1, 1, 1, 1))
    assert period.names == "node1 00, node1 01, node1 02 and 2 more"


def test_nothing_known_is_no_timeline() -> None:
    assert timeline(having()) == []
    assert timeline(build([], made=MADE)) == []


def test_a_certificate_without_dates_is_passed_over() -> None:
    entry = hostile()
    entry["client_pairs"][0].pop("not_after")
    assert [one.name[:6] for one in certificates(build([verified("a", entry)], made=MADE))] == ["server"]
