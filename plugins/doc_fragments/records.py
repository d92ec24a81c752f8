# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name what the hosts of a fleet have recorded."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the plugins that show a fleet."""

    DOCUMENTATION = r"""
options:
  verification:
    description: Name of the variable that holds what M(fleet.certs_d.verify_fallback) returned for a host.
    type: str
    default: node_verification
  failures:
    description:
      - Names of the variables that hold the sentence why a host got no further.
      - Hosts of the inventory in which one of them is set are shown as well.
    type: list
    elements: str
    default: [node_failure, registry_failure]
"""
