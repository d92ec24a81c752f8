#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action fleet.certs_d.fleet_table, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_table
version_added: 0.1.0
short_description: Show the verdicts of a fleet as one table
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Prints one table of plain text with host, registry, the client pair that got in, the attempts, the days that its
    certificate has left, and the result.
  - It reads what the hosts' tasks have recorded in two variables, so that failed and unreachable hosts are rows, too.
  - Runs on the controller and talks to no host. Use it with C(run_once).
  - In a play with C(serial) it prints in the last batch, and earlier in a batch of which every host is going to fail,
    because the play ends there.
extends_documentation_fragment:
  - fleet.certs_d.attributes
  - fleet.certs_d.records
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
options:
  hosts:
    description: Inventory names of the hosts, in the order of the rows.
    type: list
    elements: str
    required: true
  max_fail_percentage:
    version_added: 0.2.0
    description:
      - The part of a batch that may fail before a rollout ends, from 0 to 100. The table then comes in that batch, and
        RV(ends) is for a task C(meta=end_play) behind it.
    type: float
seealso:
  - module: fleet.certs_d.verify_fallback
"""

EXAMPLES = r"""
- name: Verify
  fleet.certs_d.verify_fallback:
  register: node_verification
  failed_when: false
  become: true

- name: Show all hosts at once
  fleet.certs_d.fleet_table:
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
hosts:
  description: Number of hosts in the table.
  returned: success
  type: int
  sample: 3
ends:
  description: Whether all hosts of the batch are going to fail, or more of them than O(max_fail_percentage).
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_table_arguments import FLEET_TABLE_ARGUMENTS


def main() -> None:
    """Say where the work is done: whoever gets here has no action plugin."""
    module = AnsibleModule(argument_spec=FLEET_TABLE_ARGUMENTS, supports_check_mode=True)
    module.fail_json(msg="fleet.certs_d.fleet_table runs on the controller as an action; it can't be run as a module")


if __name__ == "__main__":
    main()
