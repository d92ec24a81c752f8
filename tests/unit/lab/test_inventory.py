# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's text, read as Ansible's YAML loader and ssh read it."""

from __future__ import annotations

import shlex

import yaml

from lab.inventory import inventory
from lab.parts import Host

HOSTS = (
    Host("registry1", "debian13", "registries", ("registry.lab",)),
    Host("node1", "debian12", "nodes", ()),
    Host("node2", "debian13", "nodes", ()),
)
ADDRESSES = {"registry1": "172.18.0.4", "node1": "172.18.0.2", "node2": "172.18.0.3"}


def test_each_host_stands_in_its_group_with_its_address() -> None:
    assert yaml.safe_load(inventory(HOSTS, ADDRESSES))["lab"]["children"] == {
        "registries": {"hosts": {"registry1": {"ansible_host": "172.18.0.4"}}},
        "nodes": {"hosts": {"node1": {"ansible_host": "172.18.0.2"}, "node2": {"ansible_host": "172.18.0.3"}}},
    }


def test_a_group_whose_hosts_are_apart_is_written_once() -> None:
    apart = (HOSTS[1], HOSTS[0], HOSTS[2])
    assert list(yaml.safe_load(inventory(apart, ADDRESSES))["lab"]["children"]) == ["nodes", "registries"]
    assert inventory(apart, ADDRESSES).count("    nodes:") == 1


def test_host_keys_are_checked_against_the_lab_s_own_file_also_below_a_path_with_a_blank() -> None:
    arguments = yaml.safe_load(inventory(HOSTS, ADDRESSES))["lab"]["vars"]["ansible_ssh_common_args"]
    words = shlex.split(arguments.replace("{{ inventory_dir }}", "/a b"))
    # ssh itself splits the option's value at blanks outside of double quotes.
    assert words == ["-o", 'UserKnownHostsFile="/a b/.lab/known_hosts"', "-o", "StrictHostKeyChecking=yes"]
