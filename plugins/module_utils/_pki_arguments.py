# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of fleet.certs_d.pki, which its action and its module share."""

from __future__ import annotations

from typing import Any

PKI_ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "required": True},
    "authority": {"type": "path", "required": True},
    "registries": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "server_names": {"type": "list", "elements": "str"},
            "hosts": {"type": "list", "elements": "str"},
            "pairs": {"type": "list", "elements": "str", "default": ["client"]},
        },
    },
    "valid_days": {"type": "int", "default": 90},
    "renew_days": {"type": "int", "default": 30},
}
