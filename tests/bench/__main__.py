# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what layout costs beside other ways to bring the same files to the same nodes.

Usage: make bench OPTIONS='[--quick] [--into FILE]'. The fleet of inventories/bench must be up.
Prints the machine and the tables; --into also puts them between the two marks of a document.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench import material
from ansible_collections.fleet.certs_d.tests.bench.cases import (
    CHANGED,
    COPY,
    FIRST,
    FULL,
    LAYOUT,
    LOOP,
    PING,
    QUICK,
    RSYNC,
    UNARCHIVE,
    UNCHANGED,
    Block,
    Case,
    blocks,
    in_turn,
    material_needed,
)
from ansible_collections.fleet.certs_d.tests.bench.document import tell
from ansible_collections.fleet.certs_d.tests.bench.fleet import PROJECT, Fleet
from ansible_collections.fleet.certs_d.tests.bench.goals import goals
from ansible_collections.fleet.certs_d.tests.bench.machine import describe
from ansible_collections.fleet.certs_d.tests.bench.material import VARIANTS, Material
from ansible_collections.fleet.certs_d.tests.bench.measure import RunFailed, measure
from ansible_collections.fleet.certs_d.tests.bench.samples import Measured, Sample, summarise
from ansible_collections.fleet.certs_d.tests.bench.table import tables

_PLAYBOOKS = {PING: "ping", LAYOUT: "layout", COPY: "copy", LOOP: "loop", UNARCHIVE: "unarchive"}
_LOG = PROJECT / ".cache" / "bench.log"


def main() -> int:
    """Exit status 0 when all was measured, whether the goals are met or not; 2 where a run failed."""
    parser = argparse.ArgumentParser(prog="bench", description="Measure what layout costs beside other ways.")
    parser.add_argument("--quick", action="store_true", help="a sanity run: little of everything, once")
    parser.add_argument("--into", type=Path, metavar="FILE", help="a document that gets the tables")
    chosen = parser.parse_args()
    started = time.monotonic()
    planned = blocks(QUICK if chosen.quick else FULL)
    _LOG.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as sockets:
        try:
            fleet = Fleet(Path(sockets))
            try:
                measured = list(_measure_all(fleet, planned))
            finally:
                fleet.close()
        except RunFailed as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 2
    summaries = summarise(sorted(measured, key=lambda each: planned.index(each.block)))
    told = f"{describe()}\n\n{tables(summaries, goals(summaries))}\nMeasured in {time.monotonic() - started:.0f} s.\n"
    tell(told, chosen.into)
    return 0


def _measure_all(fleet: Fleet, planned: list[Block]) -> Iterator[Measured]:
    _tell("making certificates")
    needed = material_needed(planned)
    material.make(needed, fleet)
    # Opens the connections.
    measure([fleet.playbook("ping", nodes=len(fleet.addresses))], environment=fleet.environment, log=_LOG)
    for number, block in in_turn(planned):
        for case in block.cases:
            sample = _run(fleet, case, check=number == 0)
            size = f"round {number + 1}, {case.nodes} nodes, {case.files} files"
            _tell(f"{size}: {case.method} {case.state}: {sample.wall:.2f} s")
            yield Measured(block, number, case, sample)


def _run(fleet: Fleet, case: Case, *, check: bool) -> Sample:
    """Bring the nodes into the state that the case finds, and measure it; `check` looks at what it left."""
    nodes = fleet.nodes(case.nodes)
    if case.state == FIRST:
        fleet.empty(nodes)
    laid = Material(case.registries, VARIANTS[case.state == CHANGED])
    if case.method == RSYNC:
        commands = [fleet.rsync(laid.tree(node), node) for node in nodes]
    else:
        variables = "{}" if case.method == PING else f"@{laid.variables}"
        commands = [fleet.playbook(_PLAYBOOKS[case.method], nodes=case.nodes, variables=variables)]
    sample = measure(commands, environment=fleet.environment, log=_LOG)
    if case.method != PING and check:
        fleet.check(nodes, laid.tree)
    if case.method not in (PING, RSYNC):
        _check_recap(case, len(nodes))
    return sample


def _check_recap(case: Case, nodes: int) -> None:
    """RunFailed where the run changed what it should have found as it was, or the other way round."""
    changed = re.findall(r"changed=(\d+)", _LOG.read_text(encoding="utf-8"))
    if len(changed) != nodes or any((number == "0") != (case.state == UNCHANGED) for number in changed):
        raise RunFailed(f"{case} changed {', '.join(changed)}")


def _tell(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
