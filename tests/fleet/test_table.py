# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table at the end of site, in every situation in which somebody looks at it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.running import NODES_ALONE, SITE, Ansible, Run

MISSING_TREE = "node_pki=/nowhere"


@pytest.fixture
def ghost(tmp_path: Path) -> Path:
    """One more node, at an address where nobody answers."""
    inventory = tmp_path / "ghost.yml"
    address = f"ansible_host: 127.0.0.1, ansible_port: 1, node_pki: {tmp_path}"
    inventory.write_text(f"nodes: {{hosts: {{ghost: {{{address}}}}}}}\n")
    return inventory


def recap(run: Run, host: str) -> dict[str, int]:
    line = re.search(rf"^{host} +: (.*)$", run.output, re.MULTILINE)
    assert line, run.output
    return {name: int(number) for name, number in (part.split("=") for part in line[1].split())}


def test_a_first_run_ends_with_three_verified_nodes(fleet: Run) -> None:
    rows = fleet.rows()
    assert list(rows) == ["node1", "node2", "node3"]
    assert rows["node1"][2:6] == ["docker", "10-old 200", "10-old 200", "-"]
    assert rows["node2"][2:6] == ["docker", "10-old 403 > 20-new 200", "10-old 403", "-"]
    assert all(row[-1] == "verified" and int(row[6]) > 80 for row in rows.values())
    assert fleet.output.count("\nHOST ") == 1
    assert "3 of 3 hosts verified" in fleet.output


def test_a_second_run_changes_nothing(playbook: Ansible) -> None:
    again = playbook(SITE)
    assert again.status == 0
    assert [recap(again, host)["changed"] for host in ("registry1", "node1", "node2", "node3")] == [0, 0, 0, 0]


def test_check_mode_on_a_deployed_fleet_changes_and_verifies_nothing(playbook: Ansible) -> None:
    check = playbook(SITE, "--check", "--diff")
    assert check.status == 0, check.output
    assert {row[-1] for row in check.rows().values()} == {"not verified (check mode)"}
    assert "changed=0" in check.output
    assert not re.search(r"changed=[1-9]", check.output)


def test_a_failed_host_is_a_row_and_fails_after_the_table(playbook: Ansible) -> None:
    one = playbook(SITE, *NODES_ALONE, "-e", '{"node_expect": {"documented": {"pair": "10-old"}}}')
    assert one.status != 0
    assert {host: row[-1] for host, row in one.rows().items()} == {
        "node1": "verified",
        "node2": "failed",
        "node3": "verified",
    }
    assert "10-old (403)" in one.output.split("HOST ", 1)[1]
    assert recap(one, "node2")["failed"] == 1
    assert recap(one, "node1")["failed"] == 0


def test_the_table_comes_when_all_hosts_fail(playbook: Ansible) -> None:
    failed = playbook(SITE, *NODES_ALONE, "-e", MISSING_TREE)
    assert failed.status != 0
    assert {row[-1] for row in failed.rows().values()} == {"failed"}
    assert "0 of 3 hosts verified" in failed.output
    assert failed.output.count("\nHOST ") == 1


def test_an_unreachable_host_is_a_row_and_the_others_go_on(playbook: Ansible, ghost: Path) -> None:
    run = playbook(SITE, *NODES_ALONE, "-i", ghost)
    assert run.status != 0
    rows = run.rows()
    assert rows["ghost"][-1] == "unreachable"
    assert [rows[host][-1] for host in ("node1", "node2", "node3")] == ["verified"] * 3
    assert "Connection refused" in run.output


def test_limit_shows_the_limited_hosts_alone(playbook: Ansible) -> None:
    run = playbook(SITE, "--limit", "node1")
    assert run.status == 0, run.output
    assert list(run.rows()) == ["node1"]


def test_with_serial_the_table_comes_once_for_the_whole_fleet(playbook: Ansible) -> None:
    run = playbook(SITE, *NODES_ALONE, "-e", "certs_d_serial=1")
    assert run.status == 0, run.output
    assert run.output.count("\nHOST ") == 1
    assert len(run.rows()) == 3


def test_a_rollout_that_fails_in_its_first_batch_ends_there_with_the_table(playbook: Ansible) -> None:
    run = playbook(SITE, *NODES_ALONE, "-e", "certs_d_serial=1", "-e", MISSING_TREE)
    assert run.status != 0
    assert {host: row[-1] for host, row in run.rows().items()} == {
        "node1": "failed",
        "node2": "not reached",
        "node3": "not reached",
    }


@pytest.mark.parametrize(("limit", "result"), [("50", "verified"), ("49", "not reached")])
def test_a_rollout_ends_where_more_of_a_batch_has_failed_than_is_allowed(
    playbook: Ansible, tmp_path: Path, limit: str, result: str
) -> None:
    inventory = tmp_path / "odd.yml"
    inventory.write_text("nodes: {hosts: {node1: {node_pki: /nowhere}}}\n")
    limits = ("-e", "certs_d_serial=2", "-e", f"certs_d_max_fail_percentage={limit}")
    run = playbook(SITE, "-i", inventory, "--tags", "layout,verify", *limits)
    assert run.status != 0
    assert run.output.count("\nHOST ") == 1
    assert {host: row[-1] for host, row in run.rows().items()} == {
        "node1": "failed",
        "node2": "verified",
        "node3": result,
    }


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            "{ansible_python_interpreter: /nowhere/python}",
            "/nowhere/python: not found): check become and the interpreter",
        ),
        ("{ansible_shell_type: powershell}", "take this Windows host out of the play"),
    ],
)
def test_a_host_that_runs_no_module_gets_one_sentence_and_its_row(
    playbook: Ansible, tmp_path: Path, variables: str, sentence: str
) -> None:
    inventory = tmp_path / "odd.yml"
    inventory.write_text(f"nodes: {{hosts: {{node3: {variables}}}}}\n")
    run = playbook(SITE, *NODES_ALONE, "-i", inventory)
    assert run.status != 0
    assert run.rows()["node3"][-1] == "failed"
    assert run.rows()["node1"][-1] == "verified"
    assert sentence in run.output.split("HOST ", 1)[1]


def test_a_registry_that_can_not_be_deployed_is_a_row_and_the_nodes_go_on(playbook: Ansible) -> None:
    run = playbook(SITE, "-e", "registry_client_ca=/nowhere/ca.crt")
    assert run.status != 0
    rows = run.rows()
    assert rows["registry1"][-1] == "failed"
    assert rows["node1"][-1] == "verified"
    assert "/nowhere/ca.crt" in run.output.split("HOST ", 1)[1]


def test_a_registry_host_without_python_is_a_row_and_the_nodes_go_on(playbook: Ansible, tmp_path: Path) -> None:
    inventory = tmp_path / "odd.yml"
    inventory.write_text("registries: {hosts: {registry1: {ansible_python_interpreter: /nowhere/python}}}\n")
    run = playbook(SITE, "-i", inventory)
    assert run.status != 0
    assert run.rows()["registry1"][-1] == "failed"
    assert run.rows()["node1"][-1] == "verified"


def test_tags_choose_the_parts(playbook: Ansible, on: Callable[[str, str], str]) -> None:
    on("node1", "rm -r /etc/docker/certs.d/registry.lab:5000/20-new.*")
    verify = playbook(SITE, "--tags", "verify")
    assert verify.status == 0, verify.output
    assert verify.rows()["node1"][-1] == "verified"
    layout = playbook(SITE, "--tags", "layout")
    assert layout.status == 0, layout.output
    assert recap(layout, "node1")["changed"] == 1
    assert "\nHOST " not in layout.output
