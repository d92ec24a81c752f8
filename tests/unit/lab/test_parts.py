# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""fleet.toml as data."""

from __future__ import annotations

import pytest

from lab.parts import Host, Kind, parse_parts, read_parts

TEXT = """
packages = ["python3"]
[kinds]
debian12 = { suite = "bookworm", base = "debian:12" }
[hosts]
registry1 = { kind = "debian12", group = "registries", aliases = ["registry.lab"] }
node1 = { kind = "debian12", group = "nodes" }
"""


def test_a_kind_is_one_line() -> None:
    parts = parse_parts(TEXT + "\n")
    more = parse_parts(TEXT.replace("[hosts]", 'sid = { suite = "sid", base = "debian:sid" }\n[hosts]'))
    assert parts.kinds == {"debian12": Kind("debian12", "bookworm", "debian:12")}
    assert more.kinds == {**parts.kinds, "sid": Kind("sid", "sid", "debian:sid")}


def test_hosts_keep_their_order_and_aliases_may_be_absent() -> None:
    assert parse_parts(TEXT).hosts == (
        Host("registry1", "debian12", "registries", ("registry.lab",)),
        Host("node1", "debian12", "nodes", ()),
    )


def test_a_word_that_no_kind_has_is_refused() -> None:
    with pytest.raises(TypeError):
        parse_parts(TEXT.replace("base =", "bases ="))


def test_the_fleet_is_one_registry_and_three_nodes_on_both_debian_versions() -> None:
    parts = read_parts()
    assert [host.group for host in parts.hosts] == ["registries", "nodes", "nodes", "nodes"]
    assert {parts.kinds[host.kind].suite for host in parts.hosts if host.group == "nodes"} == {"bookworm", "trixie"}
