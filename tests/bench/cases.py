# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured: cases, and the blocks in which they alternate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

PAIRS = ("10-first", "20-second")
# A CA root, and two halves of each pair.
FILES_PER_REGISTRY = 1 + 2 * len(PAIRS)

PING = "ping"
LAYOUT = "layout"
COPY = "copy"
LOOP = "copy + file, loop"
UNARCHIVE = "unarchive"
RSYNC = "rsync"

FIRST = "first run"
UNCHANGED = "unchanged"
CHANGED = "one pair changed"
STATES = (FIRST, UNCHANGED, CHANGED)


class Case(NamedTuple):
    """One measurement: a method, what it finds on the nodes, how much it lays and on how many."""

    method: str
    state: str
    registries: int
    nodes: int

    @property
    def files(self) -> int:
        """How many files each node gets."""
        return self.registries * FILES_PER_REGISTRY


class Block(NamedTuple):
    """Cases that are measured in a row, one after the other finding what the former left, behind a ping of their own.

    Ratios are taken within a block, whose runs lie close to each other.
    """

    table: str
    cases: tuple[Case, ...]
    rounds: int

    @property
    def ping(self) -> Case:
        """The floor of this block."""
        return self.cases[0]


class Slow(NamedTuple):
    """The methods that need seconds per file, and how often they are measured."""

    rounds: int
    methods: tuple[str, ...]


class Scale(NamedTuple):
    """How much is measured."""

    nodes: int
    registries: tuple[int, ...]
    rounds: int
    slow: dict[int, Slow]
    """By number of registries."""
    growth_nodes: tuple[int, ...]
    growth_registries: tuple[int, ...]
    growth_rounds: int


# The loop over 125 files alone would take as long as a third of all the rest.
_SLOW = {1: Slow(3, (COPY, LOOP)), 5: Slow(1, (COPY, LOOP)), 25: Slow(1, (COPY,))}
FULL = Scale(4, (1, 5, 25), 5, _SLOW, (1, 5, 10, 20), (2, 10, 20, 100), 3)
QUICK = Scale(2, (1, 5), 1, {1: Slow(1, (COPY, LOOP))}, (1, 4), (2, 10), 1)

COMPARISON = "The same tree by each method"
NODES = "Growth over nodes"
FILES = "Growth over files per node"
_GROWTH_NODES_REGISTRIES = 5
_GROWING = [(LAYOUT, FIRST), (LAYOUT, UNCHANGED), (UNARCHIVE, FIRST), (RSYNC, FIRST)]


def blocks(scale: Scale) -> list[Block]:
    """All that is measured at this scale, in the order of its tables."""
    found = []
    for registries in scale.registries:
        quick = [(method, state) for method in (LAYOUT, UNARCHIVE, RSYNC) for state in STATES]
        found.append(_block(COMPARISON, quick, registries, scale.nodes, scale.rounds))
        if registries in scale.slow:
            rounds, methods = scale.slow[registries]
            slow = [(method, state) for method in methods for state in (FIRST, UNCHANGED)]
            found.append(_block(COMPARISON, slow, registries, scale.nodes, rounds))
    for nodes in scale.growth_nodes:
        found.append(_block(NODES, _GROWING, _GROWTH_NODES_REGISTRIES, nodes, scale.growth_rounds))
    for registries in scale.growth_registries:
        found.append(_block(FILES, _GROWING, registries, scale.nodes, scale.growth_rounds))
    return found


def in_turn(planned: list[Block]) -> Iterator[tuple[int, Block]]:
    """Each round takes the blocks in their order: a machine that gets slower meanwhile slows all of them down."""
    for number in range(max(block.rounds for block in planned)):
        yield from ((number, block) for block in planned if number < block.rounds)


def material_needed(planned: list[Block]) -> dict[int, int]:
    """The number of nodes by number of registries for which there must be certificates."""
    needed: dict[int, int] = {}
    for case in (case for block in planned for case in block.cases if case.method != PING):
        needed[case.registries] = max(case.nodes, needed.get(case.registries, 0))
    return needed


def registry_names(registries: int) -> list[str]:
    """Names of so many registries."""
    return [f"registry-{number:03}.example:5000" for number in range(1, registries + 1)]


def _block(table: str, steps: list[tuple[str, str]], registries: int, nodes: int, rounds: int) -> Block:
    ping = Case(PING, "", 0, nodes)
    return Block(table, (ping, *(Case(method, state, registries, nodes) for method, state in steps)), rounds)
