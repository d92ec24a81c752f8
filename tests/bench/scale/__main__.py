# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what playbooks/site.yml costs the controller, for ever more hosts.

Usage: make scale OPTIONS='[--quick] [--rounds N] [--into FILE]'. The fleet of inventories/bench must be up: its nodes
stand for many hosts each, and ask a registry that runs here, through their ssh connections. Prints the machine and the
table; --into also puts them between the two marks of a document.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.cases import FIRST, PING, UNCHANGED
from ansible_collections.fleet.certs_d.tests.bench.document import tell
from ansible_collections.fleet.certs_d.tests.bench.fleet import PROJECT, Fleet, tool
from ansible_collections.fleet.certs_d.tests.bench.machine import describe
from ansible_collections.fleet.certs_d.tests.bench.measure import RunFailed, measure
from ansible_collections.fleet.certs_d.tests.bench.scale import crowd
from ansible_collections.fleet.certs_d.tests.bench.scale.memory import watched
from ansible_collections.fleet.certs_d.tests.bench.scale.report import BATCHES, SITE, Case, Run, report
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import scripted_registry

_SIZES = (25, 50, 100, 200)
_QUICK = (5, 10)
_ROUNDS = 3
# Those of ansible.cfg.
_FORKS = 50
_LOG = PROJECT / ".cache" / "scale.log"
_SITE = PROJECT / "playbooks" / "site.yml"
_PLAYBOOKS = {PING: PROJECT / "tests" / "bench" / "playbooks" / "ping.yml", SITE: _SITE, BATCHES: _SITE}


def main() -> int:
    """Exit status 0 when all was measured; 2 where a run failed."""
    parser = argparse.ArgumentParser(prog="scale", description="Measure site over ever more hosts.")
    parser.add_argument("--quick", action="store_true", help="a sanity run: few hosts, once")
    parser.add_argument(
        "--rounds", type=int, default=_ROUNDS, metavar="N", help="how often each is measured: %(default)s"
    )
    parser.add_argument("--into", type=Path, metavar="FILE", help="a document that gets the table")
    chosen = parser.parse_args()
    sizes, rounds = (_QUICK, 1) if chosen.quick else (_SIZES, chosen.rounds)
    _LOG.parent.mkdir(exist_ok=True)
    runs: dict[Case, list[Run]] = {}
    try:
        for case, run in _measure_all(sizes, rounds):
            runs.setdefault(case, []).append(run)
    except RunFailed as failure:
        print(f"scale: {failure}", file=sys.stderr)
        return 2
    tell(f"{describe()}\n\n{report(runs)}", chosen.into)
    return 0


def _measure_all(sizes: tuple[int, ...], rounds: int) -> Iterator[tuple[Case, Run]]:
    """Sizes take turns: a machine that gets slower meanwhile slows all of them down."""
    ca = issue_ca()
    pairs = crowd.issue(crowd.names(max(sizes)), ca)
    with (
        tempfile.TemporaryDirectory(prefix="scale-") as folder,
        scripted_registry(crowd.admitted(pairs), ca=ca) as registry,
    ):
        home = Path(folder)
        crowd.lay_pki(home / "pki", registry.name, ca, pairs)
        fleet = Fleet(home)
        try:
            # Opens the connections.
            measure([fleet.playbook(PING, nodes=0)], environment=fleet.environment, log=_LOG)
            fleet.forward(registry.port)
            for number, size in ((number, size) for number in range(rounds) for size in sizes):
                inventory = home / f"{size}.yml"
                inventory.write_text(crowd.inventory(crowd.names(size), fleet.variables(), home / "pki"), "utf-8")
                fleet.empty(list(fleet.addresses))
                for case in _cases(size):
                    run = _run(case, fleet, inventory)
                    print(f"scale: round {number + 1}, {case}: {run.sample.wall:.1f} s", file=sys.stderr, flush=True)
                    yield case, run
        finally:
            fleet.close()


def _cases(size: int) -> Iterator[Case]:
    """In batches, too, where there are more hosts than forks: no host of a batch then waits for a fork."""
    yield Case(size, PING, "")
    yield Case(size, SITE, FIRST)
    yield Case(size, SITE, UNCHANGED)
    if size > _FORKS:
        yield Case(size, BATCHES, UNCHANGED)


def _run(case: Case, fleet: Fleet, inventory: Path) -> Run:
    command = [tool("ansible-playbook"), str(_PLAYBOOKS[case.what]), "-i", str(inventory)]
    if case.what == BATCHES:
        command += ["-e", f"certs_d_serial={_FORKS}"]
    with watched() as peaks:
        sample = measure([command], environment=fleet.environment, log=_LOG)
    if case.what != PING:
        _check(case)
    return Run(sample, peaks.program, peaks.together)


def _check(case: Case) -> None:
    """RunFailed where not every host was verified, and changed as it should."""
    told = _LOG.read_text(encoding="utf-8")
    changed = re.findall(r"^host\d+ .*changed=(\d+)", told, re.MULTILINE)
    if changed != ["1" if case.state == FIRST else "0"] * case.hosts:
        raise RunFailed(f"{case} changed {', '.join(changed)}")
    if f"{case.hosts} of {case.hosts} hosts verified" not in told:
        raise RunFailed(f"{case}: not every host was verified")


if __name__ == "__main__":
    sys.exit(main())
