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

from ansible_collections.fleet.certs_d.tests.fleet.documents import read_blocks
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
# The node is a container: nothing of it has to outlive the machine.
APT = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o Dpkg::Options::=--force-unsafe-io"
CHECKOUT, SETTINGS = "/var/lib/certs-d", "/etc/certs-d"
UNITS, SEEN, HAND = "/etc/systemd/system/certs-d", "/run/certs-d.cursor", "/run/certs-d.hand"
# All that the page has to type or to lay; one more of these needs a test here.
PUBLISH, REKEY, BY_HAND, SERVICE, TIMER = (
    block.text for block in read_blocks(PROJECT / "docs" / "ansible-pull.md") if block.language != "text"
)
SITE = """
- ansible.builtin.import_playbook: fleet.certs_d.site
  vars: {node_accept: [never-presented], node_expect: {documented: {status: 200}}}
"""
TREE_PASSWORD, IN_CLEAR = "of the whole tree\n", "-----BEGIN PRIVATE KEY-----\nin clear\n"


class Publisher:
    """The machine that holds the PKI, and the repository of the node, which is there yet empty."""

    def __init__(self, home: Path) -> None:
        self.home, self.repository = home, home / f"{NODE}.git"
        self.copy, self.password = home / "pull" / NODE, home / "secrets" / NODE
        for folder in ("collections", "secrets"):
            (home / folder).mkdir()
        (home / "site.yml").write_text(SITE)
        self.password.write_text("a password of this node alone\n")
        signing = home / "secrets" / "signing"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "certs-d", "-f", signing).good()
        self.signer = signing.with_suffix(".pub").read_text()
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.repository).good()
        run("git", "clone", "--quiet", self.repository, self.copy).good()

    def run(self, script: str) -> Run:
        """Run a script of the page."""
        someone = {f"GIT_{who}_{what}": "pull@example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        path = f"{tool('ansible-vault').parent}:{os.environ['PATH']}"
        return run("sh", "-c", script, cwd=self.home, PATH=path, **someone)

    def encrypt(self, key: Path, password: str) -> str:
        """Encrypt a key of the tree; what it is now."""
        (self.home / "tree.password").write_text(password)
        self.run(f"ansible-vault encrypt --vault-password-file tree.password {key}").good()
        return key.read_text()

    def pushed(self) -> dict[str, str]:
        """Every key that the repository has, by the name of its file."""
        git = ("git", f"--git-dir={self.repository}")
        listed = run(*git, "log", "--all", "--name-only", "--format=").good().split()
        return {Path(name).name: run(*git, "show", f"main:{name}").good() for name in listed if "/hosts/" in name}


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    """Has a small tree with two keys in clear."""
    folder = tmp_path / "pki" / REGISTRY / "hosts" / NODE
    folder.mkdir(parents=True)
    (tmp_path / "pki" / REGISTRY / "all").mkdir()
    for name in ("10-old.key", "20-new.key"):
        (folder / name).write_text(IN_CLEAR)
    return Publisher(tmp_path)


@pytest.fixture
def keys(publisher: Publisher) -> Path:
    """Where they lie."""
    return publisher.home / "pki" / REGISTRY / "hosts" / NODE


@pytest.fixture(scope="module")
def published(fleet: Run, tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    """Has filled the repository from the lab's tree, with the pairs of all hosts."""
    home = tmp_path_factory.mktemp("pull")
    shutil.copytree(INVENTORY / ".lab" / "pki", home / "pki")
    publisher = Publisher(home)
    install_collection(home / "collections", archives=tmp_path_factory.mktemp("archive"))
    publisher.run(PUBLISH).good()
    return publisher


def packages(on: OnHost) -> set[str]:
    """What is installed on the node."""
    return set(on(NODE, "dpkg-query --show --showformat='${Package}\\n'").split())


@pytest.fixture
def node(on: OnHost) -> Iterator[str]:
    """The node. Afterwards it has what it had before, however far a test came."""
    before = packages(on)
    yield NODE
    on(NODE, f"rm -rf /srv/{NODE}.git {CHECKOUT} {SETTINGS} {HAND} {UNITS}.* {SEEN} /root/.ansible")
    on(NODE, f"systemctl daemon-reload; {APT} purge -y {' '.join(sorted(packages(on) - before))} >/dev/null")


@pytest.fixture
def pull(published: Publisher, node: str, on: OnHost) -> Callable[[], str]:
    """Starts the unit on the node, which is made ready as the page says, and returns what it tells."""
    lay_repository(on, published.repository)
    typed, shown, hosts = BY_HAND.partition("# cat /etc/certs-d/hosts.yml\n")
    given = {"the-password-of-this-node": published.password.read_text(), "signing.pub": published.signer}
    for name, text in {**given, "hosts.yml": hosts}.items():
        on(node, f"umask 077 && mkdir -p {HAND} && cat > {HAND}/{name}", text)
    script = (typed + shown).replace("# apt-get", APT).replace("# ", "")
    assert on(node, f"{APT} update && cd {HAND} && set -e\n{script}").endswith(hosts)
    service = SERVICE.replace("ssh://git@git.example/certs-d", "file:///srv")
    for kind, text in {"service": service, "timer": TIMER}.items():
        on(node, f"cat > {UNITS}.{kind}", text)
    on(node, f"systemctl daemon-reload && systemd-analyze verify {UNITS}.timer")
    show = f"journalctl --sync; journalctl --unit certs-d --output cat --cursor-file {SEEN}"
    return lambda: on(node, f"systemctl start certs-d || echo failed; {show}")


def lay_repository(on: OnHost, repository: Path) -> None:
    """Put it where the node's git looks, which trusts none of another owner."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(repository, arcname=repository.name)
    on(NODE, "base64 -d | tar -xz --no-same-owner -C /srv", base64.b64encode(packed.getvalue()).decode())


def recap(told: str) -> str:
    """The last line about the node."""
    return str(re.findall(rf"^{NODE} +: .*$", told, re.MULTILINE)[-1])


def test_a_node_pulls_its_certificates_and_no_key_of_another_host(
    pull: Callable[[], str], published: Publisher, on: OnHost
) -> None:
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

    published.run(PUBLISH.replace("--gpg-sign", "--no-gpg-sign")).good()
    lay_repository(on, published.repository)
    third = pull()
    assert "failed" in third.splitlines()
    assert "Failed to verify" in third
    assert "PLAY RECAP" not in third, "nothing of it has run"


def test_keys_that_are_encrypted_already_are_pushed_as_they_are_and_the_others_not_in_clear(
    publisher: Publisher, keys: Path
) -> None:
    encrypted = publisher.encrypt(keys / "10-old.key", publisher.password.read_text())
    publisher.run(PUBLISH).good()
    pushed = publisher.pushed()
    assert pushed["10-old.key"] == encrypted
    assert pushed["20-new.key"].startswith("$ANSIBLE_VAULT;")


def test_a_key_of_another_password_ends_the_script_unless_it_is_rekeyed(publisher: Publisher, keys: Path) -> None:
    encrypted = publisher.encrypt(keys / "10-old.key", TREE_PASSWORD)
    told = publisher.run(PUBLISH)
    assert told.status != 0
    assert "10-old.key" in told.output
    assert run("git", "-C", publisher.copy, "ls-files").good() == ""
    assert run("git", f"--git-dir={publisher.repository}", "log", "--all").good() == ""
    head, copied, rest = PUBLISH.partition("pull/node2\n")
    publisher.run(head + copied + REKEY + rest).good()
    assert publisher.pushed()["10-old.key"] != encrypted


@pytest.mark.parametrize("name", ["20-new.key~", "20-new.cert"])
def test_a_key_in_a_file_of_another_name_ends_the_script(publisher: Publisher, keys: Path, name: str) -> None:
    (keys / name).write_text(IN_CLEAR)
    told = publisher.run(PUBLISH)
    assert told.status != 0
    assert name in told.output
    assert run("git", f"--git-dir={publisher.repository}", "log", "--all").good() == ""
