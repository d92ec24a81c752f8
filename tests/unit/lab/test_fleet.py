# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's name, and what makes a node of a container."""

from __future__ import annotations

from pathlib import Path

from lab.fleet import fleet_name, node_arguments
from lab.parts import Host, Kind

KIND = Kind("debian13", "trixie", "debian:13")
HOST = Host("registry1", "debian13", "registries", ("registry.lab",))


def test_two_checkouts_have_two_fleets() -> None:
    assert fleet_name(Path("/a/inventories/lab")) != fleet_name(Path("/b/inventories/lab"))


def test_a_checkout_finds_its_fleet_again() -> None:
    assert fleet_name(Path("/a/inventories/lab")) == fleet_name(Path("/a/inventories/lab"))


def test_a_node_has_its_names_and_systemd() -> None:
    node = node_arguments("fleet", HOST, KIND, "image")
    assert {"--network-alias=registry1", "--network-alias=registry.lab"} <= set(node)
    assert node[-2:] == ["image", "/lib/systemd/systemd"]
    assert [word for word in node if word.startswith("--cap-add")] == ["--cap-add=SYS_ADMIN"]


def test_engines_get_networks_and_a_place_for_what_they_store() -> None:
    more = set(node_arguments("fleet", HOST, KIND._replace(engines=True), "image")) - set(
        node_arguments("fleet", HOST, KIND, "image")
    )
    assert more == {
        "--cap-add=NET_ADMIN",
        *(f"--volume=/var/lib/{engine}" for engine in ("docker", "containerd", "containers")),
    }


def test_hosts_of_a_fleet_share_the_volumes_that_both_name() -> None:
    sharing = node_arguments("fleet", HOST._replace(volumes=("hub:/srv/hub",)), KIND, "image")
    assert set(sharing) - set(node_arguments("fleet", HOST, KIND, "image")) == {"--volume=fleet-hub:/srv/hub"}


def test_a_kind_may_have_an_init_of_its_own() -> None:
    assert node_arguments("fleet", HOST, KIND._replace(init="sleep 1\n"), "image")[-4:] == [
        "image",
        "/bin/sh",
        "-c",
        "sleep 1\n",
    ]
