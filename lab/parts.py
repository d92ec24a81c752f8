# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet is made of: kinds of nodes and hosts, as fleet.toml lists them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of node: the Debian suite it is made from, and the image that may serve as base instead."""

    name: str
    suite: str
    base: str


class Host(NamedTuple):
    """One host of the fleet, its place in the inventory and its further names on the network."""

    name: str
    kind: str
    group: str
    aliases: tuple[str, ...]


class Parts(NamedTuple):
    """All of fleet.toml."""

    packages: tuple[str, ...]
    kinds: dict[str, Kind]
    hosts: tuple[Host, ...]


def read_parts() -> Parts:
    """Read fleet.toml."""
    return parse_parts(Path(__file__).with_name("fleet.toml").read_text(encoding="utf-8"))


def parse_parts(text: str) -> Parts:
    """The parts that a TOML text lists."""
    data = tomllib.loads(text)
    return Parts(
        packages=tuple(data["packages"]),
        kinds={name: Kind(name, **kind) for name, kind in data["kinds"].items()},
        hosts=tuple(
            Host(name, host["kind"], host["group"], tuple(host.get("aliases", ())))
            for name, host in data["hosts"].items()
        ),
    )
