# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input: one clear error before anything is changed, and the node's certs.d exactly as before."""

from __future__ import annotations

import re
import shutil
from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, REGISTRY, SITE, Ansible, address
from ansible_collections.fleet.certs_d.tests.unit.material import NOW, SERVER, issue, issue_ca, issue_client

PKI = INVENTORY / ".lab" / "pki"
LATE_PYTHON = b"#!/bin/sh\nexec faketime '2039-01-01 00:00:00' /usr/bin/python3 \"$@\"\n"
AUTHORITY = issue_ca()
CLIENT = issue_client(signer=AUTHORITY)
OTHER = issue_client("other", signer=AUTHORITY)
EXPIRED = issue(signer=AUTHORITY, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=3))
EARLY = issue(signer=AUTHORITY, not_before=NOW + timedelta(days=3))
FOR_SERVERS = issue(signer=AUTHORITY, purposes=[SERVER])
# What is laid into hosts/node1 of a good tree, and what the error must say of it.
FAULTS: dict[str, tuple[dict[str, str], str]] = {
    "certificate without key": ({"30.cert": CLIENT.certificate}, "30.cert: the certificate has no key"),
    "key without certificate": ({"30.key": CLIENT.private_key}, "30.key: the key has no certificate"),
    "key of another": ({"30.cert": CLIENT.certificate, "30.key": OTHER.private_key}, "belongs to another certificate"),
    "encrypted key": ({"30.cert": CLIENT.certificate, "30.key": CLIENT.encrypted_key}, "30.key: the key is encrypted"),
    "junk certificate": ({"30.cert": "junk", "30.key": CLIENT.private_key}, "30.cert: this is no certificate"),
    "empty certificate": ({"30.cert": "", "30.key": CLIENT.private_key}, "30.cert: this is no certificate"),
    "junk key": ({"30.cert": CLIENT.certificate, "30.key": "junk"}, "30.key: this is no private key"),
    "empty key": ({"30.cert": CLIENT.certificate, "30.key": ""}, "30.key: this is no private key"),
    "expired": ({"30.cert": EXPIRED.certificate, "30.key": EXPIRED.private_key}, "3 days ago"),
    "not yet valid": (
        {"30.cert": EARLY.certificate, "30.key": EARLY.private_key},
        "30.cert: the certificate is not yet",
    ),
    "for servers": ({"30.cert": FOR_SERVERS.certificate, "30.key": FOR_SERVERS.private_key}, "not for client use"),
    "CA named .cert": ({"ca.cert": AUTHORITY.certificate}, "ca.cert: this client certificate is a CA"),
    "leaf named .crt": ({"leaf.crt": CLIENT.certificate}, "leaf.crt: this CA root is no CA"),
    "key in a .crt": ({"both.crt": AUTHORITY.certificate + AUTHORITY.private_key}, "both.crt: a private key stands in"),
    "key in a .cert": (
        {"30.cert": CLIENT.certificate + CLIENT.private_key, "30.key": CLIENT.private_key},
        "30.cert: a private key stands in",
    ),
}


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    """A copy of the fleet's good tree, to be spoiled."""
    return Path(shutil.copytree(PKI, tmp_path / "pki"))


def refused(playbook: Ansible, pki: Path) -> str:
    """The error of node1, whose certs.d alone is to be laid from the tree."""
    run = playbook(SITE, "--tags", "layout", "--limit", "node1", "-e", f"node_pki={pki}")
    assert run.status != 0, run.output
    return run.output


class Refusals(NamedTuple):
    """What was told of each fault, and the node's certs.d before and after all of them."""

    told: dict[str, str]
    before: str
    after: str


