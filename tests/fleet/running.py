# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running Ansible against the lab as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

PROJECT = Path(__file__).resolve().parents[2]
INVENTORY = PROJECT / "inventories" / "lab"
ENGINES = PROJECT / "inventories" / "engines"
SITE = PROJECT / "playbooks" / "site.yml"
# What of the site has nothing to do with the registry need not deploy it once more.
NODES_ALONE = ("--skip-tags", "registry")
CERTS_D = "/etc/docker/certs.d"
REGISTRY = "registry.lab:5000"
# The connections of this session, kept for its next lines: those of another one may lead to hosts that are gone. A
# socket's path may have 107 bytes, so it is no place below a test's own.
CONNECTIONS = TemporaryDirectory(prefix="certs-d-ssh-", dir="/tmp")
_KEPT = ("ControlMaster=auto", "ControlPersist=30", f"ControlPath={CONNECTIONS.name}/%C")


@dataclass(frozen=True)
class Run:
    """What a command ended with and said."""

    status: int
    output: str

    def good(self) -> str:
        """The output of a command that must succeed."""
        assert self.status == 0, self.output
        return self.output

    def rows(self) -> dict[str, list[str]]:
        """The cells of the fleet's table by host, split where two or more blanks stand."""
        lines = self.output.split("\nHOST ", 1)[-1].splitlines()[1:]
        table = lines[: lines.index("")]
        return {cells[0]: cells for cells in (re.split(r"\s{2,}", line.strip()) for line in table)}


Ansible = Callable[..., Run]
OnHost = Callable[..., str]


def run(*command: str | Path, cwd: Path = PROJECT, given: str = "", **variables: str) -> Run:
    """Run a command on what it is given to read, its output and its complaints together."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0", **variables},
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def ssh(inventory: Path, host: str, line: str, *, given: str = "") -> Run:
    """Run a shell line on a host of the inventory that the lab wrote."""
    return run(*ssh_command(inventory, host, line), given=given)


def ssh_command(inventory: Path, host: str, line: str) -> list[str]:
    """The words that run it."""
    options = ["-i", f"{inventory}/.lab/id_ed25519", "-o", f"UserKnownHostsFile={inventory}/.lab/known_hosts"]
    options += [word for each in (*_KEPT, "BatchMode=yes") for word in ("-o", each)]
    return ["ssh", *options, f"root@{address(inventory, host)}", line]


def address(inventory: Path, host: str) -> str:
    """Where a host of the inventory is."""
    hosts = yaml.safe_load((inventory / "hosts.yml").read_text())["lab"]["children"]
    (found,) = (group["hosts"][host]["ansible_host"] for group in hosts.values() if host in group["hosts"])
    return str(found)


def tool(name: str) -> Path:
    """A program of the running interpreter's environment."""
    return Path(sys.executable).with_name(name)


def install_collection(into: Path, *, archives: Path) -> Path:
    """Build the collection's archive and install what Galaxy would; the archive."""
    run(tool("ansible-galaxy"), "collection", "build", PROJECT, "--output-path", archives).good()
    (archive,) = archives.glob("fleet-certs_d-*.tar.gz")
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(into), "PYTHONPATH": ""}
    run(tool("ansible-galaxy"), "collection", "install", archive, "-p", into, "--offline", **alone).good()
    return archive
