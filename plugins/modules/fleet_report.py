#!/usr/bin/python
# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of the action fleet.certs_d.fleet_report, which does the work on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_report
version_added: 0.2.0
short_description: Write the verdicts of a fleet as JSON, as a page and as metrics
author:
  - fleet.certs_d contributors (@fleet-certs-d)
description:
  - Writes C(report.json), the page C(report.html), which needs nothing beside itself, and C(report.prom) for the
    textfile collector of node_exporter.
  - It reads what the hosts' tasks have recorded in two variables, so that failed and unreachable hosts are in it, too.
  - C(report.json) of the slices of a fleet can be merged, in this run or in one of its own.
  - Runs on the controller and talks to no host. Use it with C(run_once). A report is no change of a host, so that the
    result never is changed.
  - In a play with C(serial) each batch writes the report anew; hosts that are still to come are C(not reached) in it.
extends_documentation_fragment:
  - fleet.certs_d.attributes
  - fleet.certs_d.records
attributes:
  check_mode:
    support: full
    details: Nothing is written, because nothing was verified.
  diff_mode:
    support: none
  platform:
    support: full
    platforms: posix
options:
  dest:
    description:
      - Directory on the controller that the files are written to, with mode 0644 and each in one step. It is made if
        need be. A relative one is below the working directory.
    type: path
    required: true
  hosts:
    description: Inventory names of the hosts.
    type: list
    elements: str
    default: []
  slices:
    description:
      - Files C(report.json) of earlier runs that are merged into this one. Of a host that is in several the newest
        verification stands, whatever the order.
    type: list
    elements: path
    default: []
  formats:
    description: Which of the three files are written.
    type: list
    elements: str
    choices: [json, html, prometheus]
    default: [json, html, prometheus]
seealso:
  - module: fleet.certs_d.verify_fallback
  - module: fleet.certs_d.fleet_table
"""

EXAMPLES = r"""
- name: Verify
  fleet.certs_d.verify_fallback:
  register: node_verification
  failed_when: false
  become: true

- name: Write the report of all hosts
  fleet.certs_d.fleet_report:
    hosts: "{{ ansible_play_hosts_all }}"
    dest: reports/today
  run_once: true
  delegate_to: localhost

- name: Merge the slices of a fleet
  fleet.certs_d.fleet_report:
    dest: reports/fleet
    slices: [reports/europe/report.json, reports/asia/report.json]
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
hosts:
  description: Number of hosts in the report.
  returned: success
  type: int
  sample: 3
files:
  description: The files that were written. Empty in check mode.
  returned: success
  type: list
  elements: str
  sample: [/home/me/reports/today/report.json]
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fleet.certs_d.plugins.module_utils._fleet_report_arguments import FLEET_REPORT_ARGUMENTS


def main() -> None:
    """Say where the work is done: whoever gets here has no action plugin."""
    module = AnsibleModule(argument_spec=FLEET_REPORT_ARGUMENTS, supports_check_mode=True)
    module.fail_json(msg="fleet.certs_d.fleet_report runs on the controller as an action; it can't be run as a module")


if __name__ == "__main__":
    main()
