# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of fleet_table, which its action and its module share."""

from __future__ import annotations

from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._record_arguments import RECORD_ARGUMENTS

FLEET_TABLE_ARGUMENTS: dict[str, Any] = {
    "hosts": {"type": "list", "elements": "str", "required": True},
    **RECORD_ARGUMENTS,
    "max_fail_percentage": {"type": "float"},
}
