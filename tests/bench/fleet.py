# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the benchmark, and how they are reached."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.measure import RunFailed

PROJECT = Path(__file__).resolve().parents[2]
INVENTORY = PROJECT / "inventories" / "bench"
CERTS_D = "/etc/docker/certs.d"
_PLAYBOOKS = Path(__file__).with_name("playbooks")
# Names, kinds, modes and contents, one number for all.
_PICTURE = "find . -mindepth 1 -printf '%m %y %p\\n' | sort; find . -type f | sort | xargs -r -d '\\n' sha256sum"
# So that no run opens a connection that another one has open already.
_PERSIST_SECONDS = 3600


class Fleet:
    """Opens one ssh connection per node, which every run of every method then uses."""

    def __init__(self, sockets: Path) -> None:
        self._sockets = sockets
        self.environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "playbooks" / "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_SSH_ARGS": f"-o ControlMaster=auto -o ControlPersist={_PERSIST_SECONDS}",
            "ANSIBLE_SSH_CONTROL_PATH": f"{sockets}/%%C",
        }
        told = json.loads(self._run([tool("ansible-inventory"), "-i", str(INVENTORY), "--list"]))
        self._variables = told["_meta"]["hostvars"]
        self.addresses = {name: str(self._variables[name]["ansible_host"]) for name in told["nodes"]["hosts"]}

    def nodes(self, number: int) -> list[str]:
        """The names of the first nodes."""
        return list(self.addresses)[:number]

    def variables(self) -> list[dict[str, object]]:
        """The variables of each node, as its inventory has them."""
        return [self._variables[name] for name in self.addresses]

    def playbook(self, name: str, *, nodes: int, variables: str = "{}") -> list[str]:
        """The command that runs one of the benchmark's playbooks on the first nodes; variables as JSON, or @file."""
        limit = ["--limit", ",".join(self.nodes(nodes))] if nodes else []
        return [
            tool("ansible-playbook"),
            str(_PLAYBOOKS / f"{name}.yml"),
            "-i",
            str(INVENTORY),
            *limit,
            "-e",
            variables,
        ]

    def rsync(self, source: Path, node: str) -> list[str]:
        """The command that has a node's certs.d equal a folder, over the connection that is open."""
        target = f"root@{self.addresses[node]}:{CERTS_D}/"
        return ["rsync", "--archive", "--delete", "--rsh", " ".join(self._ssh()), f"{source}/", target]

    def empty(self, nodes: Sequence[str]) -> None:
        """Have an empty certs.d on the nodes."""
        self._on_each(nodes, lambda node: self._shell(node, f"rm -rf {CERTS_D} && mkdir -p {CERTS_D}"))

    def check(self, nodes: Sequence[str], tree_of: Callable[[str], Path]) -> None:
        """RunFailed where a node does not hold what its folder holds."""

        def compare(node: str) -> None:
            here = self._run(["sh", "-c", f"cd '{tree_of(node)}' && {{ {_PICTURE}; }}"])
            if self._shell(node, f"cd {CERTS_D} && {{ {_PICTURE}; }}") != here:
                raise RunFailed(f"{node}: {CERTS_D} is not {tree_of(node)}")

        self._on_each(nodes, compare)

    def forward(self, port: int) -> None:
        """Have a port of this machine's loopback on the loopback of each node, over the connection that is open."""
        for address in self.addresses.values():
            self._run([*self._ssh(), "-O", "forward", "-R", f"{port}:127.0.0.1:{port}", f"root@{address}"])

    def close(self) -> None:
        """End the connections."""
        for address in self.addresses.values():
            subprocess.run([*self._ssh(), "-O", "exit", f"root@{address}"], capture_output=True, check=False)

    def run_here(self, command: Sequence[str]) -> str:
        """Run a command that is not measured."""
        return self._run(command)

    def _ssh(self) -> list[str]:
        lab = INVENTORY / ".lab"
        options = [
            f"ControlPath={self._sockets}/%C",
            "ControlMaster=auto",
            f"ControlPersist={_PERSIST_SECONDS}",
            f"UserKnownHostsFile={lab}/known_hosts",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
        ]
        return ["ssh", "-i", str(lab / "id_ed25519"), *(word for option in options for word in ("-o", option))]

    def _shell(self, node: str, line: str) -> str:
        return self._run([*self._ssh(), f"root@{self.addresses[node]}", line])

    def _run(self, command: Sequence[str]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RunFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def _on_each(self, nodes: Sequence[str], work: Callable[[str], object]) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(work, nodes))


def tool(name: str) -> str:
    """A program of the running interpreter's environment."""
    return str(Path(sys.executable).with_name(name))
