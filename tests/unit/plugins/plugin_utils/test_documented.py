# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the documented verdict: the measured cases of docker 1.2.0 to 1.3.3, and what holds for every matrix."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.plugin_utils._documented import documented
from ansible_collections.fleet.certs_d.tests.unit.matrix import REFUSED, finding, registry, row


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
        ([], 403, [None]),
    ],
    ids=str,
)
def test_the_loop_is_that_of_the_document(pairs: list[str], final: int | str, saw: list[str | None]) -> None:
    verdict = documented(registry(*pairs))
    assert [attempt["pair"] for attempt in verdict["attempts"]] == saw
    assert (verdict["error"] if verdict["status"] is None else verdict["status"]) == final
    assert (verdict["pair"], verdict["fingerprint"]) == (
        (saw[-1], f"fingerprint of {saw[-1]}") if final == 200 else (None, None)
    )


def test_a_fault_in_the_directory_means_no_attempt_and_its_sentence() -> None:
    verdict = documented(registry("good", findings=[finding("key-missing", "a.cert"), finding("key-junk", "b.key")]))
    assert verdict["attempts"] == []
    assert (verdict["pair"], verdict["status"], verdict["error"]) == (None, None, "a.cert: key-missing")
    assert verdict["reason"].endswith(
        "no request was sent, because the loop of the document refuses this host directory: "
        "a.cert: key-missing; b.key: key-junk"
    )


@pytest.mark.parametrize(
    "harmless",
    [finding("leftover", "good.cert", "warning"), finding("certificate-junk", "ca.crt")],
    ids=lambda harmless: harmless["code"],
)
def test_neither_a_warning_nor_a_junk_root_stops_it(harmless: dict[str, str]) -> None:
    assert documented(registry("good", findings=[harmless]))["pair"] == "good"


def test_roots_that_replace_the_systems_can_distrust_the_registry() -> None:
    distrust = "the registry's certificate is not accepted: unable to get local issuer certificate"
    verdict = documented(registry("bad", "good", measured={"trust": {"replacing": distrust, "adding": None}}))
    assert (verdict["status"], verdict["error"], verdict["pair"]) == (None, distrust, None)
    assert [attempt["pair"] for attempt in verdict["attempts"]] == ["bad", "good"]


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["good"], "registry.lab:5000 lets in this host with good"),
        (["bad", "good"], "registry.lab:5000 lets in this host with good after bad (403)"),
        (["expired", "good"], f"registry.lab:5000 lets in this host with good after expired ({REFUSED})"),
        (["bad"], "registry.lab:5000 does not let this host in: bad (403)"),
        (["bad", "expired"], f"registry.lab:5000 does not let this host in: expired ({REFUSED}) after bad (403)"),
        ([], "registry.lab:5000 does not let this host in: no certificate (403)"),
    ],
    ids=str,
)
def test_the_reason_names_registry_pair_and_cause(pairs: list[str], reason: str) -> None:
    assert documented(registry(*pairs))["reason"] == reason


@pytest.mark.parametrize("findings", [[], [finding("key-missing", "10.cert")]], ids=["sound", "faulty"])
def test_a_registry_that_dockers_settings_call_insecure_has_another_loop_at_the_end(
    findings: list[dict[str, str]],
) -> None:
    late = (
        "From docker 1.3.1 on, which brought --insecure-registry, no certs.d is read for it, since docker's settings "
        "here call it insecure"
    )
    plain = documented(registry("good", findings=findings))
    listed = documented(registry("good", findings=findings, measured={"listed_insecure": True}))
    assert listed == {**plain, "reason": f"{plain['reason']}. {late}"}
    loopback = {"loopback": True, "insecure": True}
    assert documented(registry("good", findings=findings, measured=loopback)) == plain


answers = st.one_of(st.integers(min_value=100, max_value=999), st.text(min_size=1))
matrices = st.lists(answers, min_size=1, max_size=6).map(
    lambda given_answers: {
        **registry(),
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
