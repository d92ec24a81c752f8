# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's playbook, and the one that deploys nodes, against hosts that need no lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._pem import fingerprint
from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import as_text, build
from ansible_collections.fleet.certs_d.tests.unit.fleet_sample import MADE, good, verified
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca, issue_client
from ansible_collections.fleet.certs_d.tests.unit.programs import program
from ansible_collections.fleet.certs_d.tests.unit.scripted_registry import scripted_registry

GHOST = "ghost ansible_host=127.0.0.1 ansible_port=1 ansible_ssh_common_args='-o ConnectTimeout=2'"
HERE = f"here ansible_connection=local ansible_python_interpreter={sys.executable} ansible_become=false"


def playbook(folder: Path, name: str, inventory: str | None, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook of the collection by its name, with `folder` as working directory."""
    command = [program("ansible-playbook"), f"fleet.certs_d.{name}", *options]
    if inventory is not None:
        (folder / "inventory").write_text(inventory)
        command += ["-i", "inventory"]
    # ansible-test turns the mismatch into an error, users have Ansible's default.
    settings = {"NOCOLOR": "1", "LOCALHOST_WARNING": "0", "HOST_PATTERN_MISMATCH": "warning"}
    environment = {**os.environ, **{f"ANSIBLE_{name}": value for name, value in settings.items()}}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


def hosts(folder: Path, directory: str = "certs_d_report") -> dict[str, dict[str, Any]]:
    report = json.loads((folder / directory / "report.json").read_text())
    return {host["host"]: host for host in report["hosts"]}


def without_times(found: dict[str, dict[str, Any]]) -> str:
    """The hosts of a report but for what differs in each run: when it was measured, and how long it took."""
    return re.sub(r'"(measured|seconds|clock_skew)": [^,}\]]+', "", json.dumps(found, sort_keys=True))


def lay(folder: Path) -> str:
    """A host directory with nothing in it, of a registry that nobody is at."""
    root = folder / "certs.d"
    (root / "127.0.0.1:1").mkdir(parents=True)
    return str(root)


def test_hosts_that_nobody_set_up_are_verified_and_reported_and_nothing_is_changed(tmp_path: Path) -> None:
    root = lay(tmp_path)
    run = playbook(tmp_path, "report", f"[nodes]\n{GHOST}\n{HERE} node_path={root}\n")
    assert run.returncode == 0, run.stdout + run.stderr
    found = hosts(tmp_path)
    assert found["ghost"]["state"] == "unreachable"
    assert found["here"]["state"] == "failed"
    assert [registry["name"] for registry in found["here"]["registries"]] == ["127.0.0.1:1"]
    assert re.search(r"changed=[1-9]", run.stdout) is None
    assert [path.name for path in (tmp_path / "certs.d/127.0.0.1:1").iterdir()] == []


def test_a_pattern_chooses_other_hosts_and_a_variable_another_directory(tmp_path: Path) -> None:
    inventory = f"[web]\n{HERE} node_path={lay(tmp_path)}\n"
    run = playbook(tmp_path, "report", inventory, "-e", "certs_d_report_hosts=web certs_d_report=out")
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(hosts(tmp_path, "out")) == ["here"]


def test_a_host_that_can_not_even_be_tried_is_in_it(tmp_path: Path) -> None:
    run = playbook(tmp_path, "report", f"[nodes]\nodd ansible_connection=nosuch\n{HERE} node_path={lay(tmp_path)}\n")
    assert run.returncode != 0
    assert {name: host["registries"] != [] for name, host in hosts(tmp_path).items()} == {"here": True, "odd": False}
    assert hosts(tmp_path)["odd"]["state"] == "failed"


def test_a_fleet_that_can_not_even_be_tried_is_reported(tmp_path: Path) -> None:
    run = playbook(tmp_path, "report", "[nodes]\nodd ansible_connection=nosuch\n")
    assert run.returncode != 0
    assert hosts(tmp_path)["odd"]["state"] == "failed"


def test_a_variable_that_is_wrong_for_all_hosts_leaves_an_earlier_report_as_it_was(tmp_path: Path) -> None:
    inventory = f"[nodes]\n{HERE} node_path={lay(tmp_path)}\n"
    playbook(tmp_path, "report", inventory)
    before = hosts(tmp_path)
    run = playbook(tmp_path, "report", inventory, "-e", "node_request=v2")
    assert run.returncode != 0
    assert "was left as it was:" in run.stdout
    assert "- here: request: 'v2' is no path of a request" in run.stdout
    assert hosts(tmp_path) == before


def test_all_that_is_wrong_with_variables_is_told_and_each_sentence_once(tmp_path: Path) -> None:
    wrong = {"a": "v1", "b": "v2", "c": "v1"}
    lines = [f"{HERE.replace('here', name)} node_request={request}" for name, request in wrong.items()]
    inventory = "\n".join(["[nodes]", *lines, ""])
    (tmp_path / "certs_d_report").mkdir()
    (tmp_path / "certs_d_report/report.json").touch()
    output = playbook(tmp_path, "report", inventory).stdout
    told = [line.strip() for line in output.splitlines() if line.startswith("  - ")]
    assert told == [
        f"- {host}: request: '{wrong[host]}' is no path of a request: begin with a slash, use ASCII" for host in "ab"
    ]


def test_slices_are_merged_without_any_inventory(tmp_path: Path) -> None:
    for host in "ab":
        (tmp_path / f"{host}.json").write_text(as_text(build([verified(host, good(host))], made=MADE)))
    run = playbook(tmp_path, "report", None, "-e", '{"certs_d_report_slices": ["a.json", "b.json"]}')
    assert run.returncode == 0, run.stdout + run.stderr
    assert {name: host["state"] for name, host in hosts(tmp_path).items()} == dict.fromkeys("ab", "verified")


def test_slices_are_merged_into_what_is_verified_now(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(as_text(build([verified("a", good("a"))], made=MADE)))
    inventory = f"[nodes]\n{HERE} node_path={lay(tmp_path)}\n"
    run = playbook(tmp_path, "report", inventory, "-e", '{"certs_d_report_slices": ["a.json"]}')
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(hosts(tmp_path)) == ["a", "here"]
    assert run.stdout.count("TASK [Write the report]") == 2
    assert "skipping: [localhost]" in run.stdout


def test_slices_of_a_fleet_make_the_report_of_the_whole(tmp_path: Path) -> None:
    ca = issue_ca()
    pairs = {name: issue_client(name, signer=ca) for name in ("node1", "node2", "node3")}
    # The one in the middle is refused, so that the slices differ.
    script = {fingerprint(pair.der): 403 if name == "node2" else 200 for name, pair in pairs.items()}
    with scripted_registry({None: 403, **script}, ca=ca) as registry:
        lines = []
        for name, pair in pairs.items():
            home = tmp_path / name / registry.name
            home.mkdir(parents=True)
            for file, text in {"ca.crt": ca.certificate, "a.cert": pair.certificate, "a.key": pair.private_key}.items():
                (home / file).write_text(text)
            lines.append(f"{HERE.replace('here', name)} node_path={home.parent}")
        inventory = "\n".join(["[nodes]", *lines, "[nodes:vars]", 'node_engines=["containers"]', ""])
        for out, limit in {"whole": "nodes", "left": "nodes[0:1]", "right": "nodes[2]"}.items():
            run = playbook(tmp_path, "report", inventory, "--limit", limit, "-e", f"certs_d_report={out}")
            assert run.returncode == 0, run.stdout + run.stderr
    slices = '{"certs_d_report_slices": ["right/report.json", "left/report.json"], "certs_d_report": "merged"}'
    assert playbook(tmp_path, "report", None, "-e", slices).returncode == 0
    assert list(hosts(tmp_path, "left")) == ["node1", "node2"]
    assert {name: host["state"] for name, host in hosts(tmp_path, "whole").items()} == {
        "node1": "verified",
        "node2": "failed",
        "node3": "verified",
    }
    assert without_times(hosts(tmp_path, "merged")) == without_times(hosts(tmp_path, "whole"))


def test_without_hosts_and_slices_the_run_fails_and_says_so(tmp_path: Path) -> None:
    run = playbook(tmp_path, "report", "[other]\na\n")
    assert run.returncode != 0
    assert "there is nothing to report" in run.stdout


def test_site_reports_though_every_node_fails(tmp_path: Path) -> None:
    inventory = f"[nodes]\n{HERE}\n{GHOST}\n[nodes:vars]\nnode_pki=/nowhere\n"
    run = playbook(tmp_path, "nodes", inventory, "-e", "certs_d_report=out")
    assert run.returncode != 0
    assert {name: host["state"] for name, host in hosts(tmp_path, "out").items()} == dict.fromkeys(
        ["ghost", "here"], "failed"
    )
    assert "/nowhere" in hosts(tmp_path, "out")["here"]["fault"]


def test_site_writes_no_report_that_nobody_asked_for(tmp_path: Path) -> None:
    run = playbook(tmp_path, "nodes", f"[nodes]\n{HERE}\n[nodes:vars]\nnode_pki=/nowhere\n")
    assert run.returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inventory"]
