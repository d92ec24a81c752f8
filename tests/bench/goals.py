# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The goals of layout, judged by what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.bench.cases import COMPARISON, COPY, FIRST, LAYOUT, UNARCHIVE, UNCHANGED
from ansible_collections.fleet.certs_d.tests.bench.samples import Summary


class Goal(NamedTuple):
    """One goal at one size: what is compared, the ratio that was measured, and the most or least that it may be."""

    what: str
    registries: int
    ratio: float
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the ratio lies on the right side."""
        return (self.most is None or self.ratio <= self.most) and (self.least is None or self.ratio >= self.least)


def goals(summaries: Iterable[Summary]) -> list[Goal]:
    """Every goal at every size that was measured."""
    compared = [each for each in summaries if each.block.table == COMPARISON]
    by_size: dict[int, dict[tuple[str, str], Summary]] = {}
    for each in compared:
        if each.case.registries:
            by_size.setdefault(each.case.registries, {})[each.case.method, each.case.state] = each
    return [goal for registries, found in by_size.items() for goal in _goals(registries, found)]


def _goals(registries: int, found: dict[tuple[str, str], Summary]) -> Sequence[Goal]:
    first, unchanged, unpacked = found[LAYOUT, FIRST], found[LAYOUT, UNCHANGED], found[UNARCHIVE, FIRST]
    judged = [
        Goal("layout unchanged : ping", registries, unchanged.to_ping, most=1.25),
        Goal("layout first run : ping", registries, first.to_ping, most=1.5),
        Goal("layout first run : unarchive first run", registries, first.to_ping / unpacked.to_ping, most=1.0),
    ]
    if (COPY, FIRST) in found:
        for state, own in ((FIRST, first), (UNCHANGED, unchanged)):
            slower = found[COPY, state].to_ping / own.to_ping
            judged.append(Goal(f"copy {state} : layout {state}", registries, slower, least=20.0))
    return judged
