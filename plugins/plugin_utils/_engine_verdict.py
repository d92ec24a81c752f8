# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's verdict: what the engine of the node says itself, never computed from a rule of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import Verdict, lets_in, of_attempts, unknown


def engine_verdict(registry: Mapping[str, Any]) -> Verdict:
    """The engine tells whether it got in, not with which pair; its own text is the error."""
    asked = registry["asked"]
    if asked is None:
        return unknown(f"no engine was asked: {registry['asked_why']}")
    row = {"pair": None, "fingerprint": None, **{key: asked[key] for key in ("status", "error", "seconds")}}
    if lets_in(row):
        return of_attempts([row], f"{asked['client']} itself gets into {registry['name']}")
    words = asked["error"] or f"status {asked['status']}"
    return of_attempts([row], f"{asked['client']} itself does not get into {registry['name']}: {words}")
