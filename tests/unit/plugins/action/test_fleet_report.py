# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action fleet.certs_d.fleet_report in plays whose hosts nobody talks to."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import as_text, build
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import MADE, good, hostile, spoiled, verified
from ansible_collections.fleet.certs_d.tests.unit.programs import program

PLAYBOOK = """
- name: Record and report
  hosts: nodes
  gather_facts: false
  serial: "{{ batch | default('100%') }}"
  tasks:
    - name: Record, fail, and report all the same
      block:
        - name: Leave without a record
          ansible.builtin.fail:
          when: leaves | default(false)
        - name: Record
          ansible.builtin.set_fact:
            node_verification: {verified: true, registries: "{{ [told] if told is defined else [] }}"}
          when: node_failure is not defined
        - name: Fail
          ansible.builtin.fail:
            msg: "{{ node_failure }}"
          when: node_failure is defined
      always:
        - name: Report
          fleet.certs_d.fleet_report:
            dest: "{{ dest | default('made/here') }}"
            hosts: "{{ ansible_play_hosts_all }}"
            slices: "{{ slices | default([]) }}"
            formats: "{{ formats | default(omit) }}"
            verification: "{{ verification | default(omit) }}"
          run_once: true
"""


def play(folder: Path, inventory: str, *options: str, umask: int = 0o022) -> str:
    """All output of the play."""
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "inventory").write_text(inventory)
    command = [program("ansible-playbook"), "-i", "inventory", "play.yml", *options]
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment, umask=umask)
    return run.stdout + run.stderr


def report(folder: Path) -> dict[str, Any]:
    """The report that was written."""
    found: dict[str, Any] = json.loads((folder / "made/here/report.json").read_text())
    return found


def states(folder: Path) -> dict[str, str]:
    return {host["host"]: host["state"] for host in report(folder)["hosts"]}


def host_variables(folder: Path, host: str, told: dict[str, Any]) -> None:
    """What the host is going to record."""
    (folder / "host_vars").mkdir(exist_ok=True)
    (folder / "host_vars" / f"{host}.json").write_text(json.dumps({"told": told}))


def test_three_files_are_written_and_nothing_is_changed(tmp_path: Path) -> None:
    output = play(tmp_path, "[nodes]\na\nb\n", "-v", umask=0o077)
    assert states(tmp_path) == {"a": "no registries", "b": "no registries"}
    assert re.search(r"^a +: ok=2 +changed=0 ", output, re.MULTILINE)
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "made/here").iterdir()}
    assert found == dict.fromkeys(["report.html", "report.json", "report.prom"], 0o644)
    assert '"hosts": 2' in output
    assert str(tmp_path / "made/here/report.html") in output


def test_only_the_formats_that_are_asked_for_are_written(tmp_path: Path) -> None:
    play(tmp_path, "[nodes]\na\n", "-e", '{"formats": ["prometheus"]}')
    assert [path.name for path in (tmp_path / "made/here").iterdir()] == ["report.prom"]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    output = play(tmp_path, "[nodes]\na\n", "--check", "-v")
    assert '"files": []' in output
    assert not (tmp_path / "made").exists()


def test_it_is_written_when_every_host_fails(tmp_path: Path) -> None:
    output = play(tmp_path, "[nodes]\na node_failure=x\nb 'node_failure=unreachable: y'\nc leaves=true\n")
    assert states(tmp_path) == {"a": "failed", "b": "unreachable", "c": "failed"}
    assert [host["fault"] for host in report(tmp_path)["hosts"]][:2] == ["x", "y"]
    assert re.search(r"^a .* failed=1 ", output, re.MULTILINE)


def test_a_failed_host_outside_the_play_is_in_it(tmp_path: Path) -> None:
    play(tmp_path, "[nodes]\na\n[registries]\nr registry_failure=x\ns\n")
    assert states(tmp_path) == {"a": "no registries", "r": "failed"}


@pytest.mark.parametrize("batch", ["1", "2"])
def test_with_serial_the_last_batch_writes_it_whole(tmp_path: Path, batch: str) -> None:
    play(tmp_path, "[nodes]\na\nb\nc\n", "-e", f"batch={batch}")
    assert states(tmp_path) == dict.fromkeys("abc", "no registries")


