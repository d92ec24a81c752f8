# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/ansible-pull.md, done: a node that runs Ansible on itself, from a repository with its own part of the PKI."""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.leaks import key_lines, leaked
from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CERTS_D,
    INVENTORY,
    PROJECT,
    REGISTRY,
    OnHost,
    Run,
    install_collection,
    run,
    tool,
)

# Debian 13 has an ansible-core that is new enough.
NODE = "node2"
PACKAGES = "ansible-core git python3-cryptography"
CHECKOUT, PASSWORD = "/var/lib/certs-d", "/etc/certs-d.vault"
UNITS, SEEN = "/etc/systemd/system/certs-d", "/run/certs-d.cursor"
PAGE = (PROJECT / "docs" / "ansible-pull.md").read_text(encoding="utf-8")
HOSTS = """
nodes:
  hosts: {node1: {}, node2: {}, node3: {}}
  vars:
    node_pki: "{{ inventory_dir }}/pki"
    node_accept: [never-presented]
    node_expect: {documented: {status: 200}}
"""


def block(language: str, holding: str) -> str:
    """The one block of the page in this language that holds this text."""
    (found,) = (text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holding in text)
    return str(found)


@pytest.fixture(scope="module")
def repository(fleet: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node's repository, filled by the script of the page from a tree that holds the pairs of all hosts."""
    home = tmp_path_factory.mktemp("pull")
    bare, copy = home / f"{NODE}.git", home / "pull" / NODE
    shutil.copytree(INVENTORY / ".lab" / "pki", home / "pki")
    (home / "site.yml").write_text("- ansible.builtin.import_playbook: fleet.certs_d.site\n")
    (home / "hosts.yml").write_text(HOSTS)
    (home / "secrets").mkdir()
    (home / "secrets" / NODE).write_text("a password of this node alone\n")
    install_collection(home / "collections", archives=tmp_path_factory.mktemp("archive"))
    run("git", "init", "--quiet", "--bare", "--initial-branch=main", bare).good()
    run("git", "clone", "--quiet", bare, copy).good()
    someone = {f"GIT_{who}_{what}": "pull@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{tool('ansible-vault').parent}:{os.environ['PATH']}"
    run("bash", "-euc", block("sh", "ansible-vault"), cwd=home, PATH=path, **someone).good()
    return bare


@pytest.fixture
def pull(repository: Path, on: OnHost) -> Iterator[Callable[[], str]]:
    """Starts the unit on the node, which is made ready as the page says, and returns what it tells; then all goes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(repository, arcname=repository.name)
    # The node is a container: nothing of it has to outlive the machine.
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-unsafe-io"
    on(NODE, f"{apt} update && {apt} install --no-install-recommends -y {PACKAGES} >/dev/null")
    # Git does not trust a repository of another owner.
    on(NODE, "base64 -d | tar -xz --no-same-owner -C /srv", base64.b64encode(packed.getvalue()).decode())
    on(NODE, f"umask 077 && cat > {PASSWORD}", (repository.parent / "secrets" / NODE).read_text())
    service = block("ini", "ExecStart").replace("ssh://git@git.example/certs-d", "file:///srv")
    for kind, text in {"service": service, "timer": block("ini", "[Timer]")}.items():
        on(NODE, f"cat > {UNITS}.{kind}", text)
    on(NODE, f"systemctl daemon-reload && systemd-analyze verify {UNITS}.timer")
    show = f"journalctl --unit certs-d --output cat --cursor-file {SEEN}"
    yield lambda: on(NODE, f"systemctl start certs-d || echo failed; {show}")
    on(NODE, f"rm -rf /srv/{repository.name} {CHECKOUT} {PASSWORD} {UNITS}.* {SEEN} /root/.ansible")
    on(NODE, f"systemctl daemon-reload; {apt} purge --autoremove -y {PACKAGES} >/dev/null")


def recap(told: str) -> str:
    """The last line about the node."""
    return re.findall(rf"^{NODE} +: .*$", told, re.MULTILINE)[-1]


def test_a_node_pulls_its_certificates_and_no_key_of_another_host(pull: Callable[[], str], on: OnHost) -> None:
    own = INVENTORY / ".lab" / "pki" / REGISTRY / "hosts" / NODE
    on(NODE, f"rm -rf {CERTS_D}/{REGISTRY}")
    first = pull()
    assert "1 of 1 hosts verified" in first, first
    assert "changed=1 " in recap(first)
    assert on(NODE, f"cat {CERTS_D}/{REGISTRY}/20-new.key") == (own / "20-new.key").read_text()
    second = pull()
    assert "1 of 1 hosts verified" in second, second
    assert "changed=0 " in recap(second)

    named = on(NODE, f"git -C {CHECKOUT} log --all --name-only --format=")
    assert {name for name in named.split() if "/hosts/" in name} == {
        f"pki/{REGISTRY}/hosts/{NODE}/{pair}.{half}" for pair in ("10-old", "20-new") for half in ("cert", "key")
    }
    # Neither those of other hosts nor, without the vault's password, its own.
    texts = "cat-file --batch-all-objects --batch --buffer | LC_ALL=C grep -aoE '[[:print:]]{20,}'"
    every_object = on(NODE, f"git -C {CHECKOUT} {texts}")
    assert "$ANSIBLE_VAULT" in every_object
    assert not leaked(every_object + first + second, key_lines(own.parent))
