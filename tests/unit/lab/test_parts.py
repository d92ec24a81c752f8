# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kinds.toml and a fleet's own file as data."""

from __future__ import annotations

import pytest

from lab.parts import Host, Kind, fleets, parse_parts, read_parts

KINDS = """
packages = ["python3"]
[kinds]
debian12 = { suite = "bookworm", base = "debian:12" }
"""
HOSTS = """
[hosts]
registry1 = { kind = "debian12", group = "registries", aliases = ["registry.lab"] }
node1 = { kind = "debian12", group = "nodes" }
"""
SID = 'sid = { suite = "sid", base = "debian:sid", packages = ["podman"], engines = true }'


def test_a_kind_is_one_line() -> None:
    more = parse_parts(KINDS + SID, HOSTS + 'node2 = { kind = "sid", group = "nodes" }')
    assert parse_parts(KINDS, HOSTS).kinds == {"debian12": Kind("debian12", "bookworm", "debian:12")}
    assert more.kinds["sid"] == Kind("sid", "sid", "debian:sid", packages=("podman",), engines=True)


def test_a_kind_that_no_host_is_of_costs_no_image() -> None:
    assert list(parse_parts(KINDS + SID, HOSTS).kinds) == ["debian12"]


def test_hosts_keep_their_order_and_aliases_may_be_absent() -> None:
    assert parse_parts(KINDS, HOSTS).hosts == (
        Host("registry1", "debian12", "registries", ("registry.lab",)),
        Host("node1", "debian12", "nodes", ()),
    )


def test_a_host_may_name_volumes() -> None:
    more = 'hub1 = { kind = "debian12", group = "hubs", volumes = ["hub:/srv/hub"] }'
    assert parse_parts(KINDS, HOSTS + more).hosts[-1].volumes == ("hub:/srv/hub",)


def test_a_word_that_no_kind_has_is_refused() -> None:
    with pytest.raises(TypeError):
        parse_parts(KINDS.replace("base =", "bases ="), HOSTS)


def test_every_file_but_that_of_the_kinds_is_a_fleet() -> None:
    assert fleets() == ["bench", "engines", "fleet", "rhel"]


def test_the_fleet_is_one_registry_and_three_nodes_on_both_debian_versions() -> None:
    parts = read_parts("fleet")
    assert [host.group for host in parts.hosts] == ["registries", "nodes", "nodes", "nodes"]
    assert {parts.kinds[host.kind].suite for host in parts.hosts if host.group == "nodes"} == {"bookworm", "trixie"}
    assert not any(kind.engines or kind.packages or kind.init for kind in parts.kinds.values())


def test_the_fleet_of_engines_has_a_node_with_an_init_of_its_own() -> None:
    kinds = read_parts("engines").kinds
    assert kinds["sid"].init.startswith("#!/bin/sh\n")
    assert not kinds["engines13"].init


def test_the_nodes_of_the_benchmark_are_twenty_of_one_kind() -> None:
    hosts = read_parts("bench").hosts
    assert len(hosts) == 20
    assert len({host.kind for host in hosts}) == len({host.group for host in hosts}) == 1