def test_with_serial_a_play_that_ends_early_tells_who_was_not_reached(tmp_path: Path) -> None:
    play(tmp_path, "[nodes]\na node_failure=x\nb\n", "-e", "batch=1")
    assert states(tmp_path) == {"a": "failed", "b": "not reached"}


def test_what_hosts_recorded_is_in_all_three_files(tmp_path: Path) -> None:
    host_variables(tmp_path, "a", spoiled("a"))
    play(tmp_path, "[nodes]\na\n")
    (entry,) = report(tmp_path)["hosts"][0]["registries"]
    assert entry["verdicts"]["effective"]["reason"].startswith("docker would present 10-old (expired 3 days ago)")
    assert "docker would present 10-old (expired 3 days ago)" in (tmp_path / "made/here/report.html").read_text()
    assert 'certs_d_expected{host="a",' in (tmp_path / "made/here/report.prom").read_text()


def test_slices_are_merged_and_the_newest_stands(tmp_path: Path) -> None:
    for name, host in (("one", "a"), ("two", "z")):
        (tmp_path / name).write_text(as_text(build([verified(host, good(host))], made=MADE)))
    play(tmp_path, "[nodes]\na node_failure=x\n", "-e", '{"slices": ["one", "two", "one"]}')
    merged = {host["host"]: (host["state"], host["measured"] > MADE) for host in report(tmp_path)["hosts"]}
    # The sample's present may be ahead of this machine's clock.
    assert merged["z"] == ("verified", False)
    assert merged["a"] in (("failed", True), ("verified", False))


def test_all_slices_that_can_not_be_merged_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"\xff")
    (tmp_path / "other").write_text("{}")
    output = play(tmp_path, "[nodes]\na\n", "-e", '{"slices": ["junk", "other", "missing"]}')
    assert "slices can't be merged:" in output
    assert "- junk: this is no JSON: it is not in UTF-8" in output
    assert "- other: this is no report" in output
    assert "- missing: No such file or directory" in output
    assert not (tmp_path / "made").exists()


def test_a_directory_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    output = play(tmp_path, "[nodes]\na\n", "-e", "dest=file")
    assert "the report can't be written" in output


def test_texts_of_hosts_are_never_templates(tmp_path: Path) -> None:
    (tmp_path / "slice").write_text(as_text(build([verified("z", hostile())], made=MADE)))
    play(tmp_path, "[nodes]\na\n", "-e", '{"slices": ["slice"]}')
    page = (tmp_path / "made/here/report.html").read_text()
    assert "<img" not in page
    assert "{{ 7 * 7 }}" in page


WRONG = {
    "a name that nobody recorded": '{"verification": "node_verfication"}',
    "a variable of another kind": '{"verification": "inventory_hostname"}',
    "no such slice": '{"slices": ["missing"]}',
    "no such format": '{"formats": ["json", "pdf"]}',
}


@pytest.mark.parametrize("options", WRONG.values(), ids=list(WRONG))
def test_a_wrong_call_leaves_an_earlier_report_as_it_was(tmp_path: Path, options: str) -> None:
    play(tmp_path, "[nodes]\na\n")
    before = texts(tmp_path)
    output = play(tmp_path, "[nodes]\na\n", "-e", options)
    assert "failed=1" in output
    assert texts(tmp_path) == before


def test_a_report_that_can_not_be_written_whole_is_not_written_at_all(tmp_path: Path) -> None:
    play(tmp_path, "[nodes]\na\n", "-e", '{"formats": ["json"]}')
    (tmp_path / "made/here/report.html").mkdir()
    before = texts(tmp_path)
    output = play(tmp_path, "[nodes]\na\nb\n")
    assert f"{tmp_path}/made/here/report.html: Is a directory: the report can't be written" in output
    assert texts(tmp_path) == before


def texts(folder: Path) -> dict[str, str]:
    """What lies in the report's directory."""
    return {path.name: path.read_text() for path in (folder / "made/here").iterdir() if path.is_file()}
