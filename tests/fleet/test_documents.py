# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of every document is run, block after block, as a reader of the page would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.fleet.documents import documents, read_blocks
from ansible_collections.fleet.certs_d.tests.fleet.reader import NAME, NODES, ROOT, Reader
from ansible_collections.fleet.certs_d.tests.fleet.registries import Fleet, Material, Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import (
    CERTS_D,
    INVENTORY,
    PROJECT,
    SITE,
    Ansible,
    OnHost,
    Run,
    address,
)
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca, issue_client, issue_server

HOST = NAME.partition(":")[0]
# A bind mount of the container's: no file can be moved over it.
FORGET = f"sed '/ {HOST}$/d' /etc/hosts >/tmp/hosts; cat /tmp/hosts >/etc/hosts"
REMOVE = f"rm -rf {CERTS_D} /etc/containers /etc/containerd; {FORGET}"


@pytest.fixture(scope="module")
def material(fleet: Run, on: OnHost, playbook: Ansible, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    """The CA of the registry that the documents name, which runs and which the nodes find."""
    material = Material(tmp_path_factory.mktemp("documents"), issue_ca("Corporate CA"))
    server = issue_server(signer=material.authority, names=[HOST])
    material.write("server.crt", server.certificate)
    material.write("server.key", server.private_key)
    material.write("clients.crt", material.authority.certificate)
    registries, registry = Fleet(material, {}, {}), Registry(NAME, client_crl="", root=ROOT)
    registries.lay(registry)
    for node in NODES:
        on(node, f"{REMOVE}; echo '{address(INVENTORY, 'registry1')} {HOST}' >>/etc/hosts")
    yield material
    for node in NODES:
        on(node, REMOVE)
    registries.remove(registry, purge_tree=True)
    playbook(SITE, "--tags", "layout").good()


@pytest.fixture
def reader(material: Material, tmp_path: Path) -> Reader:
    """A reader who has what documents take for granted."""
    clients = {node: issue_client(node, signer=material.authority) for node in NODES}
    reader = Reader(tmp_path, material.authority, clients)
    reader.prepare()
    return reader


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_example_of_a_document_runs(reader: Reader, page: Path) -> None:
    reader.begin(str(page.relative_to(PROJECT)))
    for block in read_blocks(page):
        reader.use(block)


@pytest.mark.parametrize(
    ("example", "complaint"),
    [
        ("```yaml\n- name: Lay\n  fleet.certs_d.layout: {pki: pki/, fallbck: true}\n```\n", "fallbck"),
        ("```yaml\nnode_pki: pki/\nnode_fallbck: true\n```\n", "there is no ['node_fallbck']"),
        ("```yaml\nsomething: else\n```\n", "nobody knows how to run"),
        ("```bash\nls\n```\n", "nobody knows how to run"),
        ("  ```console\n  $ ansible node1 -i nowhere -m ping\n  ```\n", "exit status"),
        ("```console\n$ echo true    # fails\n```\n", "exit status 0"),
        ("```console\n$ echo so\nor so\n```\n", "and not"),
        ("```console\n$ ansible-playbook -i inventory \\\n    fleet.certs_d.sight\n```\n", "fleet.certs_d.sight"),
    ],
)
def test_a_wrong_example_is_told(reader: Reader, tmp_path: Path, example: str, complaint: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{example}")
    (block,) = read_blocks(page)
    with pytest.raises(AssertionError) as told:
        reader.use(block)
    assert complaint in str(told.value)
