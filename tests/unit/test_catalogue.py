# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each code of the catalogue a directory that shows it: a PKI tree, data of a task, or what lies on a node."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import CATALOGUE, Finding, acceptable_codes
from ansible_collections.fleet.certs_d.plugins.module_utils._inspection import inspect_root
from ansible_collections.fleet.certs_d.plugins.module_utils._matrix import measure
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._user import account, as_user
from ansible_collections.fleet.certs_d.plugins.plugin_utils._check import check
from ansible_collections.fleet.certs_d.plugins.plugin_utils._company import name_findings
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import Registry, from_data
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout_info import judged
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Place, Unreadable, VaultLocked, read_tree
from ansible_collections.fleet.certs_d.tests.unit.laid import PLAIN, deployment, directory, huge
from ansible_collections.fleet.certs_d.tests.unit.material import (
    NOW,
    SERVER,
    Issued,
    issue,
    issue_ca,
    issue_client,
    with_broken_hash,
)

PROJECT = Path(__file__).resolve().parents[2]
PAGE_MAKER = PROJECT / "tests" / "tools" / "findings_page.py"
CA = issue_ca()
RSA_CA = issue("RSA CA", ca=True, key_type="rsa")
MIDDLE = issue_ca("Middle CA", signer=CA)
GOOD = issue_client("good", signer=CA)
OTHER = issue_client("other", signer=CA)
REGISTRY = "registry.lab:5000"
HERE = "registry.lab:5000/all"

# Where nobody answers.
SILENT = "127.0.0.1:1"

Show = Callable[[Path], Iterable[Finding]]


def pair(issued: Issued, name: str = "10", **parts: str) -> dict[str, str]:
    """The two files of a pair, either of which may be another text."""
    texts = {"cert": issued.certificate, "key": issued.private_key, **parts}
    return {f"{name}.{suffix}": text for suffix, text in texts.items()}


def verified(prepare: Callable[[Path], object]) -> Show:
    """What the node finds that asks a registry."""

    def show(root: Path) -> list[Finding]:
        prepare(root)
        question = Question(request="/v2/", timeout=1, deadline=time.monotonic() + 5, now=NOW)
        (entry,) = measure(SILENT, [(ENGINES["docker"], str(root))], question)
        return [Finding(each["code"], each["place"]) for each in entry["findings"]]

    return show


