# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of what hosts have recorded, an interface that fleet_report and fleet_table share."""

from __future__ import annotations

from typing import Any

RECORD_ARGUMENTS: dict[str, Any] = {
    "verification": {"type": "str", "default": "node_verification"},
    "failures": {"type": "list", "elements": "str", "default": ["node_failure", "registry_failure"]},
}
