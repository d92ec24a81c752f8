# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the fleet's table as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._documented import documented
from ansible_collections.fleet.certs_d.plugins.plugin_utils._effective import effective
from ansible_collections.fleet.certs_d.plugins.plugin_utils._engine_verdict import engine_verdict
from ansible_collections.fleet.certs_d.plugins.plugin_utils._expectation import unmet
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_table import (
    Record,
    is_due,
    is_end,
    render,
    rows_of,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import unverified
from ansible_collections.fleet.certs_d.tests.unit.matrix import NAME, registry

IN = {"status": 200, "pair": None}


def measured(*pairs: str, demand: str = "effective", **changes: Any) -> dict[str, Any]:
    """One registry of a verification; the pairs have 10, 20, … days left."""
    found = registry(*pairs, **changes)
    verdicts = {
        "documented": documented(found),
        "effective": effective(found, now=datetime.now(UTC)),
        "engine": engine_verdict(found),
    }
    complaint = unmet(verdicts, {demand: IN})
    return {**found, "verdicts": verdicts, "expected": complaint is None, "complaint": complaint}


def verified(host: str, *registries: dict[str, Any]) -> Record:
    return Record(host, "", {"verified": all(each["expected"] for each in registries), "registries": list(registries)})


ITSELF = {"client": "docker", "status": 200, "error": None, "seconds": 0.1}
GOOD = verified("node1", measured("good", asked=ITSELF))
FALLEN_BACK = verified("node2", measured("bad", "good", demand="documented"))
REFUSED = verified("node3", measured("expired", "good"))
UNREACHABLE = Record("ghost", "unreachable: no route to host", {})
FAILED = Record("node4", "2 findings\n  - a.cert: no key\n  - b.cert: junk", {})
NOT_YET = Record("node5", "", {})
CHECKED = Record(
    "node6",
    "",
    {"verified": False, "registries": [{"name": NAME, "engine": "docker", "verdicts": {"effective": unverified()}}]},
)
CHECKED_WITHOUT_NAMES = Record("node7", "", {"verified": False, "registries": []})
NOTHING_TO_ASK = Record("node8", "", {"verified": True, "registries": []})
ALL = [GOOD, FALLEN_BACK, REFUSED, UNREACHABLE, FAILED, NOT_YET, CHECKED, CHECKED_WITHOUT_NAMES, NOTHING_TO_ASK]


def shown(*records: Record) -> str:
    return render([row for record in records for row in rows_of(record)])


def test_the_whole_table_looks_so() -> None:
    table = """\
HOST   REGISTRY           ENGINE  DOCUMENTED                EFFECTIVE      ITSELF  DAYS LEFT  RESULT
node1  registry.lab:5000  docker  good 200                  good 200       200     10         verified
node2  registry.lab:5000  docker  bad 403 > good 200        bad 403        -       10         verified
node3  registry.lab:5000  docker  expired error > good 200  expired error  -       10         failed
ghost  -                  -       -                         -              -       -          unreachable
node4  -                  -       -                         -              -       -          failed
node5  -                  -       -                         -              -       -          not reached
node6  registry.lab:5000  docker  -                         -              -       -          not verified (check mode)
node7  -                  -       -                         -              -       -          not verified (check mode)
node8  -                  -       -                         -              -       -          no registries

node3: docker would present expired; registry.lab:5000 refuses it (the registry refused the TLS connection: \
certificate expired); good would be accepted: remove or rename expired. Only the loop of docker 1.2 to 1.3 would get \
in, with good. Expected: 200. certs.d stays as deployed: deploy a pair that the registry trusts.
ghost: no route to host
node4: 2 findings
  - a.cert: no key
  - b.cert: junk

2 of 9 hosts verified"""
    assert shown(*ALL) == table
    assert max(len(line) for line in table.splitlines()[:10]) <= 120


def test_columns_stand_below_each_other_whatever_their_length() -> None:
    long = verified("a-node-of-a-long-name.example", measured("good-" + "a" * 30, name="a-registry.example:5000"))
    lines = shown(GOOD, long).splitlines()[:3]
    places = [lines[0].index(head) for head in ("REGISTRY", "DOCUMENTED", "EFFECTIVE", "DAYS LEFT", "RESULT")]
    assert all(line[place - 2 : place] == "  " and line[place] != " " for line in lines for place in places)


def test_a_host_of_two_registries_has_two_rows_and_counts_once() -> None:
    both = verified("node1", measured("good", name="a:1"), measured("bad", name="b:1"))
    text = shown(both)
    assert [line.split()[-1] for line in text.splitlines()[1:3]] == ["verified", "failed"]
    assert text.endswith("0 of 1 hosts verified")


def test_an_answer_to_no_certificate_is_told() -> None:
    assert "no certificate 200" in shown(verified("node1", measured(without=200)))


def test_what_was_expected_is_verified_without_getting_in() -> None:
    as_meant = {**measured("denied"), "expected": True, "complaint": None}
    assert [(row.result, row.effective) for row in rows_of(verified("node1", as_meant))] == [("verified", "denied 401")]


def test_a_module_that_failed_is_a_row_with_its_message() -> None:
    (row,) = rows_of(Record("node1", "", {"verified": False, "msg": "use become"}))
    assert (row.result, row.fault) == ("failed", "use become")


def test_a_host_without_a_host_directory_is_a_failed_row_and_the_table_comes_where_no_other_is_left() -> None:
    nothing = "docker: there is no host directory, so nothing was asked"
    record = Record("node9", "", {"verified": False, "registries": [], "failed": False, "msg": nothing})
    (row,) = rows_of(record)
    assert (row.result, row.fault) == ("failed", nothing)
    assert is_due([FAILED, record, NOT_YET], batch=["node4", "node9"])
    assert is_end([FAILED, record], batch=["node4", "node9"], max_fail_percentage=None)


def test_a_host_whose_verification_was_skipped_says_why_and_is_no_failure() -> None:
    skipped = Record("node1", "", {"changed": False, "skipped": True, "false_condition": "asked | bool"})
    assert shown(skipped).splitlines()[1:] == [
        "node1  -         -       -           -          -       -          not verified (skipped)",
        "",
        "node1: its verification was skipped: asked | bool",
        "",
        "0 of 1 hosts verified",
    ]
    assert not skipped.is_bad


@pytest.mark.parametrize("told", [{"skipped": True}, {"changed": False}, {"msg": ""}, {"results": []}], ids=str)
def test_no_host_is_without_words(told: dict[str, Any]) -> None:
    (row,) = rows_of(Record("node1", "", told))
    assert row.fault


def test_a_host_that_was_lost_while_it_asked_is_unreachable() -> None:
    (row,) = rows_of(Record("node1", "", {"unreachable": True, "msg": "timed out"}))
    assert (row.result, row.fault) == ("unreachable", "timed out")


@pytest.mark.parametrize(
    ("records", "batch", "due"),
    [
        ([GOOD, FALLEN_BACK], ["node1", "node2"], True),
        ([GOOD, REFUSED], ["node1", "node3"], True),
        ([GOOD, NOT_YET], ["node1"], False),
        ([GOOD, NOT_YET], ["node1", "node5"], True),
        ([GOOD, REFUSED, NOT_YET], ["node1", "node3"], False),
        ([REFUSED, NOT_YET], ["node3"], True),
        ([UNREACHABLE, FAILED, NOT_YET], ["ghost", "node4"], True),
        ([CHECKED, NOT_YET], ["node6"], False),
        ([NOTHING_TO_ASK, NOT_YET], ["node8"], False),
    ],
    ids=str,
)
def test_the_table_is_due_in_the_last_batch_and_where_no_host_of_a_batch_is_left(
    records: list[Record], batch: list[str], due: bool
) -> None:
    assert is_due(records, batch=batch) is due


@pytest.mark.parametrize(
    ("records", "batch", "limit", "due"),
    [
        ([GOOD, REFUSED, NOT_YET], ["node1", "node3"], 50, False),
        ([GOOD, REFUSED, NOT_YET], ["node1", "node3"], 49, True),
        ([GOOD, FALLEN_BACK, NOT_YET], ["node1", "node2"], 0, False),
        # Those of earlier batches do not count.
        ([REFUSED, GOOD, NOT_YET], ["node1"], 0, False),
    ],
    ids=str,
)
def test_the_table_is_due_where_more_hosts_have_failed_than_the_play_allows(
    records: list[Record], batch: list[str], limit: float, due: bool
) -> None:
    assert is_due(records, batch=batch, max_fail_percentage=limit) is due
