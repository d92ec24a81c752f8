# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.fleet_table in plays whose hosts nobody talks to."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.unit.programs import program

PLAYBOOK = """
- name: Record and show
  hosts: nodes
  gather_facts: false
  serial: "{{ batch | default('100%') }}"
  tasks:
    - name: Leave without a record
      ansible.builtin.fail:
      when: leaves | default(false)
    - name: Record
      ansible.builtin.set_fact:
        node_verification: {verified: true, registries: []}
      when: node_failure is not defined
    - name: Show
      fleet.certs_d.fleet_table:
        hosts: "{{ ansible_play_hosts_all }}"
        max_fail_percentage: "{{ limit | default(omit) }}"
      run_once: true
    - name: Fail
      ansible.builtin.fail:
        msg: "{{ node_failure }}"
      when: node_failure is defined
"""


def play(folder: Path, inventory: str, *options: str) -> tuple[list[dict[str, str]], str]:
    """The tables that were shown, each as host and result, and all output."""
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "inventory").write_text(inventory)
    command = [program("ansible-playbook"), "-i", "inventory", "play.yml", *options]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    texts = [text.split("\n\n", 1)[0].splitlines()[1:] for text in re.split(r"^(?=HOST )", run.stdout, flags=re.M)[1:]]
    return [{line.split()[0]: re.split(r"\s{2,}", line)[-1] for line in text} for text in texts], run.stdout


def test_it_is_shown_once_and_its_result_does_not_repeat_it(tmp_path: Path) -> None:
    tables, output = play(tmp_path, "[nodes]\na\nb\n", "-v")
    assert tables == [{"a": "no registries", "b": "no registries"}]
    assert "ok: [a] => " in output
    assert output.count("no registries") == 2


def test_it_is_shown_when_every_host_fails(tmp_path: Path) -> None:
    tables, output = play(tmp_path, "[nodes]\na node_failure=x\nb 'node_failure=unreachable: y'\n")
    assert tables == [{"a": "failed", "b": "unreachable"}]
    assert "a: x\nb: y\n\n0 of 2 hosts verified" in output


def test_a_failed_host_outside_the_play_is_a_row_and_a_good_one_is_none(tmp_path: Path) -> None:
    tables, _output = play(tmp_path, "[nodes]\na\n[registries]\nr registry_failure=x\ns\n")
    assert tables == [{"a": "no registries", "r": "failed"}]


def test_a_limit_leaves_hosts_out(tmp_path: Path) -> None:
    assert play(tmp_path, "[nodes]\na\nb\n", "--limit", "b")[0] == [{"b": "no registries"}]


@pytest.mark.parametrize("batch", ["1", "2", "3"])
def test_with_serial_it_is_shown_once_for_all(tmp_path: Path, batch: str) -> None:
    tables, _output = play(tmp_path, "[nodes]\na\nb\nc\n", "-e", f"batch={batch}")
    assert tables == [{"a": "no registries", "b": "no registries", "c": "no registries"}]


def test_with_serial_it_is_shown_once_though_a_host_of_the_first_batch_failed(tmp_path: Path) -> None:
    tables, _output = play(tmp_path, "[nodes]\na\nb node_failure=x\nc\n", "-e", "batch=2")
    assert tables == [{"a": "no registries", "b": "failed", "c": "no registries"}]


def test_with_serial_it_is_shown_before_the_play_ends_with_a_batch_that_failed(tmp_path: Path) -> None:
    tables, _output = play(tmp_path, "[nodes]\na\nb node_failure=x\nc\n", "-e", "batch=1")
    assert tables == [{"a": "no registries", "b": "failed", "c": "not reached"}]


def test_a_host_that_left_the_play_without_a_record_is_a_failed_row(tmp_path: Path) -> None:
    tables, output = play(tmp_path, "[nodes]\na\nb leaves=true\nc\n", "-e", "batch=2")
    assert tables == [{"a": "no registries", "b": "failed", "c": "no registries"}]
    assert "b: it failed, see the message of its task above" in output


@pytest.mark.parametrize("limit", ["-1", "100.5", '"nan"', "[10, 50]"])
def test_a_limit_that_is_no_percentage_is_told(tmp_path: Path, limit: str) -> None:
    tables, output = play(tmp_path, "[nodes]\na\n", "-e", f'{{"limit": {limit}}}')
    assert tables == []
    assert "max_fail_percentage" in output
    assert "failed=1" in output


@pytest.mark.parametrize("limit", ["0", "100"])
def test_both_ends_of_the_limit_belong_to_it(tmp_path: Path, limit: str) -> None:
    assert play(tmp_path, "[nodes]\na\n", "-e", f'{{"limit": {limit}}}')[0] == [{"a": "no registries"}]
