# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.fleet.certs_d.tests.bench.cases import FILES, NODES, PING
from ansible_collections.fleet.certs_d.tests.bench.goals import Goal
from ansible_collections.fleet.certs_d.tests.bench.samples import Summary, each_further

_HEAD = ("nodes", "registries", "files", "what", "state", "runs", "wall s", "range", "CPU s", "MB", ": ping")
_LEFT = ("what", "way", "state", "goal", "verdict", "one more", "of")


def tables(summaries: Sequence[Summary], judged: Sequence[Goal]) -> str:
    """Everything that was measured, and the goals."""
    parts = []
    for title in dict.fromkeys(each.block.table for each in summaries):
        of_title = [each for each in summaries if each.block.table == title]
        parts.append(f"{title}\n\n{render(_HEAD, _rows(of_title))}")
    parts.append("What one more costs, in seconds\n\n" + render(("one more", "of", "s"), _slopes(summaries)))
    parts.append("Goals\n\n" + render(("goal", "registries", "ratio", "wanted", "verdict"), map(_verdict, judged)))
    return "\n\n".join(parts) + "\n"


def render(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns, words to the left and numbers to the right; an empty row is a blank line."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines if line) for place in range(len(head))]
    aligned = []
    for line in lines:
        cells = [
            cell.ljust(width) if name in _LEFT else cell.rjust(width)
            for name, cell, width in zip(head, line, widths, strict=False)
        ]
        aligned.append("  ".join(cells).rstrip())
    return "\n".join(aligned)


def _rows(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    sizes = [(each.case.nodes, _registries(each)) for each in summaries]
    for each, size, before in zip(summaries, sizes, [sizes[0], *sizes], strict=False):
        if size != before:
            rows.append(())
        rows.append(_row(each))
    return rows


def _registries(summary: Summary) -> int:
    """Those of the block: its ping has none of its own."""
    return summary.block.cases[-1].registries


def _row(each: Summary) -> tuple[str, ...]:
    case = each.case
    size = ("", "") if case.method == PING else (str(case.registries), str(case.files))
    span = f"{each.fastest:.2f} .. {each.slowest:.2f}" if each.runs > 1 else ""
    measured = (f"{each.wall:.2f}", span, f"{each.cpu:.2f}", f"{each.peak / 1e6:.0f}", f"{each.to_ping:.2f}")
    return (str(case.nodes), *size, case.method, case.state, str(each.runs), *measured)


def _slopes(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for table, unit in ((NODES, "nodes"), (FILES, "files")):
        grown = [each for each in summaries if each.block.table == table]
        for method, state in dict.fromkeys((each.case.method, each.case.state) for each in grown):
            of_case = [each for each in grown if (each.case.method, each.case.state) == (method, state)]
            if len({getattr(each.case, unit) for each in of_case}) > 1:
                rows.append((unit.removesuffix("s"), f"{method} {state}".strip(), f"{each_further(of_case, unit):.4f}"))
    return rows


def _verdict(goal: Goal) -> tuple[str, ...]:
    wanted = f"<= {goal.most:.2f}" if goal.most is not None else f">= {goal.least:.2f}"
    return goal.what, str(goal.registries), f"{goal.ratio:.2f}", wanted, "met" if goal.met else "missed"
