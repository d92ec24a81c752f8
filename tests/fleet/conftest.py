# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's fleet, brought up and deployed once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.registries import (
    Fleet,
    Material,
    PolicyAnswers,
    RequestAnswers,
    lay_tree,
    policies,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CERTS_D,
    INVENTORY,
    SITE,
    Ansible,
    OnHost,
    Run,
    run,
    ssh,
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
    return lambda host, line, given="": ssh(INVENTORY, host, line, given=given).good()


@pytest.fixture(scope="session")
def certs_d(on: Callable[[str, str], str]) -> Callable[[str], str]:
    """A picture of a host's certs.d: every name, mode, owner, time and content."""
    line = f"cd {CERTS_D} && find . -printf '%p %m %u %T@\n' | sort && find . -type f | sort | xargs -d '\n' sha256sum"
    return lambda host: on(host, line)


@pytest.fixture(scope="session")
def registries(fleet: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A registry per policy beside the lab's own, all of them on one host and with one tree."""
    material = Material(tmp_path_factory.mktemp("material"))
    material.fill()
    laid = Fleet(material, policies(material), lay_tree(tmp_path_factory.mktemp("tree")))
    laid.lay(*laid.by_policy.values())
    laid.lay_on_node()
    yield laid
    laid.remove(*laid.by_policy.values(), purge_tree=True)


@pytest.fixture(scope="session")
def policy_answers(registries: Fleet) -> PolicyAnswers:
    """What each registry says to each kind of certificate, asked in every way."""
    return registries.ask_in_every_way()


@pytest.fixture(scope="session")
def request_answers(registries: Fleet) -> RequestAnswers:
    """What the registry `signed_by_ca` says to each of the requests."""
    return registries.ask_all_requests()
