# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's fleet is that of the other tests."""

from ansible_collections.fleet.certs_d.tests.fleet.conftest import certs_d, fleet, on, playbook

__all__ = ["certs_d", "fleet", "on", "playbook"]
