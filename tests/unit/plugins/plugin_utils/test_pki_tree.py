# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the PKI tree. Its reader does not look into the files, so their content is any text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from errno import EACCES, ENOENT
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import Registry
from ansible_collections.fleet.certs_d.plugins.plugin_utils._pki_tree import Place, Unreadable, read_tree
from ansible_collections.fleet.certs_d.tests.unit.laid import huge

REGISTRY = "registry.example:5000"


def lay(root: Path, *paths: str) -> None:
    """Files that hold their own path."""
    for path in paths:
        file = root / REGISTRY / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


# An empty tree, seen from the folder of the registry.
NOTHING = [("tree-empty", "..")]


def read(
    root: Path, groups: Sequence[str] = (), host: str = "node1"
) -> tuple[tuple[Registry, ...], list[tuple[str, str]]]:
    registries, findings = read_tree(str(root), Place(host, groups), read_text=lambda path: Path(path).read_text())
    return registries, [(finding.code, os.path.relpath(finding.place, root / REGISTRY)) for finding in findings]


def contents(registries: tuple[Registry, ...]) -> dict[str, str]:
    """What stands in each file of the only registry."""
    (registry,) = registries
    found = {f"{root.name}.crt": root.content.strip() for root in registry.ca_certificates}
    for pair in registry.client_pairs:
        found[f"{pair.name}.cert"] = pair.certificate.strip()
        found[f"{pair.name}.key"] = pair.private_key.strip()
    return found


def test_a_more_specific_level_replaces_a_file_of_the_same_name(tmp_path: Path) -> None:
    names = ["a.crt", "b.crt", "c.crt", "d.crt"]
    lay(tmp_path, *(f"all/{name}" for name in names))
    lay(tmp_path, *(f"groups/early/{name}" for name in names[1:]))
    lay(tmp_path, *(f"groups/late/{name}" for name in names[2:]))
    lay(tmp_path, "hosts/node1/d.crt", "hosts/node2/a.crt", "groups/foreign/a.crt")
    registries, findings = read(tmp_path, groups=["early", "late"])
    assert findings == []
    assert contents(registries) == {
        "a.crt": "all/a.crt",
        "b.crt": "groups/early/b.crt",
        "c.crt": "groups/late/c.crt",
        "d.crt": "hosts/node1/d.crt",
    }


def test_levels_are_merged_file_by_file(tmp_path: Path) -> None:
    lay(tmp_path, "all/ca.crt", "groups/g/10.cert", "hosts/node1/10.key")
    registries, findings = read(tmp_path, groups=["g"])
    assert findings == []
    assert contents(registries) == {
        "ca.crt": "all/ca.crt",
        "10.cert": "groups/g/10.cert",
        "10.key": "hosts/node1/10.key",
    }


def test_a_pair_names_the_files_that_it_came_from(tmp_path: Path) -> None:
    lay(tmp_path, "all/10.cert", "hosts/node1/10.key")
    (registry,), _findings = read(tmp_path)
    (pair,) = registry.client_pairs
    assert pair.certificate_source == str(tmp_path / REGISTRY / "all/10.cert")
    assert pair.key_source == str(tmp_path / REGISTRY / "hosts/node1/10.key")


def test_a_registry_without_files_for_the_host_is_left_out(tmp_path: Path) -> None:
    lay(tmp_path, "hosts/node2/ca.crt")
    (tmp_path / "empty.example").mkdir()
    assert read(tmp_path) == ((), NOTHING)


def test_registries_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.example", "B.example", "a.example"):
        (tmp_path / name / "all").mkdir(parents=True)
        (tmp_path / name / "all" / "ca.crt").write_text("x")
    registries, _findings = read(tmp_path)
    assert [registry.name for registry in registries] == ["B.example", "a.example", "b.example"]


