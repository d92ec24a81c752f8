# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured, and in which order."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.cases import (
    COPY,
    FIRST,
    FULL,
    LAYOUT,
    PING,
    QUICK,
    STATES,
    Block,
    Case,
    Scale,
    Slow,
    blocks,
    in_turn,
    material_needed,
    registry_names,
)

SMALL = Scale(4, (1, 5), 2, {1: Slow(1, (COPY,))}, (1, 20), (100,), 1)


@pytest.mark.parametrize("scale", [FULL, QUICK])
def test_every_block_begins_with_a_ping_of_its_own_nodes(scale: Scale) -> None:
    for block in blocks(scale):
        assert [case.method for case in block.cases].count(PING) == 1
        assert block.ping == Case(PING, "", 0, block.cases[-1].nodes)


@pytest.mark.parametrize("scale", [FULL, QUICK])
def test_a_method_starts_from_nothing_and_finds_what_it_left_itself(scale: Scale) -> None:
    for block in blocks(scale):
        before = block.ping
        for case in block.cases[1:]:
            assert case.state == FIRST or case.method == before.method
            before = case


def test_layout_is_measured_in_every_state_at_every_size() -> None:
    compared = blocks(SMALL)[:3]
    found = [(case.registries, case.state) for block in compared for case in block.cases if case.method == LAYOUT]
    assert found == [(registries, state) for registries in (1, 5) for state in STATES]


def test_slow_methods_have_rounds_of_their_own_and_no_size_that_is_not_named() -> None:
    slow = [block for block in blocks(SMALL) if any(case.method == COPY for case in block.cases)]
    assert [(block.cases[-1].registries, block.rounds) for block in slow] == [(1, 1)]


def test_blocks_take_turns() -> None:
    one, two = (Block("", (Case(PING, "", 0, nodes),), rounds) for nodes, rounds in ((1, 1), (2, 3)))
    assert list(in_turn([one, two])) == [(0, one), (0, two), (1, two), (2, two)]


def test_material_is_made_for_the_most_nodes_of_each_size() -> None:
    assert material_needed(blocks(SMALL)) == {1: 4, 5: 20, 100: 4}


def test_a_registry_has_a_root_and_two_pairs() -> None:
    assert Case(LAYOUT, FIRST, 100, 1).files == 500
    assert registry_names(2) == ["registry-001.example:5000", "registry-002.example:5000"]
