# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a running fleet."""

from __future__ import annotations

from collections.abc import Mapping

from lab.parts import Host

_HEAD = """---
# Written by the lab from the containers that run; the next run writes it anew.
# The variables are the lab's alone: in `all` they would be those of localhost, too.
lab:
  vars:
    ansible_user: root
    ansible_python_interpreter: /usr/bin/python3
    ansible_ssh_private_key_file: "{{ inventory_dir }}/.lab/id_ed25519"
    ansible_ssh_common_args: >-
      -o 'UserKnownHostsFile="{{ inventory_dir }}/.lab/known_hosts"' -o StrictHostKeyChecking=yes
  children:
"""


def inventory(hosts: tuple[Host, ...], addresses: Mapping[str, str]) -> str:
    """The text of hosts.yml."""
    lines = []
    for group in dict.fromkeys(host.group for host in hosts):
        lines += [f"    {group}:", "      hosts:"]
        for host in hosts:
            if host.group == group:
                lines += [f"        {host.name}:", f"          ansible_host: {addresses[host.name]}"]
    return _HEAD + "\n".join(lines) + "\n"
