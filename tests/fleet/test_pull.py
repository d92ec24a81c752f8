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
from collections.abc import Iterator
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
REPOSITORY, CHECKOUT, PASSWORD = "/srv/pull.git", "/var/lib/certs-d", "/etc/certs-d.vault"
UNIT = "/etc/systemd/system/certs-d.service"
PAGE = (PROJECT / "docs" / "ansible-pull.md").read_text(encoding="utf-8")
HOSTS = """
nodes:
  hosts: {node1: {}, node2: {}, node3: {}}
  vars: {node_accept: [never-presented], node_expect: {documented: {status: 200}}}
"""


def block(language: str, holding: str) -> str:
    """The one block of the page in this language that holds this text."""
    (found,) = (text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if holding in text)
    return str(found)


@pytest.fixture(scope="module")
def repository(fleet: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The node's repository, filled by the script of the page from a tree that holds the pairs of all hosts."""
    home = tmp_path_factory.mktemp("pull")
    bare, copy = home / "pull.git", home / "pull" / NODE
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


@pytest.fixture(scope="module")
def puller(repository: Path, on: OnHost) -> Iterator[str]:
    """The node, made ready as the page says; then again as it was. The command is that of the unit."""
    unit = re.sub(r"ssh://\S+", f"file://{REPOSITORY}", block("ini", "ExecStart"))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(repository, arcname=Path(REPOSITORY).name)
    # The node is a container: nothing of it has to outlive the machine.
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Options::=--force-unsafe-io"
    on(NODE, f"{apt} update && {apt} install --no-install-recommends -y {PACKAGES} >/dev/null")
    # Git does not trust a repository of another owner.
    on(NODE, "base64 -d | tar -xz --no-same-owner -C /srv", base64.b64encode(packed.getvalue()).decode())
    on(NODE, f"umask 077 && cat > {PASSWORD}", (repository.parent / "secrets" / NODE).read_text())
    on(NODE, f"cat > {UNIT} && systemctl daemon-reload", unit)
    yield unit.partition("ExecStart=")[2].replace("\\\n", " ").strip()
    on(NODE, f"rm -rf {REPOSITORY} {CHECKOUT} {PASSWORD} {UNIT} /root/.ansible && systemctl daemon-reload")
    on(NODE, f"{apt} purge --autoremove -y {PACKAGES} >/dev/null")


def recap(told: str) -> str:
    """The last line about the node."""
    return re.findall(rf"^{NODE} +: .*$", told, re.MULTILINE)[-1]


def test_a_node_pulls_its_certificates_and_no_key_of_another_host(puller: str, on: OnHost) -> None:
    pki = INVENTORY / ".lab" / "pki" / REGISTRY / "hosts"
    on(NODE, f"rm -rf {CERTS_D}/{REGISTRY}")
    first = on(NODE, puller)
    assert "1 of 1 hosts verified" in first
    assert "changed=1 " in recap(first)
    assert on(NODE, f"cat {CERTS_D}/{REGISTRY}/20-new.key") == (pki / NODE / "20-new.key").read_text()

    on(NODE, "systemctl start certs-d")
    told = on(NODE, "journalctl --unit certs-d --output cat")
    assert "1 of 1 hosts verified" in told
    assert "changed=0 " in recap(told)

    named = on(NODE, f"git -C {CHECKOUT} log --all --name-only --format=")
    assert {name for name in named.split() if "/hosts/" in name} == {
        f"pki/{REGISTRY}/hosts/{NODE}/{pair}.{half}" for pair in ("10-old", "20-new") for half in ("cert", "key")
    }
    every_object = on(NODE, f"git -C {CHECKOUT} cat-file --batch-all-objects --batch --buffer | strings -n 20")
    assert not leaked(every_object + first + told, key_lines(pki))
