# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is measured over many hosts: memory, the crowd's inventory, the table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.cases import PING
from ansible_collections.fleet.certs_d.tests.bench.samples import Sample
from ansible_collections.fleet.certs_d.tests.bench.scale import crowd
from ansible_collections.fleet.certs_d.tests.bench.scale.memory import Peaks, descendants
from ansible_collections.fleet.certs_d.tests.bench.scale.report import SITE, Case, Run, report
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca

MIB = 2**20
# Holds so much, says so, forks a child that shares it, and ends with its input.
HOLDER = f"import os, sys; held = b'a' * {64 * MIB}; os.fork(); os.write(1, b'%d\\n' % os.getpid()); sys.stdin.read()"


def test_what_a_program_and_its_fork_share_counts_once() -> None:
    # Below a shell, which has no other children, as pytest may have.
    command = ["sh", "-c", '"$0" -c "$1"; :', sys.executable, HOLDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        told = {int(shell.stdout.readline()) for _each in range(2)}
        holder, fork = descendants(shell.pid)
        assert ({holder, fork}, descendants(holder)) == (told, [fork])
        peaks = Peaks()
        peaks.look(shell.pid)
        shell.communicate()
    assert 64 * MIB < peaks.program < 128 * MIB
    # Two copies would be nearly twice as much; what is swapped out meanwhile is not counted.
    assert 0.7 < peaks.together / peaks.program < 1.3


def test_hosts_are_dealt_out_to_the_nodes_and_each_has_a_root_of_its_own() -> None:
    text = crowd.inventory(crowd.names(3), [{"ansible_host": "a"}, {"ansible_host": "b"}], Path("/pki"))
    hosts = json.loads(text)["nodes"]["hosts"]
    assert [host["ansible_host"] for host in hosts.values()] == ["a", "b", "a"]
    assert len({host["node_path"] for host in hosts.values()}) == 3


def test_the_registry_lets_in_each_host_and_nobody_else() -> None:
    pairs = crowd.issue(crowd.names(2), issue_ca())
    assert sorted(crowd.admitted(pairs).values()) == [200, 200, 403]


def test_a_row_has_the_medians_per_host_and_the_largest_peaks() -> None:
    runs = [Run(Sample(wall, 5.0, 0), program, 200_000_000) for wall, program in ((9, 60e6), (10, 70e6), (30, 65e6))]
    told = report({Case(10, PING, ""): runs, Case(20, PING, ""): runs, Case(20, SITE, "unchanged"): runs})
    assert told.splitlines()[1].split() == ["10", "ping", "3", "10.0", "1.000", "5.0", "0.500", "70", "200"]
    assert told.splitlines()[2] == ""
    assert told.splitlines()[4].split()[:4] == ["20", "site", "unchanged", "3"]
