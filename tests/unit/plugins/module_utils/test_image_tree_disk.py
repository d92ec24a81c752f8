# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree on the disk: written so that neither readers nor a kill meet anything half done."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _disk, _image_tree_disk
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import (
    Name,
    plan_image,
    plan_removal,
    read_state,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree_disk import (
    blobs_of_tree,
    carry_out,
    read_tree,
    remove_leftovers,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._lock import root_alone
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    Image,
    InvalidImage,
    canonical_json,
    digest_of,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._v1_tree import chain_of
from ansible_collections.fleet.certs_d.tests.unit.images import image_of, layer

A1, A2, B1 = ("a", "1"), ("a", "2"), ("a/b", "1")
OLD = ("busybox", "latest")
OLD_ID = "0123456789abcdef" * 4


def nothing(_digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
    return iter(())


def change(root: Path, name: Name, image: Image | None, *, keep: int = 0) -> bool:
    """What the module does; tells whether there was anything to do."""
    with root_alone(str(root)):
        remove_leftovers(str(root))
        found = read_tree(str(root), verify=image.blobs if image else ())
        state = read_state(found)
        if image:
            chain = chain_of(image, repository=name[0], platform="linux/amd64")
            plan = plan_image(found, state, name, image, chain, keep=keep)
        else:
            plan = plan_removal(found, state, name, keep=keep)
        carry_out(str(root), plan, blobs_of_tree(str(root), state, others=image.read if image else nothing))
    return plan.changed


def picture(root: Path) -> dict[str, str | bytes]:
    """All files and links, hidden ones too."""
    return {
        str(path.relative_to(root)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def check(root: Path) -> None:
    """No link dangles, and every blob and manifest is what it is called."""
    for path in root.rglob("*"):
        if path.is_symlink():
            assert path.exists(), path
        elif path.is_file() and path.name.startswith("sha256:"):
            assert digest_of(path.read_bytes()) == path.name
    for tag in root.glob("v2/**/manifests/*"):
        manifest = json.loads(tag.read_bytes())
        for blob in (manifest["config"], *manifest["layers"]):
            assert (tag.parent.parent / "blobs" / blob["digest"]).stat().st_size == blob["size"]
    for tags in root.glob("v1/repositories/**/tags"):
        for top in json.loads(tags.read_bytes()).values():
            for each in json.loads((root / "v1/images" / top / "ancestry").read_bytes()):
                assert (root / "v1/images" / each / "layer").is_file()
                assert (root / "v1/images" / each / "json").is_file()


@pytest.fixture
def one(tmp_path: Path) -> Image:
    return image_of(tmp_path / "one", "a", "b")


@pytest.fixture
def other(tmp_path: Path) -> Image:
    return image_of(tmp_path / "other", "a", "c")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "tree"


def lay_old_form(root: Path, repository: str = "busybox") -> None:
    """A tree as version 0.1.0 has made it."""
    description = {
        "id": OLD_ID,
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["/bin/sh"]},
        "docker_version": "1.3.3",
        "Size": 9,
    }
    files = {
        f"images/{OLD_ID}/layer": layer("old"),
        f"images/{OLD_ID}/json": canonical_json(description),
        f"images/{OLD_ID}/ancestry": canonical_json([OLD_ID]),
        "_ping": b"true",
    }
    for spelling in (repository, *([] if "/" in repository else [f"library/{repository}"])):
        files[f"repositories/{spelling}/images"] = canonical_json([{"id": OLD_ID}])
        files[f"repositories/{spelling}/tags"] = canonical_json({"latest": OLD_ID})
    for name, content in files.items():
        (root / "v1" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "v1" / name).write_bytes(content)


def test_the_tree_is_as_the_web_server_expects_it(root: Path, one: Image) -> None:
    assert change(root, B1, one)
    digest, layers = one.digest, [each.digest for each in one.root.layers]
    stored = f"store/manifests/vnd.oci.image.manifest.v1+json/{digest}"
    found = picture(root)
    assert found[stored] == one.root.content
    assert found["v2/a/b/manifests/1"] == f"../../../../{stored}"
    assert found[f"v2/a/b/manifests/{digest}"] == f"../../../../{stored}"
    assert found[f"v2/a/b/blobs/{layers[0]}"] == f"../../../../store/blobs/{layers[0]}"
    assert found[f"store/blobs/{layers[0]}"] == layer("a")
    assert json.loads(found["v2/a/b/tags/list"]) == {"name": "a/b", "tags": ["1"]}
    assert json.loads(found["v2/_catalog"]) == {"repositories": ["a/b"]}
    assert found["v1/_ping"] == b"true"
    assert not [path for path in found if path.startswith("v1/rep")], "a namespace of one letter is none of v1's"
    check(root)


def test_old_clients_find_the_same_blobs(root: Path, one: Image) -> None:
    change(root, A1, one)
    (top,) = json.loads((root / "v1/repositories/library/a/tags").read_bytes()).values()
    ids = json.loads((root / "v1/images" / top / "ancestry").read_bytes())
    blobs = [os.readlink(root / "v1/images" / each / "layer") for each in ids]
    assert blobs == [f"../../../store/blobs/{each.digest}" for each in reversed(one.root.layers)]


def test_the_second_run_changes_nothing(root: Path, one: Image) -> None:
    assert change(root, A1, one)
    times = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    assert not change(root, A1, one)
    assert {path: path.lstat().st_mtime_ns for path in root.rglob("*")} == times


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_web_server_can_read_all_under_any_umask(root: Path, one: Image, umask: int) -> None:
    before = os.umask(umask)
    try:
        change(root, A1, one)
    finally:
        os.umask(before)
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in [root, *root.rglob("*")]}
    assert modes == {(True, 0o755), (False, 0o644)}


def test_the_last_tag_takes_everything_with_it(root: Path, one: Image, other: Image) -> None:
    change(root, A1, one)
    before = picture(root)
    change(root, B1, other)
    assert change(root, B1, None)
    assert picture(root) == before
    assert change(root, A1, None)
    assert picture(root) == {"v1/_ping": b"true", "v2/_catalog": b'{"repositories":[]}'}
    assert sorted(path.name for path in root.rglob("*") if path.is_dir()) == ["v1", "v2"]
    assert not change(root, A1, None)


def test_a_damaged_file_of_the_tree_is_made_anew(root: Path, one: Image) -> None:
    change(root, A1, one)
    before = picture(root)
    for path in [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        if path.name != "tags":
            assert change(root, A1, one), path
            assert picture(root) == before, path
        else:
            path.write_bytes(before[str(path.relative_to(root))])  # type: ignore[arg-type]


def test_a_missing_file_of_the_tree_is_made_anew(root: Path, one: Image) -> None:
    change(root, A1, one)
    before = picture(root)
    for path in before:
        (root / path).unlink()
        assert change(root, A1, one), path
        assert picture(root) == before, path


def test_files_of_others_stay(root: Path, one: Image) -> None:
    change(root, A1, one)
    for name in ("README", "v2/README", "v2/a/notes/list", "store/blobs/.keep"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("by hand")
    (root / "v2/a/pipe").mkdir()
    os.mkfifo(root / "v1/images.fifo")
    change(root, A1, None)
    assert {path for path, content in picture(root).items() if content == b"by hand"} == {
        "README",
        "v2/README",
        "v2/a/notes/list",
        "store/blobs/.keep",
    }


def test_the_store_may_lie_on_another_disk(root: Path, tmp_path: Path, one: Image) -> None:
    (tmp_path / "large").mkdir()
    root.mkdir(parents=True)
    (root / "store").symlink_to(tmp_path / "large")
    change(root, A1, one)
    assert (tmp_path / "large/blobs" / one.root.layers[0].digest).read_bytes() == layer("a")
    assert not change(root, A1, one)
    assert (root / "store").is_symlink()


def test_what_a_killed_run_was_writing_goes_away(root: Path, one: Image) -> None:
    change(root, A1, one)
    before = picture(root)
    (root / "store/blobs/.certs_d.new").write_text("half a blob")
    (root / "v2/.certs_d.new").mkdir()
    assert not change(root, A1, one)
    assert picture(root) == before
    assert not (root / "v2/.certs_d.new").exists()


def test_a_blob_that_is_not_what_was_checked_changes_nothing(root: Path, one: Image, other: Image) -> None:
    def lie(digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        for number, (digest, content) in enumerate(other.read(digests)):
            yield digest, [b"junk"] if number else content

    change(root, A1, one)
    before = picture(root)
    with pytest.raises(InvalidImage, match="has changed"):
        change(root, A1, other._replace(read=lie))
    assert picture(root) == before
    with pytest.raises(InvalidImage, match="gone since"):
        change(root, A1, other._replace(read=nothing))
    assert picture(root) == before


def test_a_failed_first_run_leaves_no_root(root: Path, one: Image) -> None:
    with pytest.raises(InvalidImage):
        change(root, A1, one._replace(read=nothing))
    assert not root.parent.exists()


def test_a_reader_keeps_what_it_has_open(root: Path, one: Image, other: Image) -> None:
    change(root, A1, one)
    with (root / "v2/a/manifests/1").open("rb") as stream:
        change(root, A1, other)
        assert stream.read() == one.root.content
    assert (root / "v2/a/manifests/1").read_bytes() == other.root.content


def pass_time(root: Path, seconds: int) -> None:
    """All that lies there is older now."""
    for path in root.rglob("*"):
        then = path.lstat().st_mtime - seconds
        os.utime(path, (then, then), follow_symlinks=False)


def test_a_pull_that_has_begun_can_end_whatever_changes_follow(root: Path, one: Image, other: Image) -> None:
    change(root, A1, one, keep=60)
    pass_time(root, 10**7)
    before = {path: kind for path, kind in picture(root).items() if "/sha256:" in path or path.startswith("v1/images")}
    assert change(root, A1, other, keep=60)
    assert change(root, B1, other, keep=60)
    assert change(root, A1, None, keep=60)
    assert not change(root, A1, None, keep=60)
    assert picture(root).items() >= before.items()
    pass_time(root, 30)
    assert not change(root, B1, other, keep=60)
    pass_time(root, 31)
    assert change(root, B1, other, keep=60)
    change(root.with_name("fresh"), B1, other)
    assert picture(root) == picture(root.with_name("fresh"))


def test_an_image_that_comes_back_in_time_is_as_good_as_new(root: Path, one: Image, other: Image) -> None:
    for image in (one, other, one):
        change(root, A1, image, keep=60)
        pass_time(root, 50)
    assert change(root, A1, other, keep=60)
    assert not change(root, A1, other, keep=60)
    assert all((root / "v2/a/blobs" / each).exists() for each in one.blobs)


def test_a_tag_is_there_all_the_time_and_whole(root: Path, one: Image, other: Image) -> None:
    change(root, A1, one)
    ended, seen, wrong = threading.Event(), set[str](), []

    def pull() -> None:
        while not ended.is_set():
            try:
                content = (root / "v2/a/manifests/1").read_bytes()
                seen.add(digest_of(content))
                check_image = json.loads(content)
                for blob in (check_image["config"], *check_image["layers"]):
                    assert (root / "v2/a/blobs" / blob["digest"]).stat().st_size == blob["size"]
            except (OSError, AssertionError) as error:
                wrong.append(error)

    client = threading.Thread(target=pull)
    client.start()
    for _turn in range(10):
        change(root, A1, other, keep=60)
        change(root, A1, one, keep=60)
    ended.set()
    client.join()
    assert wrong == []
    assert seen == {one.digest, other.digest}


def test_runs_at_the_same_time_follow_each_other(root: Path, one: Image, other: Image) -> None:
    names = [("a", str(number)) for number in range(8)]
    runs = [threading.Thread(target=change, args=(root, name, (one, other)[int(name[1]) % 2])) for name in names]
    for each in runs:
        each.start()
    for each in runs:
        each.join()
    assert json.loads((root / "v2/a/tags/list").read_bytes())["tags"] == sorted(tag for _name, tag in names)
    check(root)
    assert not any(change(root, name, (one, other)[int(name[1]) % 2]) for name in names)


class Killed(BaseException):
    """The process is gone."""


class DyingSystem:
    """The system calls of a process that is killed before one of them: no later one has an effect."""

    def __init__(self, lives: int) -> None:
        self.lives = lives

    def __getattr__(self, name: str) -> Any:
        call = getattr(os, name)
        counted = ("mkdir", "symlink", "replace", "unlink", "rmdir", "fsync", "utime")
        return self._counted(call) if name in counted else call

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.lives -= 1
            if self.lives < 0:
                raise Killed
            return call(*arguments, **options)

        return counted


def until_killed(monkeypatch: pytest.MonkeyPatch, lives: int, work: Callable[[], object]) -> bool:
    """Whether the work was killed."""
    system = DyingSystem(lives)
    with monkeypatch.context() as patched:
        patched.setattr(_image_tree_disk, "os", system)
        patched.setattr(_disk, "os", system)
        try:
            work()
        except Killed:
            return True
    return False


@pytest.mark.parametrize(
    "kind",
    ["first image", "second tag", "moved tag", "removal", "upgrade", "upgrade by another", "upgrade and removal"],
)
@pytest.mark.parametrize("keep", [0, 60])
def test_killed_before_any_effect_nothing_dangles_and_the_next_run_does_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, keep: int, one: Image, other: Image
) -> None:
    def prepare(root: Path) -> None:
        if kind.startswith("upgrade"):
            lay_old_form(root)
        elif kind != "first image":
            change(root, A1, one)

    name = {"second tag": A2, "upgrade": OLD, "upgrade and removal": OLD}.get(kind, A1)
    wanted = {"first image": one, "removal": None, "upgrade and removal": None}.get(kind, other)
    prepare(tmp_path / "never killed")
    change(tmp_path / "never killed", name, wanted)
    change(tmp_path / "never killed", ("never", "put"), None)
    expected = picture(tmp_path / "never killed")
    lives = 0
    while True:
        root = tmp_path / f"killed {lives}"
        prepare(root)
        if not until_killed(monkeypatch, lives, lambda root=root: change(root, name, wanted, keep=keep)):  # type: ignore[misc]
            break
        if root.exists():
            check(root)
        change(root, name, wanted, keep=keep)
        check(root)
        change(root, ("never", "put"), None)
        assert picture(root) == expected, lives
        lives += 1
    assert lives > 10


@pytest.mark.parametrize("lives", range(0, 60, 3))
@pytest.mark.parametrize("is_old", [False, True])
def test_a_disk_that_is_full_leaves_all_as_before(
    root: Path, monkeypatch: pytest.MonkeyPatch, one: Image, other: Image, lives: int, is_old: bool
) -> None:
    if is_old:
        lay_old_form(root)
    else:
        change(root, A1, one)
    before = picture(root)
    calls = 0

    def fail(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > lives:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_image_tree_disk.os, "fsync", fail)
    try:
        change(root, B1, other)
    except OSError:
        after = picture(root)
        # A layer of version 0.1.0 that has been moved into the store stays there.
        is_moved = is_old and isinstance(after[f"v1/images/{OLD_ID}/layer"], str)
        assert after == before or is_moved or "v2/a/b/manifests/1" in after
    check(root)


@pytest.mark.parametrize("repository", ["busybox", "team/app"])
def test_a_tree_of_the_first_version_comes_to_the_new_form(root: Path, one: Image, repository: str) -> None:
    lay_old_form(root, repository)
    assert change(root, A1, one)
    found = picture(root)
    digest = digest_of(layer("old"))
    assert found[f"v1/images/{OLD_ID}/layer"] == f"../../../store/blobs/{digest}"
    assert json.loads(found[f"v1/repositories/{repository}/tags"]) == {"latest": OLD_ID}
    manifest = json.loads((root / "v2" / repository / "manifests/latest").read_bytes())
    assert [each["digest"] for each in manifest["layers"]] == [digest]
    config = json.loads((root / "store/blobs" / manifest["config"]["digest"]).read_bytes())
    assert (config["architecture"], config["config"]["Cmd"]) == ("amd64", ["/bin/sh"])
    check(root)
    assert not change(root, A1, one)


def test_the_first_version_s_own_tag_is_replaced_by_the_new_image(root: Path, one: Image) -> None:
    lay_old_form(root)
    assert change(root, OLD, one)
    assert OLD_ID not in "".join(picture(root))
    assert not change(root, OLD, one)


def test_a_tag_of_the_first_version_can_be_removed(root: Path) -> None:
    lay_old_form(root)
    assert change(root, OLD, None)
    assert picture(root).keys() == {"v1/_ping", "v2/_catalog"}


def test_an_old_tag_that_names_a_damaged_image_is_dropped(root: Path, one: Image) -> None:
    lay_old_form(root)
    (root / "v1/images" / OLD_ID / "json").write_bytes(b"junk")
    change(root, A1, one)
    assert not (root / "v1/repositories/busybox").exists()
    check(root)
