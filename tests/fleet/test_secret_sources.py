# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that come from a secret store: laid as they are kept, and seen by nobody on the way who need not see them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.documents import Block, read_blocks
from ansible_collections.fleet.certs_d.tests.fleet.leaks import leaked, lines_of, watch_arguments
from ansible_collections.fleet.certs_d.tests.fleet.reader import NODES, Reader
from ansible_collections.fleet.certs_d.tests.fleet.running import CERTS_D, PROJECT, REGISTRY, SITE, Ansible, OnHost, Run
from ansible_collections.fleet.certs_d.tests.unit.material import issue_ca, issue_client

BY_TREE, VAULT, SOPS = (block for block in read_blocks(PROJECT / "docs/secrets.md") if block.language == "yaml")


class Watched(NamedTuple):
    """Where the most verbose output is kept, and what a callback is handed."""

    log: Path
    callback: Path


@pytest.fixture
def nodes(fleet: Run, playbook: Ansible) -> Iterator[None]:
    """Nodes that are as before afterwards, however far a test or its reader came."""
    yield
    playbook(SITE, "--tags", "layout", "-e", "node_purge=registries").good()


@pytest.fixture
def reader(nodes: None, tmp_path: Path) -> Reader:
    """A reader of the page, whose stores hold other pairs than the nodes have."""
    authority = issue_ca()
    reader = Reader(tmp_path / "reader", authority, {node: issue_client(node, signer=authority) for node in NODES})
    reader.folder.mkdir()
    reader.prepare()
    reader.begin("docs/secrets.md")
    return reader


@pytest.fixture
def kept(reader: Reader) -> dict[str, str]:
    """The keys that the stores keep, by host."""
    stores = {node: reader.folder / f"store/registry/{node}.json" for node in NODES}
    return {node: json.loads(store.read_text())["private_key"] for node, store in stores.items()}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Watched:
    """Ansible at its most verbose."""
    variables = {"ANSIBLE_VERBOSITY": "4", "ANSIBLE_DIFF_ALWAYS": "1", "ANSIBLE_LOG_PATH": str(tmp_path / "log")}
    for name, value in {**variables, **watch_arguments(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    return Watched(tmp_path / "log", tmp_path / "seen")


def assert_laid(on: OnHost, kept: dict[str, str]) -> None:
    for node, key in kept.items():
        assert on(node, f"cat '{CERTS_D}/{REGISTRY}/10-node.key'") == key


def test_by_way_of_the_tree_a_key_is_seen_by_nobody(
    reader: Reader, on: OnHost, kept: dict[str, str], watched: Watched
) -> None:
    (reader.folder / "tree.password").write_text("tree-password")
    reader.use(BY_TREE)
    command = "ansible-playbook tree.yml -i inventory --vault-password-file tree.password"
    reader.run(command).good()
    assert_laid(on, kept)
    lines = lines_of(kept.values())
    assert len(lines) >= len(NODES)
    assert "Write the key, encrypted" in watched.callback.read_text()
    assert leaked(watched.callback.read_text(), lines) == []
    assert leaked(watched.log.read_text(), lines) == []
    tree = [path.read_text() for path in (reader.folder / "pki" / REGISTRY / "hosts").rglob("*.key")]
    assert [text.partition(";")[0] for text in tree] == ["$ANSIBLE_VAULT"] * len(NODES)
    assert reader.run(command).good().count("changed=0 ") == len(NODES)


def test_another_text_of_a_key_is_encrypted_with_another_stream(reader: Reader, kept: dict[str, str]) -> None:
    """The stream of Ansible Vault comes from password and salt: under the same two, two texts tell their difference."""
    (reader.folder / "tree.password").write_text("tree-password")
    reader.use(BY_TREE)
    key = reader.folder / "pki" / REGISTRY / "hosts/node1/10-node.key"
    store = reader.folder / "store/registry/node1.json"
    salts = []
    for text in (kept["node1"], kept["node1"] + "\n"):
        store.write_text(json.dumps({**json.loads(store.read_text()), "private_key": text}))
        reader.run("ansible-playbook tree.yml -i inventory -l node1 --vault-password-file tree.password").good()
        salts.append(bytes.fromhex("".join(key.read_text().splitlines()[1:])).split(b"\n")[0])
    assert salts[0] != salts[1]


@pytest.mark.parametrize("hushed", [False, True], ids=["", "no_log"])
@pytest.mark.parametrize("block", [VAULT, SOPS], ids=["vault", "sops"])
def test_as_data_a_key_is_seen_by_callbacks_alone(
    reader: Reader, on: OnHost, kept: dict[str, str], watched: Watched, block: Block, hushed: bool
) -> None:
    text = block.text.replace("    - name: Lay it\n", "    - name: Lay it\n      no_log: true\n")
    reader.use(replace(block, text=text) if hushed else block)
    assert_laid(on, kept)
    lines = lines_of(kept.values())
    assert leaked(watched.log.read_text(), lines) == []
    assert leaked(watched.callback.read_text(), lines) != []


@pytest.mark.parametrize("cacheable", [False, True])
def test_a_fact_with_a_key_is_printed_and_a_cacheable_one_is_kept(
    reader: Reader, kept: dict[str, str], watched: Watched, tmp_path: Path, cacheable: bool
) -> None:
    lookup = "{{ lookup('community.hashi_vault.vault_kv2_get', 'registry/node1', url='https://vault.example') }}"
    task = {"ansible.builtin.set_fact": {"vault_secret": lookup, "cacheable": cacheable}}
    play = {"hosts": "node1", "gather_facts": False, "tasks": [task]}
    (reader.folder / "fact.yml").write_text(yaml.safe_dump([play]))
    cache = f"ANSIBLE_CACHE_PLUGIN=jsonfile ANSIBLE_CACHE_PLUGIN_CONNECTION={tmp_path}/facts"
    reader.run(f"{cache} ansible-playbook -i inventory fact.yml").good()
    lines = lines_of(kept.values())
    assert leaked(watched.log.read_text(), lines) != []
    facts = "".join(path.read_text() for path in (tmp_path / "facts").rglob("*") if path.is_file())
    assert (leaked(facts, lines) != []) is cacheable
