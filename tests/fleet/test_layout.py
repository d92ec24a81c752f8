# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""layout and layout_info on real hosts: users, engines, and what lies in the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, PROJECT, Ansible, Run, run, tool

PKI = INVENTORY / ".lab" / "pki"
HOME = "/home/builder"
USER = {"pki": str(PKI), "engines": ["containers"], "scope": "user", "user": "builder", "accept": ["never-presented"]}
Shell = Callable[[str, str], str]


def task(module: str, **arguments: Any) -> Run:
    """One task on node1, as a user calls it."""
    return run(
        tool("ansible"),
        *("node1", "-i", INVENTORY, "-m", f"fleet.certs_d.{module}", "-a", json.dumps(arguments)),
        ANSIBLE_COLLECTIONS_PATH=str(PROJECT.parents[2]),
    )


@pytest.fixture
def builder(on: Shell) -> Iterator[None]:
    """A user of node1 with a fresh home directory."""
    on(
        "node1",
        f"id builder >/dev/null 2>&1 || useradd builder; rm -rf {HOME}; install -d -o builder -g builder {HOME}",
    )
    yield
    on("node1", f"rm -rf {HOME}")


@pytest.mark.usefixtures("builder")
def test_a_rootless_engine_gets_its_directories_from_its_own_user(on: Shell) -> None:
    first, second = task("layout", **USER), task("layout", **USER)
    assert '"changed": true' in first.output, first.output
    assert '"changed": false' in second.output, second.output
    listing = on("node1", f"cd {HOME} && find .config -printf '%p %m %u\\n' | sort")
    root = ".config/containers/certs.d"
    assert listing.splitlines() == [
        ".config 755 builder",
        ".config/containers 755 builder",
        f"{root} 755 builder",
        f"{root}/registry.lab:5000 755 builder",
        f"{root}/registry.lab:5000/10-old.cert 644 builder",
        f"{root}/registry.lab:5000/10-old.key 600 builder",
        f"{root}/registry.lab:5000/20-new.cert 644 builder",
        f"{root}/registry.lab:5000/20-new.key 600 builder",
        f"{root}/registry.lab:5000/ca.crt 644 builder",
    ]


@pytest.mark.usefixtures("builder")
def test_a_symlink_in_a_home_leads_root_nowhere(on: Shell) -> None:
    on("node1", f"mkdir -p /srv/roots && ln -s /srv/roots {HOME}/.config")
    refused = task("layout", **USER)
    assert refused.status != 0
    assert "Permission denied, nothing was changed" in refused.output
    assert on("node1", "ls -A /srv/roots && rmdir /srv/roots") == ""


@pytest.mark.usefixtures("builder")
def test_what_the_engines_user_can_not_read_is_a_finding(on: Shell) -> None:
    root = f"{HOME}/.config/containers/certs.d"
    on("node1", f"install -d -o builder {root} && install -d -m 0700 {root}/registry.lab:5000")
    told = task("layout_info", engines=["containers"], scope="user", user="builder")
    assert told.status == 0, told.output
    assert "the engine's user can't read the directory (Permission denied)" in told.output


def test_all_engines_of_a_host_are_laid_in_one_call(on: Shell) -> None:
    engines = ["docker", "containers", "containerd"]
    wanted: dict[str, Any] = {"pki": str(PKI), "engines": engines, "fallback": True, "accept": ["never-presented"]}
    first, second = task("layout", **wanted), task("layout", **wanted)
    try:
        assert first.status == second.status == 0, first.output + second.output
        assert '"changed": false' in second.output, second.output
        places = on("node1", "ls -d /etc/*/certs.d/registry.lab:5000/hosts.toml").split()
        assert places == [
            "/etc/containerd/certs.d/registry.lab:5000/hosts.toml",
            "/etc/docker/certs.d/registry.lab:5000/hosts.toml",
        ]
        keys = on("node1", "sha256sum /etc/*/certs.d/registry.lab:5000/10-old.key | cut -d' ' -f1 | sort -u | wc -l")
        assert keys == "1\n"
    finally:
        on("node1", "rm -rf /etc/containers /etc/containerd /etc/docker/certs.d/registry.lab:5000/hosts.toml")


def test_a_broken_directory_names_every_fault_at_once(on: Shell) -> None:
    place = "/srv/broken/registry.lab:5000"
    good = "/etc/docker/certs.d/registry.lab:5000"
    on(
        "node1",
        f"mkdir -p {place} && cd {place} && cp {good}/10-old.cert half.cert && cp {good}/10-old.key other.key"
        f" && cp {good}/20-new.cert other.cert && cp {good}/ca.crt ca.cert && echo junk > junk.crt"
        " && chmod 644 other.key && ln -s nowhere zz.crt",
    )
    told = task("layout_info", engines=["docker"], path="/srv/broken")
    on("node1", "rm -r /srv/broken")
    assert told.status == 0, told.output
    for sentence in (
        "half.cert: the certificate has no key",
        "other.key: the key belongs to another certificate",
        "other.key: others than its owner can read the key",
        "ca.cert: this client certificate is a CA",
        "junk.crt: this is no certificate in PEM form",
        "zz.crt: the symlink leads nowhere",
    ):
        assert sentence in told.output
    assert "PRIVATE KEY" not in told.output


def test_members_of_the_action_group_share_their_defaults(playbook: Ansible, tmp_path: Path) -> None:
    play = tmp_path / "group.yml"
    play.write_text(
        "- hosts: node1\n"
        "  gather_facts: false\n"
        "  become: true\n"
        "  module_defaults: {group/fleet.certs_d.certs_d: {path: /etc/docker/certs.d}}\n"
        "  tasks:\n"
        f"    - fleet.certs_d.layout: {{pki: {PKI}}}\n"
        "    - fleet.certs_d.layout_info: {engines: [docker]}\n"
        "    - fleet.certs_d.verify_fallback:\n"
    )
    done = playbook(play)
    assert done.status == 0, done.output
