# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what a play demands of the verdicts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._documented import documented
from ansible_collections.fleet.certs_d.plugins.plugin_utils._effective import effective
from ansible_collections.fleet.certs_d.plugins.plugin_utils._engine_verdict import engine_verdict
from ansible_collections.fleet.certs_d.plugins.plugin_utils._expectation import contradiction, is_expected, unmet
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import unknown
from ansible_collections.fleet.certs_d.tests.unit.matrix import NAME, REFUSED, finding, registry, row

IN = {"status": 200, "pair": None}
NOT_ACCEPTED = "the registry's certificate is not accepted: unable to get local issuer certificate"


def verdicts(measured: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        "documented": documented(measured),
        "effective": effective(measured, now=datetime.now(UTC)),
        "engine": engine_verdict(measured),
    }


@pytest.mark.parametrize(
    ("pairs", "expected", "holds"),
    [
        (["good"], {"status": 200, "pair": None}, True),
        (["good"], {"status": 200, "pair": "good"}, True),
        (["bad", "good"], {"status": 200, "pair": "bad"}, False),
        (["bad"], {"status": 200, "pair": None}, False),
        (["bad"], {"status": 403, "pair": None}, True),
        (["bad"], {"status": 403, "pair": "bad"}, True),
        (["denied"], {"status": 401, "pair": "denied"}, True),
        (["denied"], {"status": 401, "pair": "other"}, False),
        (["expired"], {"status": 200, "pair": None}, False),
        ([], {"status": 403, "pair": None}, True),
        ([], {"status": 403, "pair": "good"}, False),
    ],
    ids=str,
)
def test_expected_are_a_status_and_the_pair_that_it_came_to(
    pairs: list[str], expected: dict[str, Any], holds: bool
) -> None:
    assert is_expected(documented(registry(*pairs)), expected) is holds


def test_neither_a_faulty_directory_nor_an_unknown_verdict_is_ever_expected() -> None:
    assert not is_expected(documented(registry(findings=[finding("key-missing", "a.cert")])), IN)
    assert not is_expected(unknown("x"), IN)


def test_what_is_not_named_demands_nothing() -> None:
    assert unmet(verdicts(registry("bad")), {"documented": None, "effective": None, "engine": None}) is None
    assert unmet(verdicts(registry("bad", "good")), {"documented": IN, "effective": None}) is None


def test_a_host_that_gets_in_by_the_loop_alone_is_told_so() -> None:
    told = unmet(verdicts(registry("bad", "good")), {"effective": IN})
    assert told == (
        f"docker would present bad; {NAME} refuses it (403); good would be accepted: remove or rename bad. Only the "
        "loop of docker 1.2 to 1.3 would get in, with good. Expected: 200. certs.d stays as deployed: have the "
        "registry admit this host, or deploy a pair that it admits."
    )


def test_every_verdict_that_is_not_as_demanded_has_a_sentence() -> None:
    told = unmet(verdicts(registry("bad")), {"documented": IN, "effective": IN, "engine": IN})
    assert told is not None
    documented_, effective_, engine = told.splitlines()
    assert documented_.startswith(f"{NAME} does not let this host in: bad (403). Expected: 200. ")
    assert effective_.startswith("docker would present bad; ")
    assert engine == (
        "no engine was asked: docker does not run here. Expected: 200. An unknown verdict fulfils nothing: demand "
        "another one in expect, or change what keeps it unknown."
    )


@pytest.mark.parametrize(
    ("answer", "pair", "step"),
    [
        (403, None, "have the registry admit this host, or deploy a pair that it admits"),
        (401, None, "have the registry admit this host, or deploy a pair that it admits"),
        (503, None, "look into the registry's log"),
        (404, None, "check that the registry serves what is requested"),
        (200, "20-new", "have the registry admit 20-new, and no pair before it"),
        (REFUSED, None, "deploy a pair that the registry trusts"),
        (NOT_ACCEPTED, None, "deploy the CA root that signed it, or give the registry a certificate of this name"),
        ("Connection refused", None, "check that the registry runs, speaks TLS and can be reached from this host"),
    ],
)
def test_a_complaint_says_what_was_expected_what_stays_and_what_to_do(
    answer: int | str, pair: str | None, step: str
) -> None:
    measured = {**registry(), "requests": [row("10-old", answer)]}
    told = unmet({"documented": documented(measured)}, {"documented": {"status": 200, "pair": pair}})
    assert told is not None
    assert told.startswith(documented(measured)["reason"])
    assert f". Expected: 200{' with 20-new' if pair else ''}. certs.d stays as deployed: {step}." in told


def test_the_complaint_about_a_faulty_directory_is_the_faults_own() -> None:
    measured = registry(findings=[finding("key-missing", "10.cert")])
    told = unmet({"documented": documented(measured)}, {"documented": IN})
    assert told is not None
    assert told.endswith("10.cert: key-missing. Expected: 200.")


@pytest.mark.parametrize(
    ("pair", "status", "disagree"), [("good", 200, False), ("good", 403, True), ("bad", 200, True), ("bad", 403, False)]
)
def test_an_engine_that_says_otherwise_than_foretold_is_told(pair: str, status: int, disagree: bool) -> None:
    asked = {"client": "docker", "status": status, "error": None, "seconds": 0.1}
    told = contradiction(verdicts(registry(pair, asked=asked)))
    assert (told is not None) is disagree
    assert not disagree or "The engine is right" in str(told)


def test_nothing_contradicts_an_engine_that_was_not_asked() -> None:
    assert contradiction(verdicts(registry("good"))) is None


def test_an_engine_that_takes_404_for_an_unknown_image_contradicts_nothing() -> None:
    asked = {"client": "ctr", "status": 200, "error": None, "seconds": 0.1}
    assert contradiction(verdicts(registry("missing", engine="containerd", asked=asked))) is None


@pytest.mark.parametrize("pair", ["denied", "missing"])
def test_an_engine_with_a_login_or_without_the_image_is_no_contradiction(pair: str) -> None:
    asked = {"client": "skopeo", "status": 200, "error": None, "seconds": 0.1}
    assert contradiction(verdicts(registry(pair, asked=asked))) is None


def test_the_words_of_an_engine_get_no_advice_made_for_ours() -> None:
    asked = {"client": "docker", "status": None, "error": "missing key 10.key", "seconds": 0.1}
    told = unmet(verdicts(registry("good", asked=asked)), {"engine": {"status": 200}})
    assert told is not None
    assert told.endswith("missing key 10.key. Expected: 200.")