def lay(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def judge(registries: Iterable[Registry]) -> list[Finding]:
    registries = list(registries)
    names = name_findings([each.name for each in registries])
    return [*names, *check(registries, now=NOW, warn_days=30, presenters=["docker"])]


def in_tree(
    files: dict[str, str], *, base: str = HERE, read_text: Callable[[str], str] | None = None, **known: set[str]
) -> Show:
    """A PKI tree with these files."""

    def show(root: Path) -> Iterator[Finding]:
        lay(root / base, files)
        reader = read_text or (lambda path: Path(path).read_text())
        registries, findings = read_tree(str(root), Place("node1", (), known), read_text=reader)
        yield from findings
        yield from judge(registries)

    return show


def as_data(*entries: dict[str, Any]) -> Show:
    """A layout that a task gives as data."""

    def show(_root: Path) -> Iterator[Finding]:
        registries, findings = from_data(entries)
        yield from findings
        yield from judge(registries)

    return show


def on_node(
    files: dict[str, str],
    *,
    engine: str = "docker",
    prepare: Callable[[Path], object] = lambda path: None,
    reader: str | None = None,
) -> Show:
    """A host directory of a node with these files, as layout_info tells it to the reader."""

    def show(root: Path) -> Iterator[Finding]:
        path = root / REGISTRY
        path.mkdir()
        lay(path, files)
        for key in path.glob("*.key"):
            key.chmod(0o600)
        prepare(path)
        told = as_user(account(reader), lambda: inspect_root(ENGINES[engine], str(root)))
        for each in judged(told, now=NOW, warn_days=30):
            yield from (Finding(found["code"], found["place"]) for found in each["findings"])

    return show


def in_layout(prepare: Callable[[Path], None]) -> Show:
    """What layout finds on the node while it works."""

    def show(root: Path) -> Iterator[Finding]:
        prepare(root)
        yield from deployment(directory({}, {}), root=root, terms=PLAIN).findings

    return show


def locked(path: str) -> str:
    raise VaultLocked


def refuse(path: str) -> str:
    raise Unreadable("Permission denied")


EXPIRED = issue(signer=CA, not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=3))
EARLY = issue(signer=CA, not_before=NOW + timedelta(days=3))
SOON = issue(signer=CA, not_after=NOW + timedelta(days=3))
LEAF_OF_MIDDLE = issue_client("leaf", signer=MIDDLE)
SHOWN: dict[str, Show] = {
    "registry-name": in_tree(pair(GOOD), base="library/all"),
    "duplicate-registry": as_data({"name": REGISTRY}, {"name": REGISTRY}),
    "registry-twin": as_data({"name": "Registry.lab"}, {"name": "registry.lab"}),
    "port-443": in_tree(pair(GOOD), base="registry.lab:443/all"),
    "file-name": in_tree(pair(GOOD, ".05")),
    "duplicate-name": as_data(
        {"name": REGISTRY, "ca_certificates": [{"name": "ca", "content": CA.certificate}] * 2},
    ),
    "name-case": in_tree(pair(GOOD, "a") | pair(OTHER, "A")),
    "name-order": in_tree(pair(GOOD, "9") | pair(OTHER, "10")),
    "tree-missing": lambda root: read_tree(str(root / "nowhere"), Place("node1"), read_text=str)[1],
    "tree-empty": in_tree(pair(GOOD), base=f"{REGISTRY}/hosts/node2"),
    "level-unknown": in_tree(pair(GOOD), base=f"{REGISTRY}/hosts/nod1", hosts={"node1"}),
    "misplaced": in_tree(pair(GOOD), base=f"{REGISTRY}/host/node1"),
    "unreadable": in_tree(pair(GOOD), read_text=refuse),
    "vault-locked": in_tree(pair(GOOD), read_text=locked),
    "key-missing": on_node({"10.cert": GOOD.certificate}),
    "certificate-missing": on_node({"10.key": GOOD.private_key}),
    "key-mismatch": on_node(pair(GOOD, key=OTHER.private_key)),
    "key-encrypted": on_node(pair(GOOD, key=GOOD.encrypted_key)),
    "key-junk": on_node(pair(GOOD, key="junk")),
    "key-blocks": on_node(pair(GOOD, key=GOOD.private_key + OTHER.private_key)),
    "key-weak": on_node(pair(issue_client(signer=CA, key_type="rsa1024"))),
    "key-curve": on_node(pair(issue_client(signer=CA, key_type="secp256k1"))),
    "key-readable": on_node(pair(GOOD), prepare=lambda path: (path / "10.key").chmod(0o640)),
    "key-exposed": on_node(pair(GOOD, cert=GOOD.certificate + GOOD.private_key)),
    "certificate-junk": on_node({"ca.crt": "junk"}),
    "expired": on_node(pair(EXPIRED)),
    "expires-soon": on_node(pair(SOON)),
    "not-yet-valid": on_node(pair(EARLY)),
    "signature-weak": in_tree({"10.cert": with_broken_hash(issue_client(signer=RSA_CA).certificate)}),
    "no-client-use": on_node(pair(issue(signer=CA, purposes=[SERVER]))),
    "chain-incomplete": on_node(pair(LEAF_OF_MIDDLE) | {"ca.crt": CA.certificate + MIDDLE.certificate}),
    "ca-in-cert": on_node({"ca.cert": CA.certificate}),
    "leaf-in-crt": on_node({"leaf.crt": GOOD.certificate}),
    "duplicate-certificate": on_node(pair(GOOD, "10") | pair(GOOD, "20")),
    "never-presented": on_node(pair(GOOD, "10") | pair(OTHER, "20")),
    "not-a-file": on_node({"x.crt/README": "a folder"}),
    "too-large": on_node({}, prepare=lambda path: huge(path / "ca.crt")),
    "not-a-directory": verified(lambda root: (root / SILENT).touch()),
    "dangling-link": on_node({}, prepare=lambda path: (path / "zz.crt").symlink_to("nowhere")),
    "hidden-file": on_node(pair(GOOD, ".05")),
    "leftover": on_node({".ansible_tmpx10.cert": GOOD.certificate}),
    "unmanaged": in_layout(lambda root: lay(root / REGISTRY, {"README": "by hand"})),
    "unmanaged-registry": in_layout(lambda root: lay(root / "other.lab", {"ca.crt": CA.certificate})),
    "linked-directory": in_layout(lambda root: (root / REGISTRY).symlink_to("elsewhere")),
    "shadowed": on_node(
        pair(GOOD), engine="containerd", prepare=lambda path: path.with_name("registry.lab_5000_").mkdir()
    ),
    "directory-unreadable": on_node(
        pair(GOOD), prepare=lambda path: path.chmod(0o000), reader="nobody" if os.geteuid() == 0 else None
    ),
}


def test_each_code_is_shown_by_a_directory() -> None:
    assert list(SHOWN) == list(CATALOGUE)


@pytest.mark.parametrize("code", SHOWN)
def test_the_directory_of_a_code_shows_it(code: str) -> None:
    # The engine's user may be another one than the owner of pytest's own folders.
    with TemporaryDirectory() as base:
        Path(base).chmod(0o755)
        assert code in {finding.code for finding in SHOWN[code](Path(base))}


def test_a_sound_directory_shows_nothing(tmp_path: Path) -> None:
    files = pair(GOOD, "10") | {"ca.crt": CA.certificate, "README": "by hand"}
    assert list(on_node(files)(tmp_path)) == []


def test_the_limit_of_a_file_is_told_as_it_is() -> None:
    assert f"more than {LARGEST // 2**20} MiB" in CATALOGUE["too-large"].problem


def test_the_page_of_the_catalogue_is_the_one_that_is_made_of_it() -> None:
    run = subprocess.run([sys.executable, PAGE_MAKER], capture_output=True, text=True, check=True)
    assert (PROJECT / "docs" / "findings.md").read_text() == run.stdout


@pytest.mark.parametrize("file", ["plugins/modules/layout.py", "plugins/lookup/host_layout.py"])
def test_the_documentation_offers_the_codes_that_can_be_accepted(file: str) -> None:
    text = (PROJECT / file).read_text()
    options = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])["options"]
    assert options["accept"]["choices"] == acceptable_codes()
