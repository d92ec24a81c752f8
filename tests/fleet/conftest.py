# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's fleet, brought up and deployed once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CERTS_D,
    INVENTORY,
    SITE,
    Ansible,
    OnHost,
    Run,
    run,
    tool,
)


@pytest.fixture(scope="session")
def playbook() -> Ansible:
    """Runs ansible-playbook on the lab."""

    def play(path: Path, *options: str | Path, **variables: str) -> Run:
        return run(tool("ansible-playbook"), path, "-i", INVENTORY, *options, **variables)

    return play


@pytest.fixture(scope="session", autouse=True)
def fleet(playbook: Ansible) -> Run:
    """The first deployment of a fresh fleet; its output is what a first user sees."""
    up = run(sys.executable, "-m", "lab", "up", INVENTORY)
    assert up.status == 0, up.output
    first = playbook(SITE)
    assert first.status == 0, first.output
    return first


@pytest.fixture(scope="session")
def on() -> OnHost:
    """Runs a shell line on a host, over ssh, and returns what it says."""
    hosts = yaml.safe_load((INVENTORY / "hosts.yml").read_text())["lab"]["children"]
    addresses = {name: facts["ansible_host"] for group in hosts.values() for name, facts in group["hosts"].items()}
    options = ["-i", f"{INVENTORY}/.lab/id_ed25519", "-o", f"UserKnownHostsFile={INVENTORY}/.lab/known_hosts"]

    def shell(host: str, line: str, given: str = "") -> str:
        done = run("ssh", *options, "-o", "BatchMode=yes", f"root@{addresses[host]}", line, given=given)
        assert done.status == 0, done.output
        return done.output

    return shell


@pytest.fixture
def certs_d(on: Callable[[str, str], str]) -> Callable[[str], str]:
    """A picture of a host's certs.d: every name, mode, owner, time and content."""
    line = f"cd {CERTS_D} && find . -printf '%p %m %u %T@\n' | sort && find . -type f | sort | xargs -d '\n' sha256sum"
    return lambda host: on(host, line)
