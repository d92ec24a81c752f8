# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of fleet_report, which its action and its module share."""

from __future__ import annotations

from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._record_arguments import RECORD_ARGUMENTS

FLEET_REPORT_ARGUMENTS: dict[str, Any] = {
    "dest": {"type": "path", "required": True},
    "hosts": {"type": "list", "elements": "str", "default": []},
    "slices": {"type": "list", "elements": "path", "default": []},
    "formats": {
        "type": "list",
        "elements": "str",
        "choices": ["json", "html", "prometheus"],
        "default": ["json", "html", "prometheus"],
    },
    **RECORD_ARGUMENTS,
}