@pytest.fixture(scope="module")
def refusals(playbook: Ansible, certs_d: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Refusals:
    """One run for all: each fault has a tree and a host of its own, and every host is the same node."""
    folder = tmp_path_factory.mktemp("faults")
    hosts = {f"fault{number}": fault for number, fault in enumerate(FAULTS)}
    for host, fault in hosts.items():
        shutil.copytree(PKI, folder / host)
        own = (folder / host / REGISTRY / "hosts" / "node1").rename(folder / host / REGISTRY / "hosts" / host)
        for name, content in FAULTS[fault][0].items():
            (own / name).write_text(content)
    common = {
        "ansible_host": address(INVENTORY, "node1"),
        "ansible_ssh_private_key_file": f"{INVENTORY}/.lab/id_ed25519",
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={INVENTORY}/.lab/known_hosts -o StrictHostKeyChecking=yes",
    }
    faulty = {"hosts": {host: {**common, "node_pki": str(folder / host)} for host in hosts}}
    (folder / "faulty.yml").write_text(yaml.safe_dump({"nodes": {"children": {"faulty": faulty}}}))
    before = certs_d("node1")
    # The trees are made: no throw-away one is needed beside this inventory.
    run = playbook(SITE, "-i", folder / "faulty.yml", "--limit", "faulty", "--tags", "layout", "--skip-tags", "pki")
    fatal = dict(re.findall(r"^fatal: \[(fault\d+)\]: (.*)$", run.output, re.MULTILINE))
    assert set(fatal) == set(hosts), run.output
    return Refusals({fault: fatal[host] for host, fault in hosts.items()}, before, certs_d("node1"))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_and_changes_nothing(refusals: Refusals, fault: str) -> None:
    assert FAULTS[fault][1] in refusals.told[fault]
    assert refusals.after == refusals.before


def test_all_faults_of_a_host_are_told_at_once(playbook: Ansible, certs_d: Callable[[str], str], pki: Path) -> None:
    folder = pki / REGISTRY / "hosts" / "node1"
    (folder / "a.cert").write_text(CLIENT.certificate)
    (folder / "b.key").write_text(CLIENT.private_key)
    (pki / REGISTRY / "all" / "c.crt").write_text("junk")
    (pki / "bad name:5000" / "all").mkdir(parents=True)
    before = certs_d("node1")
    output = refused(playbook, pki)
    for place in ("a.cert: ", "b.key: ", "c.crt: ", "bad name:5000"):
        assert place in output
    assert certs_d("node1") == before


def test_a_missing_tree_is_told(playbook: Ansible, certs_d: Callable[[str], str]) -> None:
    before = certs_d("node1")
    assert "/nowhere: there is no such PKI tree" in refused(playbook, Path("/nowhere"))
    assert certs_d("node1") == before


@pytest.mark.parametrize("name", ["", "..", "a/b:5000", "a b:5000", "registry.lab:0", "registry.lab:70000", "registry"])
def test_a_name_that_no_image_can_have_is_refused(
    playbook: Ansible, certs_d: Callable[[str], str], tmp_path: Path, name: str
) -> None:
    play = tmp_path / "name.yml"
    play.write_text(
        "- hosts: node1\n"
        "  gather_facts: false\n"
        "  tasks:\n"
        "    - fleet.certs_d.layout:\n"
        f"        registries: [{{name: '{name}'}}]\n"
    )
    before = certs_d("node1")
    run = playbook(play)
    assert run.status != 0
    assert "no image name can name this registry" in run.output
    assert certs_d("node1") == before


def test_a_node_whose_clock_is_off_refuses(
    playbook: Ansible, on: Callable[[str, str], str], certs_d: Callable[[str], str]
) -> None:
    on("node1", "command -v faketime >/dev/null || (apt-get update && apt-get install -y faketime) >/dev/null 2>&1")
    on("node1", f"echo {b64encode(LATE_PYTHON).decode()} | base64 -d > /srv/late && chmod 755 /srv/late")
    before = certs_d("node1")
    late = "ansible_python_interpreter=/srv/late"
    run = playbook(SITE, "--tags", "layout", "--limit", "node1", "-e", late)
    assert run.status != 0
    assert "the certificate has expired" in run.output
    assert "the node's clock says 2039-01-01" in run.output
    assert certs_d("node1") == before


def test_a_user_who_is_not_root_gets_one_error(playbook: Ansible, on: Callable[[str, str], str]) -> None:
    on("node1", "id plain >/dev/null 2>&1 || useradd --create-home plain")
    on("node1", "cp -r /root/.ssh /home/plain/ && chown -R plain: /home/plain")
    run = playbook(SITE, "--tags", "layout", "--limit", "node1", "-e", "ansible_user=plain")
    assert run.status != 0
    assert "sudo" in run.output


def test_a_server_key_that_does_not_fit_leaves_the_registry_as_it_is(
    playbook: Ansible, on: Callable[[str, str], str], tmp_path: Path
) -> None:
    (tmp_path / "other.key").write_text(OTHER.private_key)
    run = playbook(SITE, "-e", f"registry_server_key={tmp_path}/other.key")
    assert run.status != 0
    assert {host: row[-1] for host, row in run.rows().items()} == {
        **dict.fromkeys(("node1", "node2", "node3"), "verified"),
        "registry1": "failed",
    }
    assert "The registry keeps the pair that it has" in run.output
    assert on("registry1", "systemctl reload apache2 && systemctl is-active apache2") == "active\n"
    assert playbook(SITE, "--tags", "registry").status == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("path: certs.d", "path: certs.d is not absolute: give the path on the node"),
        ("engines: []", "the list is empty: name an engine"),
        ("private_keys: {x: registry}", "private_keys is filled by the action"),
    ],
)
def test_options_that_can_not_be_meant_are_refused(
    playbook: Ansible, tmp_path: Path, options: str, sentence: str
) -> None:
    play = tmp_path / "options.yml"
    task = f"{{fleet.certs_d.layout: {{pki: {PKI}, {options}}}, become: true}}"
    play.write_text(f"- {{hosts: node1, gather_facts: false, tasks: [{task}]}}\n")
    run = playbook(play)
    assert run.status != 0
    assert sentence in run.output


def test_an_unreachable_registry_is_a_fault_of_verification_and_the_layout_stays(
    playbook: Ansible, on: Callable[[str, str], str], certs_d: Callable[[str], str]
) -> None:
    before = certs_d("node1")
    on("registry1", "systemctl stop apache2")
    try:
        run = playbook(SITE, "--tags", "layout,verify", "--limit", "node1")
    finally:
        on("registry1", "systemctl start apache2")
    assert run.status != 0
    assert run.rows()["node1"][-1] == "failed"
    assert "Connection refused" in run.output.split("HOST ", 1)[1]
    assert certs_d("node1") == before


def test_a_wrong_ca_is_a_fault_of_verification(playbook: Ansible, pki: Path) -> None:
    (pki / REGISTRY / "all" / "ca.crt").write_text(AUTHORITY.certificate)
    wrong = playbook(SITE, "--tags", "layout,verify", "--limit", "node1", "-e", f"node_pki={pki}")
    assert wrong.status != 0
    assert "the registry's certificate is not accepted" in wrong.output.split("HOST ", 1)[1]
    right = playbook(SITE, "--tags", "layout,verify", "--limit", "node1")
    assert right.status == 0, right.output
