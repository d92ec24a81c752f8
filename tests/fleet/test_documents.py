# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example of every document is run, block after block, as a reader of the page would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ansible_collections.fleet.certs_d.tests.fleet.documents import OWN_TESTS, documents, read_blocks
from ansible_collections.fleet.certs_d.tests.fleet.reader import DEPLOYED, NODES, ROOT, Reader
from ansible_collections.fleet.certs_d.tests.fleet.registries import Fleet, Material, Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, PROJECT, SITE, Ansible, Run
from ansible_collections.fleet.certs_d.tests.unit.material import Issued, issue_client

AUTHORITY = INVENTORY / ".lab" / "authority"


@pytest.fixture(scope="module")
def authority(fleet: Run, playbook: Ansible) -> Iterator[Issued]:
    """The CA whose clients the lab's registry lets in. Afterwards the lab is as it was."""
    key = load_pem_private_key((AUTHORITY / "ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    yield Issued(x509.load_pem_x509_certificate((AUTHORITY / "ca.crt").read_bytes()), key)
    Fleet(Material(AUTHORITY), {}, {}).remove(Registry(DEPLOYED, client_crl="", root=ROOT), purge_tree=True)
    playbook(SITE, "--tags", "layout", "-e", "node_purge=registries").good()


@pytest.fixture
def reader(authority: Issued, tmp_path: Path) -> Reader:
    """A reader who has what documents take for granted."""
    reader = Reader(tmp_path, authority, {node: issue_client(node, signer=authority) for node in NODES})
    reader.prepare()
    return reader


@pytest.mark.parametrize("page", documents(), ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_example_of_a_document_runs(reader: Reader, page: Path) -> None:
    reader.begin(str(page.relative_to(PROJECT)))
    for block in read_blocks(page):
        reader.use(block)


def test_pages_that_are_left_out_have_a_test_of_their_own() -> None:
    assert [page for page, test in OWN_TESTS.items() if Path(page).name not in (PROJECT / test).read_text()] == []


@pytest.mark.parametrize(
    ("example", "complaint"),
    [
        ("```yaml\n- name: Lay\n  fleet.certs_d.layout: {pki: pki/, fallbck: true}\n```\n", "fallbck"),
        ("```yaml\nnode_pki: pki/\nnode_fallbck: true\n```\n", "there is no ['node_fallbck']"),
        ("```yaml\n# rollout.yml\ncerts_d_serail: 1\n```\n", "there is no ['certs_d_serail']"),
        ("```yaml\nsomething: else\n```\n", "nobody knows how to run"),
        ("```bash\nls\n```\n", "nobody knows how to run"),
        ("  ```console\n  $ false\n  ```\n", "exit status 1"),
        ("```console\n$ echo true    # fails\n```\n", "exit status 0"),
        ("```console\n$ echo so\nor so\n```\n", "and not"),
        ("```console\n$ ansible-playbook -i inventory \\\n    fleet.certs_d.sight\n```\n", "fleet.certs_d.sight"),
    ],
)
def test_a_wrong_example_is_told(authority: Issued, tmp_path: Path, example: str, complaint: str) -> None:
    reader = Reader(tmp_path, authority, {})
    reader.write_inventories()
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n{example}")
    (block,) = read_blocks(page)
    with pytest.raises(AssertionError) as told:
        reader.use(block)
    assert complaint in str(told.value)
