# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the verdicts: the measured cases of docker 1.2.0 to 1.3.3, and what holds for every matrix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    NOT_VERIFIED,
    complaint,
    documented,
    is_expected,
    unverified,
)

REFUSED = "the registry refused the TLS connection: certificate expired"
ANSWERS: dict[str | None, int | str] = {
    "bad": 403,
    "good": 200,
    "broken": 500,
    "unavailable": 503,
    "expired": REFUSED,
    "denied": 401,
    "missing": 404,
    "teapot": 418,
    "odd": 600,
    "elsewhere": 302,
    None: 403,
}


def row(pair: str | None, answer: int | str) -> dict[str, Any]:
    """A row of the matrix."""
    status, error = (answer, None) if isinstance(answer, int) else (None, answer)
    fingerprint = None if pair is None else f"fingerprint of {pair}"
    return {"pair": pair, "fingerprint": fingerprint, "status": status, "error": error, "seconds": 0.01}


def registry(*pairs: str | None, faults: tuple[str, ...] = (), severity: str = "error") -> dict[str, Any]:
    """What a node measures; each pair is answered by its name."""
    return {
        "name": "registry.lab:5000",
        "findings": [{"code": "x", "severity": severity, "place": "x", "message": fault} for fault in faults],
        "requests": [row(pair, ANSWERS[pair]) for pair in pairs],
    }


@pytest.mark.parametrize(
    ("pairs", "final", "saw"),
    [
        (["bad", "good"], 200, ["bad", "good"]),
        (["good", "bad"], 200, ["good"]),
        (["broken", "good"], 200, ["broken", "good"]),
        (["unavailable", "good"], 200, ["unavailable", "good"]),
        (["odd", "good"], 200, ["odd", "good"]),
        (["expired", "good"], 200, ["expired", "good"]),
        (
            ["bad", "broken", "unavailable", "expired", "good"],
            200,
            ["bad", "broken", "unavailable", "expired", "good"],
        ),
        (["bad"], 403, ["bad"]),
        (["bad", "expired"], REFUSED, ["bad", "expired"]),
        (["expired", "bad"], 403, ["expired", "bad"]),
        (["broken"], 500, ["broken"]),
        (["denied", "good"], 401, ["denied"]),
        (["missing", "good"], 404, ["missing"]),
        (["teapot", "good"], 418, ["teapot"]),
        (["elsewhere", "good"], 302, ["elsewhere"]),
        ([None], 403, [None]),
    ],
    ids=str,
)
def test_the_loop_is_that_of_the_document(pairs: list[str | None], final: int | str, saw: list[str | None]) -> None:
    verdict = documented(registry(*pairs))
    assert [attempt["pair"] for attempt in verdict["attempts"]] == saw
    assert (verdict["error"] if verdict["status"] is None else verdict["status"]) == final
    assert (verdict["pair"], verdict["fingerprint"]) == (
        (saw[-1], f"fingerprint of {saw[-1]}") if final == 200 else (None, None)
    )


def test_a_fault_in_the_directory_means_no_attempt_and_its_sentence() -> None:
    verdict = documented(registry("good", faults=("10.cert: no key", "20.cert: junk")))
    assert verdict["attempts"] == []
    assert (verdict["pair"], verdict["status"], verdict["error"]) == (None, None, "10.cert: no key")
    assert "10.cert: no key; 20.cert: junk" in verdict["reason"]
    assert "no request was sent" in verdict["reason"]


def test_a_warning_stops_nothing() -> None:
    assert documented(registry("good", faults=("left over",), severity="warning"))["pair"] == "good"


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["good"], "registry.lab:5000 lets in this host with good"),
        (["bad", "good"], "registry.lab:5000 lets in this host with good after bad (403)"),
        (["expired", "good"], f"registry.lab:5000 lets in this host with good after expired ({REFUSED})"),
        (["bad"], "registry.lab:5000 does not let this host in: bad (403)"),
        (["bad", "expired"], f"registry.lab:5000 does not let this host in: expired ({REFUSED}) after bad (403)"),
        ([None], "registry.lab:5000 does not let this host in: no certificate (403)"),
    ],
    ids=str,
)
def test_the_reason_names_registry_pair_and_cause(pairs: list[str | None], reason: str) -> None:
    assert documented(registry(*pairs))["reason"] == reason


