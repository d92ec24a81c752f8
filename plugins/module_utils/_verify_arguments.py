# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of verify_fallback, which its action and its module share."""

from __future__ import annotations

from typing import Any

_VERDICT = {
    "pair": {"type": "str"},
    "status": {"type": "int", "default": 200},
}
VERIFY_ARGUMENTS: dict[str, Any] = {
    "registries": {"type": "list", "elements": "str"},
    "path": {"type": "path", "default": "/etc/docker/certs.d"},
    "request": {"type": "str", "default": "/v2/"},
    "timeout": {"type": "float", "default": 10.0},
    "expect": {
        "type": "dict",
        "default": {"documented": {"status": 200}},
        "options": {"documented": {"type": "dict", "default": {"status": 200}, "options": _VERDICT}},
    },
}
