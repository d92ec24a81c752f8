# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who has nothing of the collection yet: a home, a checkout in it, and an all but empty directory."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CONNECTIONS,
    INVENTORY,
    PROJECT,
    Run,
    address,
    run,
    tool,
)

PKI = INVENTORY / ".lab" / "pki" / "registry.lab:5000"
# Where the newcomer's playbook lays its host directories, so that the lab's own stay as they are.
LAID = "/srv/certs.d"
_PLAYBOOK = f"""\
---
- name: Nodes pull from the private registry
  hosts: nodes
  gather_facts: false
  module_defaults:
    group/fleet.certs_d.certs_d:
      engines: [docker]
      path: {LAID}
  tasks:
    - name: Lay the host directories
      fleet.certs_d.layout:
        pki: pki

    - name: Tell what lies there now
      fleet.certs_d.layout_info:

    - name: Verify it with one real request per client pair
      fleet.certs_d.verify_fallback:
"""
_REQUIREMENTS = """\
---
collections:
  - name: git+file://{checkout}
    type: git
    version: main
"""
_INVENTORY = """\
---
nodes:
  hosts:
    node1:
      ansible_host: {address}
      ansible_user: root
      ansible_python_interpreter: /usr/bin/python3
"""


class Galaxy:
    """A server where Galaxy is looked for. It has nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.url = ""

    @contextmanager
    def listening(self) -> Iterator[Galaxy]:
        """Answer while the block runs."""
        asked = self.asked

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_error(404)

            def log_message(self, *arguments: object) -> None:
                """Say nothing of it."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
            self.url = f"http://127.0.0.1:{server.server_port}/"
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield self
            finally:
                server.shutdown()


@dataclass(frozen=True)
class Newcomer:
    """Runs commands in that directory; what was installed is found because it lies where Ansible looks."""

    home: Path
    galaxy: Galaxy
    here: Path = field(init=False)
    checkout: Path = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "here", self.home / "fleet")
        object.__setattr__(self, "checkout", self.home / "fleet.certs_d")
        self.here.mkdir(parents=True)
        self._clone()
        (self.here / "requirements.yml").write_text(_REQUIREMENTS.format(checkout=self.checkout))

    def __call__(self, line: str) -> Run:
        """Run a line of the shell."""
        return run(
            *("bash", "-c", line),
            cwd=self.here,
            HOME=str(self.home),
            PATH=f"{tool('ansible').parent}:{os.environ['PATH']}",
            PYTHONPATH="",
            COLUMNS="120",
            ANSIBLE_COLLECTIONS_PATH=str(self.home / ".ansible" / "collections"),
            ANSIBLE_GALAXY_SERVER=self.galaxy.url,
            ANSIBLE_PRIVATE_KEY_FILE=str(INVENTORY / ".lab" / "id_ed25519"),
            ANSIBLE_SSH_CONTROL_PATH_DIR=CONNECTIONS.name,
            ANSIBLE_SSH_COMMON_ARGS=f"-o UserKnownHostsFile={INVENTORY}/.lab/known_hosts",
        )

    def prepare(self) -> None:
        """Lay what one needs beside the collection: certificates, an inventory, a playbook."""
        tree = self.here / "pki" / PKI.name
        (tree / "hosts" / "node1").mkdir(parents=True)
        shutil.copytree(PKI / "all", tree / "all")
        for suffix in ("cert", "key"):
            shutil.copy(PKI / "hosts" / "node1" / f"10-old.{suffix}", tree / "hosts" / "node1" / f"10-node.{suffix}")
        (self.here / "inventory.yml").write_text(_INVENTORY.format(address=address(INVENTORY, "node1")))
        (self.here / "deploy.yml").write_text(_PLAYBOOK)

    def _clone(self) -> None:
        """A repository with a commit of what git knows of the project; gates leave files of their own in it."""
        git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@registry.example"]
        there = [*git, f"--git-dir={self.checkout}/.git"]
        known = run("git", "ls-files", "-z").good()
        listed = ["--pathspec-from-file=-", "--pathspec-file-nul"]
        run("git", "init", "--quiet", "--initial-branch=main", self.checkout).good()
        run(*there, f"--work-tree={PROJECT}", "add", "--force", *listed, given=known).good()
        run(*there, "commit", "--quiet", "--message=What is tested").good()
        run(*there, f"--work-tree={self.checkout}", "reset", "--quiet", "--hard").good()
