# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each policy with each kind of certificate, over TLS 1.2 and 1.3, in new sessions and in resumed ones."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.registries import Fleet, PolicyAnswers

REFUSED = "handshake refused"
NO_CERTIFICATE = "403 no client certificate was presented"
NOT_LISTED = "403 client certificate is not on the allowlist"
ALWAYS = {
    **dict.fromkeys(("expired", "not yet valid", "for servers", "self-signed, expired"), REFUSED),
    "none": NO_CERTIFICATE,
}
UNSIGNED = dict.fromkeys(("foreign", "self-signed", "self-signed, not listed"), REFUSED)
# What each registry of registries.py says to each kind of certificate.
EXPECTED = {
    "any_certificate": {
        **dict.fromkeys(("good", "named", "stranger", "revoked"), "200"),
        **dict.fromkeys(("foreign", "self-signed", "self-signed, not listed"), "200"),
    },
    "signed_by_ca": {**dict.fromkeys(("good", "named", "stranger"), "200"), "revoked": REFUSED, **UNSIGNED},
    "allowlist": {**dict.fromkeys(("good", "named"), "200"), "stranger": NOT_LISTED, "revoked": REFUSED, **UNSIGNED},
    "allowlist without a CA": {
        **dict.fromkeys(("good", "self-signed"), "200"),
        **dict.fromkeys(("named", "stranger", "revoked", "foreign", "self-signed, not listed"), NOT_LISTED),
    },
}


@pytest.mark.parametrize("policy", EXPECTED)
def test_each_certificate_gets_its_answer_whatever_the_session(policy_answers: PolicyAnswers, policy: str) -> None:
    seen = {
        certificate: {answer.outcome for answer in answers} for certificate, answers in policy_answers[policy].items()
    }
    assert seen == {certificate: {outcome} for certificate, outcome in {**EXPECTED[policy], **ALWAYS}.items()}


@pytest.mark.parametrize("policy", EXPECTED)
def test_sessions_were_resumed_where_there_were_any(policy_answers: PolicyAnswers, policy: str) -> None:
    for answers in policy_answers[policy].values():
        assert [answer.reused for answer in answers if answer.status] in ([], [False, True] * 4)


def test_no_kind_of_certificate_is_left_out(registries: Fleet, policy_answers: PolicyAnswers) -> None:
    for answers in policy_answers.values():
        assert set(answers) == {*registries.material.issued, "none"}
