# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run over so many hosts costs, as tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.bench.cases import PING
from ansible_collections.fleet.certs_d.tests.bench.samples import Sample
from ansible_collections.fleet.certs_d.tests.bench.table import render

SITE = "site"
BATCHES = "site, batches"
_HEAD = ("hosts", "what", "state", "runs", "wall s", "s per host", "CPU s", "CPU s per host", "MB", "all MB")


class Case(NamedTuple):
    """A run: over how many hosts, of what, and what it finds there."""

    hosts: int
    what: str
    state: str


class Run(NamedTuple):
    """What one run cost; bytes of ansible-playbook itself, and of it with its forks and ssh clients."""

    sample: Sample
    program: int
    together: int


def report(runs: Mapping[Case, Sequence[Run]]) -> str:
    """A row per case, of medians, largest peaks."""
    rows: list[tuple[str, ...]] = []
    for case, found in runs.items():
        if case.what == PING and rows:
            rows.append(())
        rows.append(_row(case, found))
    return render(_HEAD, rows) + "\n"


def _row(case: Case, runs: Sequence[Run]) -> tuple[str, ...]:
    wall = median(run.sample.wall for run in runs)
    cpu = median(run.sample.cpu for run in runs)
    seconds = (f"{wall:.1f}", f"{wall / case.hosts:.3f}", f"{cpu:.1f}", f"{cpu / case.hosts:.3f}")
    peaks = (max(run.program for run in runs), max(run.together for run in runs))
    return (str(case.hosts), case.what, case.state, str(len(runs)), *seconds, *(f"{peak / 1e6:.0f}" for peak in peaks))
