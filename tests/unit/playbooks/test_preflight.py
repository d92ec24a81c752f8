# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that would do nothing, or could not begin, fails and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.unit.playbooks.test_report import playbook

MISNAMED = "[hosts_of_mine]\nnode1\nnode2\n"


@pytest.mark.parametrize("limit", [(), ("--limit", "node1")])
@pytest.mark.parametrize("name", ["site", "nodes", "registry", "verify"])
def test_hosts_in_no_group_of_ours_are_told(tmp_path: Path, name: str, limit: tuple[str, ...]) -> None:
    run = playbook(tmp_path, name, MISNAMED, *limit)
    assert run.returncode == 2, run.stdout + run.stderr
    assert run.stdout.count("'nodes'") >= 1
    assert run.stdout.count("failed=1") == 1


@pytest.mark.parametrize("name", ["site", "nodes", "registry", "verify"])
def test_an_inventory_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    run = playbook(tmp_path, name, None, "-i", "inventry")
    assert run.returncode == 2, run.stdout + run.stderr
    assert "give it with -i" in run.stdout.replace("\n", " ")


@pytest.mark.parametrize("serial", ["many", "0", "[1, x]", "-1"])
def test_a_batch_of_no_size_is_told_before_anything_is_done(tmp_path: Path, serial: str) -> None:
    run = playbook(tmp_path, "nodes", "[nodes]\nnode1\n", "-e", f"{{certs_d_serial: {serial}}}")
    assert run.returncode == 2, run.stdout + run.stderr
    assert "give a number of hosts" in run.stdout.replace("\n", " ")
    assert "PLAY [Deploy the nodes" not in run.stdout
