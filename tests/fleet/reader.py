# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reader of the documents: a directory, hosts and a registry with which each example is run as it stands."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.fleet.certs_d.tests.fleet.documents import Block, Command, commands
from ansible_collections.fleet.certs_d.tests.fleet.registries import HOST, unpack
from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CERTS_D,
    INVENTORY,
    PROJECT,
    REGISTRY,
    Run,
    address,
    run,
    ssh,
    tool,
)
from ansible_collections.fleet.certs_d.tests.unit.material import (
    CLIENT,
    NOW,
    Issued,
    issue,
    issue_ca,
    issue_client,
    issue_server,
)

NODES = ("node1", "node2", "node3")
STAND_INS = Path(__file__).with_name("stand_ins")
# A registry that documents deploy stands beside the lab's own, which the nodes ask.
DEPLOYED = "documents.lab:5000"
ROOT = "/srv/documents-registry"
# What the documents write for what each reader has otherwise, and what stands for it here.
SUBSTITUTES = {
    "registry_name: registry.example:5000": f"registry_name: {DEPLOYED}",
    "registry.example": REGISTRY.partition(":")[0],
    "ansible HOST ": "ansible node1 ",
    "--limit HOST ": "--limit node1 ",
    "88:e8:…:c5:01": ":".join(["88"] * 32),
    's3: {bucket: images, region: eu-central-1, accesskey: "{{ vault_key_id }}", secretkey: "{{ vault_key }}"}': (
        f"filesystem: {{rootdirectory: {ROOT}/images}}"
    ),
}
# The commands of the documents that are run elsewhere, by their beginnings, and where.
ELSEWHERE = {
    "make demo": "each target's parts are the lab, brought up by conftest.py, and the playbook site",
    "make test": "this test is a part of it",
    ".venv/bin/ansible-playbook playbooks/site.yml": "conftest.py",
    "ansible-galaxy collection build": "test_install.py",
}
_SSH = """\
Host {name}
  HostName {address}
  User root
  IdentityFile {folder}/id_ed25519
  UserKnownHostsFile {folder}/known_hosts
"""
_REGISTRY_VARIABLES = {
    "registry_name": DEPLOYED,
    "registry_server_certificate": "{{ inventory_dir }}/pki/registry.lab.crt",
    "registry_server_key": "{{ inventory_dir }}/pki/registry.lab.key",
    "registry_client_ca": "{{ inventory_dir }}/pki/clients-ca.crt",
    "registry_root": ROOT,
    "registry_busybox_image": False,
    "vault_registry_http_secret": "of-no-worth-but-long-enough-for-the-role",
}
# The groups of docs/report.md.
_SLICES = {"europe": {"node1": None}, "asia": {"node2": None, "node3": None}}
# Where examples lay something on a node, beside the engine's own certs.d.
_LAID = "/etc/containers /etc/containerd"