def test_hidden_entries_and_plain_files_beside_the_registries_are_ignored(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("x")
    assert read(tmp_path) == ((), NOTHING)


def test_files_that_engines_ignore_are_ignored(tmp_path: Path) -> None:
    lay(tmp_path, "all/README", "all/10.cert.bak", "all/10.CERT", "all/.gitkeep", "all/sub/10.cert", "notes.txt")
    assert read(tmp_path) == ((), NOTHING)


@pytest.mark.parametrize("name", ["library", "registry.example:0", "a b.example", "registry.example:70000"])
def test_a_folder_that_no_image_can_name_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    _registries, findings = read_tree(str(tmp_path), Place("node1", []), read_text=str)
    assert [(finding.code, finding.place) for finding in findings] == [("registry-name", str(tmp_path / name))]


def test_a_folder_with_undecodable_bytes_is_told_in_printable_words(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/reg\xff.example")
    _registries, findings = read_tree(str(tmp_path), Place("node1", []), read_text=str)
    assert [finding.code for finding in findings] == ["registry-name"]
    assert findings[0].sentence().isprintable()


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_missing_tree_is_told(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "pki"
    if kind == "file":
        root.write_text("x")
    _registries, findings = read_tree(str(root), Place("node1", []), read_text=str)
    assert findings == [Finding("tree-missing", str(root))]


def test_each_half_that_lacks_the_other_is_told(tmp_path: Path) -> None:
    lay(tmp_path, "all/10.cert", "hosts/node1/20.key", "all/30.cert", "all/30.key")
    _registries, findings = read(tmp_path)
    assert findings == [("key-missing", "all/10.cert"), ("certificate-missing", "hosts/node1/20.key")]


@pytest.mark.parametrize("name", [".05.cert", ".ansible_tmpx10.key", ".crt"])
def test_a_hidden_file_that_engines_would_read_is_told(tmp_path: Path, name: str) -> None:
    lay(tmp_path, f"all/{name}")
    assert ("file-name", f"all/{name}") in read(tmp_path)[1]


@pytest.mark.parametrize("path", ["ca.crt", "groups/10.cert", "hosts/10.key", "group/g/ca.crt", "node1/ca.crt"])
def test_what_lies_beside_the_levels_is_told_and_not_silently_left_out(tmp_path: Path, path: str) -> None:
    lay(tmp_path, path)
    registries, findings = read(tmp_path, groups=["g"])
    assert registries == ()
    assert [code for code, _place in findings] == ["misplaced"]


@pytest.mark.parametrize("suffix", [".crt", ".cert", ".key"])
def test_a_folder_named_like_a_file_is_told(tmp_path: Path, suffix: str) -> None:
    (tmp_path / REGISTRY / "all" / f"x{suffix}").mkdir(parents=True)
    assert ("not-a-file", f"all/x{suffix}") in read(tmp_path)[1]


def test_a_fifo_is_told_and_does_not_hang_the_run(tmp_path: Path) -> None:
    (tmp_path / REGISTRY / "all").mkdir(parents=True)
    os.mkfifo(tmp_path / REGISTRY / "all" / "x.crt")
    assert read(tmp_path)[1] == [("not-a-file", "all/x.crt")]


def test_a_dangling_symlink_is_told(tmp_path: Path) -> None:
    (tmp_path / REGISTRY / "all").mkdir(parents=True)
    (tmp_path / REGISTRY / "all" / "x.crt").symlink_to("nowhere")
    assert read(tmp_path)[1] == [("not-a-file", "all/x.crt")]


@pytest.mark.parametrize("suffix", [".crt", ".cert", ".key"])
def test_a_file_of_any_size_is_told_and_not_read(tmp_path: Path, suffix: str) -> None:
    lay(tmp_path, f"all/x{suffix}")
    huge(tmp_path / REGISTRY / "all" / f"x{suffix}")

    def read_text(path: str) -> str:
        raise AssertionError(path)

    _registries, findings = read_tree(str(tmp_path), Place("node1", []), read_text=read_text)
    assert "too-large" in [finding.code for finding in findings]


def test_a_file_that_is_large_only_while_it_is_encrypted_is_read(tmp_path: Path) -> None:
    lay(tmp_path, "all/ca.crt")
    path = tmp_path / REGISTRY / "all" / "ca.crt"
    path.write_bytes(VaultLib([("", VaultSecret(b"password"))]).encrypt(b"#" * LARGEST))
    assert path.stat().st_size > 4 * LARGEST
    (registry,), findings = read_tree(str(tmp_path), Place("node1"), read_text=lambda path: "clear")
    assert (registry.ca_certificates[0].content, findings) == ("clear\n", [])


@pytest.mark.parametrize(
    ("error", "reason"),
    [(PermissionError(EACCES, "Permission denied"), "Permission denied"), (FileNotFoundError(ENOENT, "Gone"), "Gone")],
    ids=["out of reach", "gone since it was listed"],
)
def test_a_file_that_can_not_be_looked_at_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    lay(tmp_path, "all/ca.crt")
    look = os.stat

    def refuse(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith("ca.crt"):
            raise error
        return look(path, **options)

    monkeypatch.setattr(os, "stat", refuse)
    findings = read_tree(str(tmp_path), Place("node1"), read_text=str)[1]
    assert findings == [Finding("unreadable", str(tmp_path / REGISTRY / "all/ca.crt"), reason)]


def test_a_file_that_goes_while_it_is_looked_at_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path, "all/ca.crt")
    path = tmp_path / REGISTRY / "all/ca.crt"
    look = os.stat

    def last_look(at: Any, **options: Any) -> os.stat_result:
        found = look(at, **options)
        if str(at) == str(path):
            path.unlink()
        return found

    def read_text(path: str) -> str:
        raise Unreadable("Gone")

    monkeypatch.setattr(os, "stat", last_look)
    assert read_tree(str(tmp_path), Place("node1"), read_text=read_text)[1] == [
        Finding("unreadable", str(path), "Gone")
    ]


def test_symlinks_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    lay(tmp_path, "all/ca.crt")
    (tmp_path / REGISTRY / "all" / "b.crt").symlink_to("ca.crt")
    (tmp_path / REGISTRY / "groups").mkdir()
    (tmp_path / REGISTRY / "groups" / "g").symlink_to("../elsewhere")
    (tmp_path / REGISTRY / "all" / "sub").mkdir()
    (tmp_path / "linked.example").symlink_to(REGISTRY)
    registries, _findings = read(tmp_path)
    assert [registry.name for registry in registries] == ["linked.example", REGISTRY]
    assert [root.content for root in registries[1].ca_certificates] == ["all/ca.crt\n", "all/ca.crt\n"]


def test_a_file_that_cant_be_read_is_told_with_the_reason_and_nothing_else_about_it(tmp_path: Path) -> None:
    lay(tmp_path, "all/10.cert", "all/10.key")

    def read_text(path: str) -> str:
        raise Unreadable("Permission denied")

    _registries, findings = read_tree(str(tmp_path), Place("node1", []), read_text=read_text)
    place = tmp_path / REGISTRY / "all"
    assert findings == [
        Finding("unreadable", str(place / "10.cert"), "Permission denied"),
        Finding("unreadable", str(place / "10.key"), "Permission denied"),
    ]


@pytest.mark.parametrize("name", ["..", ".", "", "../../../outside", "/etc", "a/b"])
def test_no_name_of_a_host_or_group_leaves_the_levels(tmp_path: Path, name: str) -> None:
    root = tmp_path / "pki"
    lay(root, "hosts/a/b/secret.crt", "groups/a/b/secret.crt")
    lay(tmp_path, "../outside/secret.crt")
    for place in (tmp_path, root, root / REGISTRY):
        (place / "secret.crt").write_text("secret")
    registries, _findings = read_tree(str(root), Place(name, [name]), read_text=lambda path: Path(path).read_text())
    assert registries == ()


def test_pem_is_normalised(tmp_path: Path) -> None:
    (tmp_path / REGISTRY / "all").mkdir(parents=True)
    (tmp_path / REGISTRY / "all" / "ca.crt").write_bytes(b"a\r\nb")
    assert read(tmp_path)[0][0].ca_certificates[0].content == "a\nb\n"


@pytest.mark.parametrize("level", ["all", "groups", "hosts"])
def test_the_folder_of_one_registry_given_as_the_tree_is_told(tmp_path: Path, level: str) -> None:
    (tmp_path / level).mkdir()
    _registries, (finding,) = read_tree(str(tmp_path), Place("node1"), read_text=str)
    assert (finding.code, finding.place) == ("misplaced", str(tmp_path / level))
    assert "the tree is the one above it" in finding.detail


def test_a_level_that_is_no_folder_is_told(tmp_path: Path) -> None:
    lay(tmp_path, "all")
    assert read(tmp_path)[1] == [("misplaced", "all")]


def test_a_group_all_is_told_since_the_level_all_is_meant(tmp_path: Path) -> None:
    lay(tmp_path, "groups/all/ca.crt")
    assert ("misplaced", "groups/all") in read(tmp_path)[1]


def test_folders_of_hosts_and_groups_that_the_inventory_does_not_know_are_told(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "all/ca.crt",
        "hosts/nod1/ca.crt",
        "hosts/node2/ca.crt",
        "groups/builder/ca.crt",
        "groups/nodes/ca.crt",
    )
    known = {"hosts": {"node1", "node2"}, "groups": {"nodes"}}
    _registries, findings = read_tree(str(tmp_path), Place("node1", ["nodes"], known), read_text=str)
    places = [os.path.relpath(finding.place, tmp_path / REGISTRY) for finding in findings]
    assert {finding.code for finding in findings} == {"level-unknown"}
    assert sorted(places) == ["groups/builder", "hosts/nod1"]
