# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from any tree to the wanted one: whatever happens between two of its steps, nothing dangles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import (
    Found,
    Name,
    Plan,
    plan_image,
    plan_removal,
    read_state,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import TAR_LAYER, Image, InvalidImage
from ansible_collections.fleet.certs_d.plugins.module_utils._tree_entries import (
    V1_TAGS,
    V2_TAG,
    Entry,
    Link,
    Text,
    destination,
    link,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._v1_tree import chain_of
from ansible_collections.fleet.certs_d.tests.unit.images import Layout, image_of, lay, multi_platform

NAMES = [(repository, tag) for repository in ("a", "a/b", "team/app", "library/a") for tag in ("1", "2")]
Change = tuple[Name, int]


class Tree:
    """A tree without a disk, which may be stopped after any step."""

    def __init__(self, *, keep: int = 0) -> None:
        self.entries: dict[str, Entry] = {}
        self.times: dict[str, int] = {}
        self.now, self.keep = 0, keep

    def found(self) -> Found:
        prints = {path: entry.fingerprint for path, entry in self.entries.items()}
        texts = {path: each.content for path, each in self.entries.items() if isinstance(each, Text)}
        return Found(prints, texts, ages={path: self.now - self.times.get(path, 0) for path in self.entries})

    def plan(self, name: Name, image: Image | None) -> Plan:
        found = self.found()
        state = read_state(found)
        if image is None:
            return plan_removal(found, state, name, keep=self.keep)
        chain = chain_of(image, repository=name[0], platform="linux/amd64")
        return plan_image(found, state, name, image, chain, keep=self.keep)

    def carry_out(self, plan: Plan, *, steps: int | None = None) -> None:
        released = [(path, self.entries[path]) for path in plan.released]
        garbage = [(path, None) for path in plan.garbage]
        for path, entry in [*plan.content.items(), *released, *plan.names.items(), *garbage][:steps]:
            if entry is None:
                del self.entries[path]
            else:
                self.entries[path], self.times[path] = entry, self.now
            self.check()

    def check(self) -> None:
        """Whatever a client comes to leads to everything that it goes on to ask for."""
        for path, entry in self.entries.items():
            if isinstance(entry, Link):
                assert destination(path, entry.target) in self.entries, path
        for path in self.entries:
            if match := V2_TAG.fullmatch(path):
                self._check_manifest(match["repository"], path)
            if match := V1_TAGS.fullmatch(path):
                for top in json.loads(self.text(path)).values():
                    self._check_v1_image(top)

    def _check_manifest(self, repository: str, path: str) -> None:
        entry = self.entries[path]
        assert isinstance(entry, Link)
        manifest = json.loads(self.text(destination(path, entry.target)))
        for child in manifest.get("manifests", ()):
            self._check_manifest(repository, f"v2/{repository}/manifests/{child['digest']}")
        for blob in (*manifest.get("layers", ()), *([manifest["config"]] if "config" in manifest else ())):
            assert f"v2/{repository}/blobs/{blob['digest']}" in self.entries

    def _check_v1_image(self, top: str) -> None:
        for each in json.loads(self.text(f"v1/images/{top}/ancestry")):
            assert {f"v1/images/{each}/{name}" for name in ("json", "layer", "ancestry")} <= self.entries.keys()

    def text(self, path: str) -> str:
        entry = self.entries[path]
        assert isinstance(entry, Text)
        return entry.content.decode()


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Images that have layers, and one whole manifest, in common."""
    layout = Layout()
    whole = layout.index(layout.image("a", "b"), layout.image("d", architecture="arm64"))
    roots = [
        layout.image("a"),
        layout.image("a", "b"),
        layout.image("a", "c", layer_type=f"{TAR_LAYER}+gzip"),
        layout.image("a", "a", layer_type=f"{TAR_LAYER}+zstd"),
        multi_platform(layout, "m"),
        whole,
    ]
    path = lay(tmp_path_factory.mktemp("layout"), layout.list(*roots).files)
    return [image_at(str(path), reference=each["digest"]) for each in roots]


def changes() -> st.SearchStrategy[list[tuple[Name, int | None, int | None]]]:
    """Tags that get an image, or go, and after how many steps the run is killed."""
    step = st.tuples(st.sampled_from(NAMES), st.none() | st.integers(0, 5), st.none() | st.integers(0, 30))
    return st.lists(step, max_size=12)


def made_at_once(wanted: dict[Name, Image]) -> dict[str, Entry]:
    tree = Tree()
    for name, image in wanted.items():
        tree.carry_out(tree.plan(name, image))
    return tree.entries


@settings(max_examples=150, deadline=None)
@given(changes())
def test_any_way_to_the_same_tags_ends_in_the_same_tree(
    images: list[Image], steps: list[tuple[Name, int | None, int | None]]
) -> None:
    """Killed runs included, where the next run for the same tag does the rest."""
    tree, wanted = Tree(), dict[Name, Image]()
    for name, number, killed in steps:
        image = None if number is None else images[number]
        if killed is not None:
            tree.carry_out(tree.plan(name, image), steps=killed)
        tree.carry_out(tree.plan(name, image))
        assert not tree.plan(name, image).changed
        wanted.pop(name, None)
        if image:
            wanted[name] = image
    tree.carry_out(tree.plan(("never", "put"), None))
    expected = made_at_once(dict(sorted(wanted.items(), key=lambda each: each[0])))
    if wanted:
        assert tree.entries == expected
    else:
        assert tree.entries.keys() <= {"v1/_ping", "v2/_catalog"}


@settings(max_examples=50, deadline=None)
@given(changes())
def test_killed_runs_alone_leave_nothing_that_dangles(
    images: list[Image], steps: list[tuple[Name, int | None, int | None]]
) -> None:
    tree = Tree(keep=2)
    for name, number, killed in steps:
        tree.now += 1
        tree.carry_out(tree.plan(name, None if number is None else images[number]), steps=killed)


def test_lists_tell_what_is_there(images: list[Image]) -> None:
    tree = Tree()
    for name in (("a/b", "2"), ("a", "1"), ("a/b", "1")):
        tree.carry_out(tree.plan(name, images[0]))
    assert json.loads(tree.text("v2/_catalog")) == {"repositories": ["a", "a/b"]}
    assert json.loads(tree.text("v2/a/b/tags/list")) == {"name": "a/b", "tags": ["1", "2"]}
    tree.carry_out(tree.plan(("a/b", "1"), None))
    assert json.loads(tree.text("v2/a/b/tags/list")) == {"name": "a/b", "tags": ["2"]}
    tree.carry_out(tree.plan(("a/b", "2"), None))
    assert json.loads(tree.text("v2/_catalog")) == {"repositories": ["a"]}
    assert not [path for path in tree.entries if path.startswith("v2/a/b/")]


def test_a_removed_tag_goes_before_the_lists_and_those_before_what_it_leads_to(images: list[Image]) -> None:
    tree = Tree()
    tree.carry_out(tree.plan(("a", "1"), images[1]))
    plan = tree.plan(("a", "1"), None)
    order = [*plan.names, *plan.garbage]
    assert order.index("v1/repositories/a/tags") < order.index("v2/a/manifests/1")
    assert order.index("v2/a/manifests/1") < order.index("v2/a/tags/list")
    assert order[len(plan.names) - 2 : len(plan.names)] == ["v2/a/tags/list", "v2/_catalog"]
    assert plan.garbage[-1].startswith("store/blobs/")


def test_what_a_moved_tag_has_named_stays_for_its_time(images: list[Image]) -> None:
    """A client that has read the old manifest can fetch its blobs; it may not take ten years for it."""
    tree = Tree(keep=60)
    old = {f"v2/a/blobs/{each}" for each in images[0].blobs.keys() - images[1].blobs.keys()}
    for seconds, name, image in ((10**6, ("a", "1"), 0), (0, ("a", "1"), 1), (59, ("b", "1"), 2)):
        tree.now += seconds
        tree.carry_out(tree.plan(name, images[image]))
        assert not tree.plan(name, images[image]).changed
    assert old <= tree.entries.keys()
    tree.now += 1
    tree.carry_out(tree.plan(("b", "1"), images[2]))
    assert not old & tree.entries.keys()


def test_what_a_link_leads_to_stays_as_long_as_the_link(images: list[Image]) -> None:
    """A run that was killed has laid a link to what had been garbage for some time."""
    tree = Tree(keep=60)
    tree.carry_out(tree.plan(("a", "1"), images[0]))
    tree.carry_out(tree.plan(("a", "1"), None))
    tree.now = 59
    plan = tree.plan(("b", "1"), images[0])
    tree.carry_out(plan, steps=len(plan.content))
    for tree.now in (60, 118):
        tree.carry_out(tree.plan(("a", "1"), None))
        assert plan.content.keys() <= tree.entries.keys()
    tree.now = 119
    tree.carry_out(tree.plan(("a", "1"), None))
    assert tree.entries.keys() == {"v1/_ping", "v2/_catalog"}


def test_a_tag_that_loses_its_v1_image_is_not_served_to_old_clients(images: list[Image]) -> None:
    tree = Tree()
    tree.carry_out(tree.plan(("a", "1"), images[0]))
    assert "v1/repositories/library/a/tags" in tree.entries
    tree.carry_out(tree.plan(("a", "1"), images[3]))
    assert not [path for path in tree.entries if path.startswith("v1/repositories/")]


def test_what_leads_nowhere_is_no_tag(images: list[Image]) -> None:
    tree = Tree()
    tree.carry_out(tree.plan(("a", "1"), images[0]))
    whole = dict(tree.entries)
    tree.entries["v2/b/manifests/1"] = link("v2/b/manifests/1", "store/manifests/x/sha256:" + "a" * 64)
    plan = tree.plan(("c", "1"), None)
    assert plan.names == {"v2/b/manifests/1": None}
    del tree.entries["v2/b/manifests/1"]
    assert tree.entries == whole


def test_a_damaged_manifest_is_put_anew(images: list[Image]) -> None:
    tree = Tree()
    tree.carry_out(tree.plan(("a", "1"), images[0]))
    whole = dict(tree.entries)
    path = next(path for path in whole if path.startswith("store/manifests/"))
    tree.entries[path] = Text(b"{}")
    tree.carry_out(tree.plan(("a", "1"), images[0]))
    assert tree.entries == whole


@pytest.mark.parametrize("content", [b"", b"junk", b"[]", b'{"latest": 1}', b"\xff"])
def test_damaged_v1_tags_are_an_error_that_names_the_file(content: bytes) -> None:
    tree = Tree()
    tree.entries["v1/repositories/a/tags"] = Text(content)
    with pytest.raises(InvalidImage, match="v1/repositories/a/tags"):
        tree.plan(("b", "1"), None)


def test_a_removal_from_nothing_makes_nothing() -> None:
    assert not Tree().plan(("a", "1"), None).changed


def test_the_diff_tells_what_changes(tmp_path: Path, images: list[Image]) -> None:
    tree = Tree()
    first = tree.plan(("a", "1"), images[0])
    assert first.before == ""
    assert len(first.after.splitlines()) == len(first.content) + len(first.names)
    tree.carry_out(first)
    second = tree.plan(("a", "2"), image_of(tmp_path, "a"))
    assert {line.split()[0] for line in second.before.splitlines()} == {
        f"{folder}/{name}" for folder in ("v1/repositories/a", "v1/repositories/library/a") for name in ("tags",)
    } | {"v2/a/tags/list"}