@dataclass(frozen=True)
class Reader:
    """Runs examples in a directory of its own."""

    folder: Path
    authority: Issued
    clients: Mapping[str, Issued]

    def prepare(self) -> None:
        """What a document takes for granted where it says nothing else: inventories, and a tree that is deployed."""
        self.write_inventories()
        self._deploy()

    def write_inventories(self) -> None:
        """How the hosts are reached, and in which groups they are."""
        shutil.copy(PROJECT / "ansible.cfg", self.folder)
        hosts = {name: address(INVENTORY, name) for name in (HOST, *NODES)}
        reached = [_SSH.format(name=name, address=hosts[name], folder=INVENTORY / ".lab") for name in hosts]
        self.write("ssh_config", "".join(reached))
        groups = {"nodes": dict.fromkeys(NODES), **_SLICES}
        inventory: dict[str, Any] = {name: {"hosts": each} for name, each in groups.items()}
        inventory["nodes"]["vars"] = {"node_pki": "{{ inventory_dir }}/pki"}
        self.write("inventory", yaml.safe_dump(inventory, sort_keys=False))
        registries = {"hosts": {HOST: _REGISTRY_VARIABLES}}
        self.write("registries", yaml.safe_dump({"registries": registries}))

    def _deploy(self) -> None:
        server = issue_server(signer=self.authority, names=[DEPLOYED.partition(":")[0]])
        self.write("pki/registry.lab.crt", server.certificate)
        self.write("pki/registry.lab.key", server.private_key)
        self.write("pki/clients-ca.crt", self.authority.certificate)
        self.write(f"pki/{REGISTRY}/all/corporate.crt", self.authority.certificate)
        for node, issued in self.clients.items():
            self.write(f"pki/{REGISTRY}/hosts/{node}/10-node.cert", issued.certificate)
            self.write(f"pki/{REGISTRY}/hosts/{node}/10-node.key", issued.private_key)
            self.lay_by_hand(node, {REGISTRY: {"corporate.crt": self.authority.certificate, **pair("10-node", issued)}})
            fresh = issue_client(node, signer=self.authority)
            self.write(f"issued/{node}.crt", fresh.certificate)
            self.write(f"issued/{node}.key", fresh.private_key)
        self.write("issued/corporate-ca.crt", self.authority.certificate)
        self.write("issued/next-ca.crt", issue_ca("Next CA").certificate)

    def begin(self, page: str) -> None:
        """Where a document begins otherwise, go there."""
        _BEGINNINGS.get(page, lambda _reader: None)(self)

    def lay_by_hand(self, node: str, directories: Mapping[str, Mapping[str, str]]) -> None:
        """Put these host directories in the place of all that lies on a node."""
        files = {f"{name}/{file}": text for name, each in directories.items() for file, text in each.items()}
        unpack(node, CERTS_D, [(path, text.encode()) for path, text in files.items()])
        ssh(INVENTORY, node, f"rm -rf {_LAID}; find {CERTS_D} -name '*.key' -exec chmod 600 {{}} +").good()

    def run(self, line: str) -> Run:
        """A line of a shell in the directory, with the lab's hosts at hand by their names."""
        return run(
            *("bash", "-o", "pipefail", "-c", _ours(line)),
            cwd=self.folder,
            PATH=f"{tool('python').parent}:{os.environ['PATH']}",
            ANSIBLE_REMOTE_USER="root",
            ANSIBLE_SSH_ARGS=f"-F {self.folder}/ssh_config -o ControlMaster=auto -o ControlPersist=60s",
            # Else a node1 of another checkout's lab would be reached, to which a connection is still open.
            ANSIBLE_SSH_CONTROL_PATH=f"%(directory)s/{zlib.crc32(bytes(INVENTORY)):08x}-%%n",
        )

    def use(self, block: Block) -> None:
        """Run a block, or lay it where it says that it is a file."""
        assert block.kind, f"{block.place}: nobody knows how to run this block: see tests/fleet/documents.py"
        assert not block.unknown_variables(), f"{block.place}: there is no {block.unknown_variables()}"
        if block.kind == "console":
            for command in commands(block):
                self._run_command(command)
        elif block.kind == "file":
            self.write(block.file, _ours(block.text))
        elif block.kind == "alerts":
            self._check_alerts(block)
        elif block.kind != "text":
            self.write("example.yml", self._playbook(block))
            done = self.run("ansible-playbook -i inventory -i registries example.yml")
            assert done.status == 0, f"{block.place}:\n{done.output}"

    def _run_command(self, command: Command) -> None:
        if not command.line.startswith(tuple(ELSEWHERE)):
            replace(command, output=_ours(command.output)).check(self.run(command.line))

    def _playbook(self, block: Block) -> str:
        text = _ours(block.text)
        if block.kind == "playbook":
            return text
        data = yaml.safe_load(text)
        role = "registry" if block.kind == "variables" and next(iter(data)).startswith("registry_") else "node"
        play = {"hosts": "registries" if role == "registry" else "nodes", "gather_facts": role == "registry"}
        if block.kind == "tasks":
            return yaml.safe_dump([{**play, "become": True, "tasks": data}], sort_keys=False)
        return yaml.safe_dump([{**play, "vars": data, "roles": [f"fleet.certs_d.{role}"]}])

    def _check_alerts(self, block: Block) -> None:
        """Every metric that an expression names is one that a report of these hosts has."""
        metrics = set(re.findall(r"certs_d_\w+", block.text))
        self.run("ansible-playbook fleet.certs_d.report -i inventory -e certs_d_report=alerts").good()
        told = (self.folder / "alerts" / "report.prom").read_text()
        assert [name for name in metrics if f"# TYPE {name} gauge" not in told] == [], block.place

    def write(self, name: str, text: str) -> None:
        """Lay a file in the directory, a key for its owner alone."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if name.endswith(".key"):
            path.chmod(0o600)


def pair(stem: str, issued: Issued) -> dict[str, str]:
    """The two files of a client pair."""
    return {f"{stem}.cert": issued.certificate, f"{stem}.key": issued.private_key}


def _ours(text: str) -> str:
    for theirs, ours in SUBSTITUTES.items():
        text = text.replace(theirs, ours)
    return text


def _nothing_is_there(reader: Reader) -> None:
    shutil.rmtree(reader.folder / "pki")
    (reader.folder / "inventory").unlink()
    for node in NODES:
        reader.lay_by_hand(node, {})


def _somebody_made_it_by_hand(reader: Reader) -> None:
    """On node1 the port is missing, the CA is named .cert, a pair is expired, and a key is another's."""
    shutil.rmtree(reader.folder / "pki")
    dates = {"not_before": NOW - timedelta(days=9), "not_after": NOW - timedelta(days=3, hours=-1)}
    over = issue("node1", signer=reader.authority, purposes=[CLIENT], **dates)
    mismatch = {**pair("node", reader.clients["node1"]), "node.key": over.private_key}
    spoiled = {"ca.cert": reader.authority.certificate, **pair("client", over), **mismatch}
    sound = {"ca.crt": reader.authority.certificate, **pair("client", reader.clients["node1"])}
    reader.lay_by_hand("node1", {REGISTRY: spoiled, REGISTRY.partition(":")[0]: sound})


def _one_pair_is_of_another_ca(reader: Reader) -> None:
    foreign = issue_client("node2", signer=issue_ca("Another CA"))
    reader.write(f"pki/{REGISTRY}/hosts/node2/10-node.cert", foreign.certificate)
    reader.write(f"pki/{REGISTRY}/hosts/node2/10-node.key", foreign.private_key)


def _stores_keep_other_pairs(reader: Reader) -> None:
    """Where the stand-ins of the lookups of Vault and SOPS look for them."""
    shutil.copytree(STAND_INS, reader.folder / "collections")
    for node in NODES:
        issued = issue_client(node, signer=reader.authority)
        secret = json.dumps({"certificate": issued.certificate, "private_key": issued.private_key})
        reader.write(f"store/registry/{node}.json", secret)
        reader.write(f"secrets/{node}.yml", base64.b64encode(secret.encode()).decode())


_BEGINNINGS: dict[str, Callable[[Reader], None]] = {
    "docs/first-deployment.md": _nothing_is_there,
    "docs/adopt.md": _somebody_made_it_by_hand,
    "docs/secrets.md": _stores_keep_other_pairs,
    "docs/rollout.md": _one_pair_is_of_another_ca,
}
