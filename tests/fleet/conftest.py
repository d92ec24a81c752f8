# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's fleet, brought up and deployed once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.running import CERTS_D, INVENTORY, SITE, Ansible, Run, run, ssh, tool


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
def on() -> Callable[[str, str], str]:
    """Runs a shell line on a host, over ssh, and returns what it says."""
    return lambda host, line: ssh(INVENTORY, host, line).good()


@pytest.fixture
def certs_d(on: Callable[[str, str], str]) -> Callable[[str], str]:
    """A picture of a host's certs.d: every name, mode, owner, time and content."""
    line = f"cd {CERTS_D} && find . -printf '%p %m %u %T@\n' | sort && find . -type f | sort | xargs -d '\n' sha256sum"
    return lambda host: on(host, line)
