# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of verify_fallback, which its action and its module share."""

from __future__ import annotations

from typing import Any

_STATUS: dict[str, Any] = {"status": {"type": "int", "default": 200}}
_PAIR_AND_STATUS: dict[str, Any] = {"pair": {"type": "str"}, **_STATUS}
VERIFY_ARGUMENTS: dict[str, Any] = {
    "registries": {"type": "list", "elements": "str"},
    "engines": {
        "type": "list",
        "elements": "str",
        "choices": ["docker", "containers", "containerd"],
        "default": ["docker"],
    },
    "path": {"type": "path"},
    "request": {"type": "str", "default": "/v2/"},
    "timeout": {"type": "float", "default": 10.0},
    "timeout_total": {"type": "float", "default": 120.0},
    "ask_engine": {"type": "bool", "default": True},
    "image": {"type": "str", "default": "fleet-certs-d/none:none"},
    "expect": {
        "type": "dict",
        "default": {"effective": {"status": 200}},
        # A verdict that is not named demands nothing, so none of them has a default.
        # An engine does not tell its pair.
        "options": {
            "documented": {"type": "dict", "options": _PAIR_AND_STATUS},
            "effective": {"type": "dict", "options": dict(_PAIR_AND_STATUS)},
            "engine": {"type": "dict", "options": _STATUS},
        },
    },
}