def test_check_mode_has_a_verdict_of_the_same_shape() -> None:
    assert set(unverified()) == set(documented(registry("good")))
    assert unverified()["reason"] == NOT_VERIFIED
    assert unverified()["status"] is None


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
        ([None], {"status": 403, "pair": None}, True),
        ([None], {"status": 403, "pair": "good"}, False),
    ],
    ids=str,
)
def test_expected_are_a_status_and_the_pair_that_it_came_to(
    pairs: list[str | None], expected: dict[str, Any], holds: bool
) -> None:
    assert is_expected(documented(registry(*pairs)), expected) is holds


def test_a_faulty_directory_is_never_what_was_expected() -> None:
    assert not is_expected(documented(registry(faults=("x",))), {"status": 200, "pair": None})


NOT_ACCEPTED = "the registry's certificate is not accepted: unable to get local issuer certificate"


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
    verdict = documented({"name": "registry.lab:5000", "findings": [], "requests": [row("10-old", answer)]})
    told = complaint(verdict, {"status": 200, "pair": pair})
    assert told.startswith(verdict["reason"])
    assert "10-old" in told
    assert f". Expected: 200{' with 20-new' if pair else ''}. certs.d stays as deployed: {step}." in told


def test_the_complaint_about_a_faulty_directory_is_the_faults_own() -> None:
    told = complaint(documented(registry(faults=("10.cert: no key: lay it there",))), {"status": 200, "pair": None})
    assert told.endswith("10.cert: no key: lay it there. Expected: 200.")


answers = st.one_of(st.integers(min_value=100, max_value=999), st.text(min_size=1))
matrices = st.lists(answers, min_size=1, max_size=6).map(
    lambda given_answers: {
        "name": "registry.lab:5000",
        "findings": [],
        "requests": [row(f"pair {place}", answer) for place, answer in enumerate(given_answers)],
    }
)


def goes_on(request: dict[str, Any]) -> bool:
    """Rule 3 of the loop, written another way than in the code."""
    return request["error"] is not None or request["status"] in {403, *range(500, 1000)}


@given(matrices)
def test_attempts_are_the_first_rows_up_to_the_first_that_does_not_go_on(matrix: dict[str, Any]) -> None:
    attempts = documented(matrix)["attempts"]
    assert attempts == matrix["requests"][: len(attempts)]
    assert all(goes_on(attempt) for attempt in attempts[:-1])
    assert len(attempts) == len(matrix["requests"]) or not goes_on(attempts[-1])


@given(matrices)
def test_the_last_attempt_is_the_result_and_a_pair_is_named_where_it_got_in(matrix: dict[str, Any]) -> None:
    verdict = documented(matrix)
    last = verdict["attempts"][-1]
    assert (verdict["status"], verdict["error"]) == (last["status"], last["error"])
    assert (verdict["status"] is None) == (verdict["error"] is not None)
    got_in = last["status"] in range(200, 300)
    assert (verdict["pair"], verdict["fingerprint"]) == (
        (last["pair"], last["fingerprint"]) if got_in else (None, None)
    )


@given(matrices, answers)
def test_what_stands_behind_the_pair_that_got_in_changes_nothing(matrix: dict[str, Any], answer: int | str) -> None:
    longer = {**matrix, "requests": [*matrix["requests"], row("zz", answer)]}
    if documented(matrix)["pair"] is not None:
        assert documented(longer) == documented(matrix)


@given(matrices)
def test_the_matrix_is_left_as_it_is(matrix: dict[str, Any]) -> None:
    before = repr(matrix)
    documented(matrix)["attempts"][0]["pair"] = "spoiled"
    assert repr(matrix) == before
