# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the engine's verdict, which is its own word."""

from __future__ import annotations

from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._engine_verdict import engine_verdict
from ansible_collections.fleet.certs_d.tests.unit.matrix import NAME, registry


def asked(status: int | None, error: str | None = None) -> dict[str, Any]:
    return engine_verdict(
        registry("good", asked={"client": "skopeo", "status": status, "error": error, "seconds": 0.1})
    )


def test_an_engine_that_was_not_asked_leaves_the_verdict_unknown() -> None:
    verdict = engine_verdict(registry("good"))
    assert (verdict["status"], verdict["error"], verdict["attempts"]) == (None, None, [])
    assert verdict["reason"] == "no engine was asked: docker does not run here"


def test_an_engine_that_gets_in_names_no_pair() -> None:
    verdict = asked(200)
    assert (verdict["status"], verdict["pair"]) == (200, None)
    assert verdict["reason"] == f"skopeo itself gets into {NAME}"


def test_the_text_of_a_refusal_is_the_engines_own() -> None:
    verdict = asked(403, "denied: client certificate is not on the list")
    assert (verdict["status"], verdict["pair"]) == (403, None)
    assert verdict["reason"].endswith("denied: client certificate is not on the list")
    assert asked(None, "x509: certificate signed by unknown authority")["error"].startswith("x509")
