# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the catalogue of findings."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._findings import CATALOGUE, Finding, errors, report


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_code_says_how_bad_it_is_what_is_wrong_and_what_to_do(code: str) -> None:
    kind = CATALOGUE[code]
    assert kind.severity in ("error", "warning", "info")
    assert kind.problem
    assert kind.remedy


def test_a_sentence_names_the_file_the_fault_the_detail_and_the_remedy() -> None:
    sentence = Finding("key-missing", "reg:5000/10.cert", "CN=x").sentence()
    assert sentence == (
        "reg:5000/10.cert: the certificate has no key (CN=x): lay its .key beside it; CA roots must end in .crt"
    )


def test_a_sentence_without_detail_has_no_empty_brackets() -> None:
    assert "(" not in Finding("expired", "a.cert").sentence()


def test_only_errors_stop_a_run() -> None:
    error, warning = Finding("expired", "a.cert"), Finding("unmanaged", "README")
    assert errors([error, warning]) == [error]


def test_a_report_tells_every_finding_on_a_line_of_its_own() -> None:
    findings = [Finding("expired", "a.cert"), Finding("key-junk", "b.key")]
    assert report("node1:", findings).split("\n") == ["node1:", *(f"  - {each.sentence()}" for each in findings)]


def test_a_finding_stands_in_results_with_code_severity_place_and_message() -> None:
    finding = Finding("key-junk", "b.key")
    assert finding.as_data() == {
        "code": "key-junk",
        "severity": "error",
        "place": "b.key",
        "message": finding.sentence(),
    }
