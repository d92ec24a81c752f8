# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the report as data."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import (
    NOT_REACHED,
    STATES,
    Report,
    answer_of,
    as_text,
    build,
    merge,
    read,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import InvalidReport
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import NOT_VERIFIED, SKIPPED
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import (
    MADE,
    forbidden,
    good,
    registry,
    small,
    spoiled,
    verdict,
    verified,
)

LATER = "2026-11-27T12:00:00Z"
DAYS = [f"2026-11-{day:02}T12:00:00Z" for day in range(1, 5)]
SLICES = st.lists(
    st.builds(
        lambda hosts, made: build([Record(host, fault, {}) for host, fault in hosts.items()], made=made),
        st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "a fault", "unreachable: gone"])),
        st.sampled_from(DAYS),
    ),
    max_size=5,
)


def states(report: Report) -> dict[str, str]:
    return {host["host"]: host["state"] for host in report["hosts"]}


def test_each_host_is_in_it_by_its_name_and_its_worst_registry() -> None:
    records = [
        *small(),
        verified("both", good("both"), forbidden("both")),
        verified("asked", registry([], *[verdict(NOT_VERIFIED)] * 3, expected=None)),
    ]
    assert states(build(records, made=MADE)) == {
        "asked": NOT_VERIFIED,
        "both": "failed",
        "ghost": "unreachable",
        "node1": "verified",
        "node10": "failed",
        "node2": "failed",
        "node3": "failed",
        "node4": "failed",
        "node5": "not reached",
        "node6": NOT_VERIFIED,
        small()[-1].host: "unreachable",
    }


def test_a_skipped_verification_is_a_state_that_is_read_again() -> None:
    report = build([Record("a", "", {"skipped": True, "false_condition": "asked"})], made=MADE)
    assert states(report) == {"a": SKIPPED}
    assert report["hosts"][0]["fault"] == "its verification was skipped: asked"
    assert read(as_text(report)) == report


def test_a_fault_is_told_without_its_mark() -> None:
    hosts = {host["host"]: host for host in build(small(), made=MADE)["hosts"]}
    assert hosts["ghost"]["fault"] == "Failed to connect to the host via ssh: No route to host"
    assert hosts["node4"]["fault"] == "2 findings\n  - a.cert: no key\n  - b.cert: junk"


def test_a_result_that_can_not_be_read_is_a_failed_host_and_costs_no_other() -> None:
    odd = verified("odd", {**good("odd"), "findings": 5})
    report = build([odd, verified("node1", good("node1"))], made=MADE)
    assert states(report) == {"node1": "verified", "odd": "failed"}
    assert report["hosts"][1]["fault"] == (
        "its verification can't be read: registries[0].findings: a list was expected"
    )


def test_nothing_of_a_result_travels_that_a_report_does_not_know() -> None:
    entry = {**good("node1"), "measured": {"hosts_toml": "SECRET"}, "invocation": "SECRET"}
    assert "SECRET" not in as_text(build([verified("node1", entry)], made=MADE))


def test_the_same_records_in_another_order_make_the_same_text() -> None:
    texts = {as_text(build(records, made=MADE)) for records in permutations(small()[:4])}
    assert len(texts) == 1


def test_what_was_written_is_read_again() -> None:
    report = build(small(), made=MADE)
    assert read(as_text(report)) == report


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "this is no JSON"),
        ("[" * 100_000, "this is no JSON"),
        ("[]", "this is no report"),
        ('{"hosts": []}', "this is no report"),
        ('{"report": 2}', "a report of another release (2)"),
        ('{"report": 1, "hosts": {}}', "report.hosts: a list was expected"),
        ('{"report": 1, "hosts": [{}]}', "report.hosts[0]: its name, its time or its state is missing"),
        ('{"report": 1, "made": "now"}', "report.made: a time such as"),
    ],
)
def test_what_is_no_report_is_told(text: str, told: str) -> None:
    with pytest.raises(InvalidReport) as error:
        read(text)
    assert told in str(error.value)


def test_of_a_host_in_two_slices_the_newest_stands() -> None:
    before = build([verified("a", spoiled("a")), verified("b", good("b"))], made=MADE)
    later = build([verified("a", good("a")), verified("c", good("c"))], made=LATER)
    merged = merge([before, later], made=LATER)
    assert states(merged) == dict.fromkeys("abc", "verified")
    assert [host["measured"] for host in merged["hosts"]] == [LATER, MADE, LATER]


def test_a_host_that_a_later_run_did_not_come_to_keeps_what_is_known() -> None:
    later = build([Record("a", "", {})], made=LATER)
    assert states(merge([build([verified("a", good("a"))], made=MADE), later], made=LATER)) == {"a": "verified"}


@given(SLICES, st.randoms(use_true_random=False))
def test_the_order_of_slices_does_not_matter(slices: list[Report], random: Any) -> None:
    other = random.sample(slices, len(slices))
    assert merge(slices, made=LATER) == merge(other, made=LATER)


@given(SLICES, st.integers(0, 5))
def test_slices_may_be_merged_in_steps_and_twice(slices: list[Report], place: int) -> None:
    whole = merge(slices, made=LATER)
    steps = [merge(slices[:place], made=MADE), merge(slices[place:], made=MADE), *slices]
    assert merge(steps, made=LATER) == whole


@given(SLICES)
def test_each_host_stands_once_with_its_newest_measurement(slices: list[Report]) -> None:
    hosts = [host for each in slices for host in each["hosts"]]
    merged = merge(slices, made=LATER)["hosts"]
    assert [host["host"] for host in merged] == sorted({host["host"] for host in hosts})
    for host in merged:
        others = [other for other in hosts if other["host"] == host["host"] and other["state"] != NOT_REACHED]
        if others:
            assert host["measured"] == max(other["measured"] for other in others)
            assert host in others


@pytest.mark.parametrize(
    ("status", "error", "answer"),
    [
        (200, None, "let in"),
        (403, None, "refused"),
        (302, None, "refused"),
        (None, "x", "error"),
        (None, None, "unknown"),
    ],
)
def test_what_a_verdict_comes_to(status: int | None, error: str | None, answer: str) -> None:
    assert answer_of({"status": status, "error": error}) == answer


def test_the_text_is_plain_json() -> None:
    assert json.loads(as_text(build(small(), made=MADE)))["report"] == 1
    assert set(STATES) >= set(states(build(small(), made=MADE)).values())
