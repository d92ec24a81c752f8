# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of layout_info, which its action and its module share."""

from __future__ import annotations

from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES

LAYOUT_INFO_ARGUMENTS: dict[str, Any] = {
    "engines": {
        "type": "list",
        "elements": "str",
        "choices": sorted(ENGINES),
        "default": ["docker", "containers", "containerd"],
    },
    "path": {"type": "path"},
    "scope": {"type": "str", "choices": ["system", "user"], "default": "system"},
    "user": {"type": "str"},
    "registries": {"type": "list", "elements": "str"},
    "warn_days": {"type": "int", "default": 30},
}
