# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet is made of: kinds of nodes as kinds.toml lists them, and hosts as the fleet's own file does."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
_KINDS = _HERE / "kinds.toml"


class Kind(NamedTuple):
    """A kind of node: the Debian suite it is made from, and the image that may serve as base instead."""

    name: str
    suite: str
    base: str
    packages: tuple[str, ...] = ()
    """Beside those of every node."""
    apt: tuple[str, ...] = ()
    """Lines of apt's configuration that the suite needs."""
    engines: bool = False
    """Whether container engines run in it."""
    firewall: bool = False
    """Whether it may set up its own network's packet filter."""
    init: str = ""
    """Text of a script that is PID 1 instead of systemd."""


class Host(NamedTuple):
    """One host of the fleet, its place in the inventory and its further names on the network."""

    name: str
    kind: str
    group: str
    aliases: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    """NAME:PATH of what it shares with the other hosts of the fleet that name it."""


class Parts(NamedTuple):
    """All that makes a fleet: packages of every node, the kinds that its hosts are of, and the hosts."""

    packages: tuple[str, ...]
    kinds: dict[str, Kind]
    hosts: tuple[Host, ...]


def fleets() -> list[str]:
    """The names of the fleets that there are."""
    return sorted(file.stem for file in _HERE.glob("*.toml") if file != _KINDS)


def read_parts(fleet: str) -> Parts:
    """Read the kinds and the fleet's file; an init is named in the one and lies beside it."""
    parts = parse_parts(*(file.read_text(encoding="utf-8") for file in (_KINDS, _HERE / f"{fleet}.toml")))
    kinds = {name: _with_init(kind) for name, kind in parts.kinds.items()}
    return parts._replace(kinds=kinds)


def parse_parts(kinds: str, hosts: str) -> Parts:
    """The parts that two TOML texts list; a kind that no host is of costs no image."""
    nodes, listed = tomllib.loads(kinds), tomllib.loads(hosts)["hosts"]
    used = {host["kind"] for host in listed.values()}
    return Parts(
        packages=tuple(nodes["packages"]),
        kinds={name: Kind(name, **_tuples(kind)) for name, kind in nodes["kinds"].items() if name in used},
        hosts=tuple(Host(name, **_tuples(host)) for name, host in listed.items()),
    )


def _tuples(kind: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in kind.items()}


def _with_init(kind: Kind) -> Kind:
    return kind._replace(init=(_HERE / kind.init).read_text(encoding="utf-8")) if kind.init else kind
