# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the report as metrics, read by Prometheus' own parser."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import build
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import Record
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_metrics import render
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import text as shown
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import (
    HOSTILE,
    MADE,
    good,
    hostile,
    pair,
    small,
    spoiled,
    unasked,
    verified,
)

Samples = dict[str, list[tuple[dict[str, str], float]]]


def samples(*records: Record) -> Samples:
    """The samples by their metric."""
    families = text_string_to_metric_families(render(build(records, made=MADE)))
    return {
        family.name: [(sample.labels, sample.value) for sample in family.samples if sample.name == family.name]
        for family in families
    }


def test_the_whole_file_looks_so() -> None:
    assert render(build([Record("ghost", "unreachable: no route", {})], made=MADE)) == (
        "# HELP certs_d_report_made_timestamp_seconds When the report was made.\n"
        "# TYPE certs_d_report_made_timestamp_seconds gauge\n"
        "certs_d_report_made_timestamp_seconds 1795694400\n"
        "# HELP certs_d_host_measured_timestamp_seconds When the host was verified, or could not be.\n"
        "# TYPE certs_d_host_measured_timestamp_seconds gauge\n"
        'certs_d_host_measured_timestamp_seconds{host="ghost"} 1795694400\n'
        "# HELP certs_d_host_verified Whether all registries of the host are as expected: 1 or 0.\n"
        "# TYPE certs_d_host_verified gauge\n"
        'certs_d_host_verified{host="ghost"} 0\n'
    )


def test_each_client_certificate_tells_when_it_expires() -> None:
    told = samples(verified("node2", spoiled("node2")))["certs_d_certificate_not_after_seconds"]
    where = {"host": "node2", "registry": "registry.example:5000", "engine": "docker"}
    assert told == [
        ({**where, "pair": name, "fingerprint": pair(name, 0, owner="node2")["fingerprint"]}, 1795694400 + days * 86400)
        for name, days in (("10-old", -3), ("20-node", 300))
    ]


def test_each_verdict_is_one_or_zero_or_unknown() -> None:
    told = samples(verified("node1", unasked("node1")), verified("node2", spoiled("node2")))["certs_d_verdict"]
    values = {(labels["host"], labels["verdict"], labels["pair"]): value for labels, value in told}
    assert math.isnan(values.pop(("node1", "engine", "")))
    assert values == {
        ("node1", "documented", "20-node"): 1,
        ("node1", "effective", "20-node"): 1,
        ("node2", "documented", "20-node"): 1,
        ("node2", "effective", ""): 0,
        ("node2", "engine", ""): 0,
    }


def test_what_is_unknown_of_a_server_has_no_sample() -> None:
    told = samples(verified("node1", good("node1", server=None)))
    assert not [name for name in told if "server" in name]
    assert samples(verified("node1", good("node1")))["certs_d_server_clock_skew_seconds"][0][1] == 0.4


def test_a_series_stands_once() -> None:
    told = samples(verified("node1", good("node1"), good("node1")))
    assert len(told["certs_d_expected"]) == 1
    assert len(told["certs_d_verdict"]) == 3


def test_every_metric_has_its_help_and_type_once_and_before_its_samples() -> None:
    text = render(build(small(), made=MADE))
    lines = text.splitlines()
    for line in lines:
        if line.startswith("# TYPE "):
            name = line.split()[2]
            assert lines[lines.index(line) - 1].startswith(f"# HELP {name} ")
            assert lines[lines.index(line) + 1].startswith(name)
    assert text.endswith("\n")


def test_hostile_texts_stay_in_their_labels() -> None:
    told = samples(verified(HOSTILE, hostile()))["certs_d_certificate_not_after_seconds"]
    assert [labels["pair"] for labels, _value in told] == [HOSTILE]


@given(st.lists(st.text(st.characters(), min_size=1), min_size=5, max_size=5))
def test_every_text_comes_back_from_the_parser(texts: list[str]) -> None:
    host, name, engine, pair_name, subject = texts
    entry: dict[str, Any] = {**good("x"), "name": name, "engine": engine}
    entry["client_pairs"] = [{**pair(pair_name, 1), "subject": subject}]
    ((labels, _value),) = samples(verified(host, entry))["certs_d_certificate_not_after_seconds"]
    told = (labels["host"], labels["registry"], labels["engine"], labels["pair"])
    assert told == tuple(shown(text, "") for text in (host, name, engine, pair_name))
