# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as they are printed, and the page that holds them."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.tests.bench.cases import COMPARISON, FIRST, LAYOUT, NODES, PING, Block, Case
from ansible_collections.fleet.certs_d.tests.bench.document import BEGIN, END, with_tables
from ansible_collections.fleet.certs_d.tests.bench.goals import Goal
from ansible_collections.fleet.certs_d.tests.bench.samples import Measured, Sample, summarise
from ansible_collections.fleet.certs_d.tests.bench.table import render, tables


def measured(table: str, nodes: int) -> list[Measured]:
    """A ping of one second per node, and a layout of twice that."""
    cases = (Case(PING, "", 0, nodes), Case(LAYOUT, FIRST, 5, nodes))
    block = Block(table, cases, 1)
    return [
        Measured(block, 0, case, Sample(wall * nodes, 0.5, 64_000_000))
        for case, wall in zip(cases, (1.0, 2.0), strict=True)
    ]


def test_words_stand_left_and_numbers_right() -> None:
    assert render(("what", "runs"), [("a", "1"), (), ("long", "100")]) == "what  runs\na        1\n\nlong   100"


def test_all_that_was_measured_is_told() -> None:
    text = tables(
        summarise([*measured(COMPARISON, 4), *measured(NODES, 1), *measured(NODES, 20)]),
        [Goal("layout unchanged : ping", 5, 1.3, most=1.25)],
    )
    assert (
        text
        == """\
The same tree by each method

nodes  registries  files  what    state      runs  wall s  range  CPU s  MB  : ping
    4                     ping                  1    4.00          0.50  64    1.00
    4           5     25  layout  first run     1    8.00          0.50  64    2.00

Growth over nodes

nodes  registries  files  what    state      runs  wall s  range  CPU s  MB  : ping
    1                     ping                  1    1.00          0.50  64    1.00
    1           5     25  layout  first run     1    2.00          0.50  64    2.00

   20                     ping                  1   20.00          0.50  64    1.00
   20           5     25  layout  first run     1   40.00          0.50  64    2.00

What one more costs, in seconds

one more  of                     s
node      ping              1.0000
node      layout first run  2.0000

Goals

goal                     registries  ratio   wanted  verdict
layout unchanged : ping           5   1.30  <= 1.25  missed
"""
    )


def test_a_page_gets_the_tables_between_its_marks_and_keeps_the_rest() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_tables(page, "new\n")
    assert once == f"before\n{BEGIN}\n\n```text\nnew\n```\n\n{END}\nafter\n"
    assert with_tables(once, "new\n") == once


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        with_tables("text", "new")
