# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the report's shape: what is taken in, and what is told of the rest."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.plugin_utils import _report_shape as shape
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import InvalidReport
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import registry, verdict


@pytest.mark.parametrize(
    ("given_text", "told"),
    [
        ("node1", "node1"),
        ("line 1\n\tline 2", "line 1\n\tline 2"),
        ("Größe 日本", "Größe 日本"),
        ("\x1b[31mred\x00", "\\x1b[31mred\\x00"),
        ("evil\u202egpj.cert", "evil\\u202egpj.cert"),
        ("not \udc80 UTF-8", "not \\udc80 UTF-8"),
        (None, ""),
    ],
)
def test_what_can_not_be_shown_becomes_an_escape(given_text: str | None, told: str) -> None:
    assert shape.text(given_text, "here") == told


@given(st.text(st.characters()))
def test_each_text_can_be_written_and_is_taken_in_once_for_all(anything: str) -> None:
    told = shape.text(anything, "here")
    assert shape.text(told, "here") == told
    assert told.encode().decode() == told


def test_only_known_fields_are_taken_in() -> None:
    (taken,) = shape.registries([{"name": "a", "key": "secret", "measured": {"files": []}, "requests": []}], "here")
    assert taken["name"] == "a"
    assert not {"key", "measured", "requests"} & set(taken)


def test_what_is_missing_is_unknown() -> None:
    (taken,) = shape.registries([{}], "here")
    assert taken["verdicts"]["engine"] == {
        "pair": None,
        "fingerprint": None,
        "status": None,
        "error": None,
        "reason": "",
        "attempts": [],
    }
    assert (taken["name"], taken["server"], taken["expected"]) == ("", None, None)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"name": 5}, "r[0].name: a text was expected"),
        ({"findings": "x"}, "r[0].findings: a list was expected"),
        ({"verdicts": []}, "r[0].verdicts: a mapping was expected"),
        ({"expected": "yes"}, "r[0].expected: true or false was expected"),
        ({"client_pairs": [{"not_after": "soon"}]}, "r[0].client_pairs[0].not_after: a time such as"),
        ({"client_pairs": [{"not_after": "2026-1-31T12:00:00Z"}]}, "a time such as"),
        ({"server": {"clock_skew": math.nan}}, "r[0].server.clock_skew: a number was expected"),
        ({"server": {"v2": True}}, "r[0].server.v2: a number was expected"),
    ],
)
def test_what_is_no_part_of_a_report_is_told_with_its_place(fault: dict[str, Any], told: str) -> None:
    entry = registry([], verdict(""), verdict(""), verdict(""))
    with pytest.raises(InvalidReport) as error:
        shape.registries([{**entry, **fault}], "r")
    assert told in str(error.value)


def test_a_time_is_seconds_since_1970() -> None:
    assert shape.seconds_of("1970-01-02T00:00:01Z") == 86401
    assert shape.seconds_of("9999-12-31T23:59:59Z") == 253402300799
