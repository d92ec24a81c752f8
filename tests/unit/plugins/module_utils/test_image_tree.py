# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image as the static files of a v1 registry."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import tarfile
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import (
    Image,
    InvalidImage,
    check_names,
    digests,
    image_of_executable,
    listing,
    read_digests,
    read_tags,
    wanted_files,
    write_files,
)

AMD64, ARM64 = 62, 183
LOAD, INTERPRETER = 1, 3


def elf(machine: int = AMD64, segment: int = LOAD) -> bytes:
    """A 64-bit little-endian ELF header with one program header."""
    header = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<I", segment) + bytes(52)


@pytest.fixture
def image() -> Image:
    return image_of_executable(elf(), name="busybox", applets=["sh", "busybox", "ls"])


def members(image: Image) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(image.layer)) as archive:
        return archive.getmembers()


def test_the_layer_holds_the_executable_and_a_link_per_applet(image: Image) -> None:
    found = {each.name: each for each in members(image)}
    assert found["bin/busybox"].mode == 0o755
    assert found["bin/busybox"].size == len(elf())
    links = {name: each.linkname for name, each in found.items() if each.islnk()}
    assert links == {"bin/ls": "bin/busybox", "bin/sh": "bin/busybox"}


def test_the_layer_tells_nothing_of_time_and_owner(image: Image) -> None:
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in members(image)} == {(0, 0, 0, "", "")}


def test_the_layer_is_the_same_with_every_python(image: Image) -> None:
    """Held by its digest: Pythons before 3.9 write other device numbers, which the code evens out."""
    assert image.layer_digest == "sha256:e43e1f02c8966814f8c5ad4c08545c6dbbe93114297ce50e59a89b20c7cf2ff2"


def test_the_image_depends_on_the_order_of_applets_no_more_than_on_the_day(image: Image) -> None:
    assert image_of_executable(elf(), name="busybox", applets=["ls", "sh", "sh"]) == image


def test_another_executable_is_another_image(image: Image) -> None:
    assert image_of_executable(elf(ARM64), name="busybox", applets=["sh", "ls"]).id != image.id


@pytest.mark.parametrize(("machine", "architecture"), [(AMD64, "amd64"), (ARM64, "arm64")])
def test_the_description_names_id_and_architecture(machine: int, architecture: str) -> None:
    image = image_of_executable(elf(machine), name="busybox", applets=["sh"])
    description = json.loads(image.description)
    assert description["id"] == image.id
    assert (description["os"], description["architecture"]) == ("linux", architecture)
    assert description["config"]["Cmd"] == ["/bin/sh"]


def test_without_a_shell_the_executable_itself_is_run() -> None:
    description = json.loads(image_of_executable(elf(), name="hello", applets=[]).description)
    assert description["config"]["Cmd"] == ["/bin/hello"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"#!/bin/sh\n", "not an ELF"),
        (b"", "not an ELF"),
        (elf(segment=INTERPRETER), "dynamically"),
        (elf()[:30], "damaged"),
        (elf()[:64], "damaged"),
        (b"\x7fELF\x02", "damaged"),
        (elf(machine=9999), "architecture"),
    ],
)
def test_what_would_not_run_alone_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidImage, match=reason):
        image_of_executable(content, name="busybox", applets=["sh"])


@pytest.mark.parametrize("applet", ["../sh", "a/b", "..", ".", ""])
def test_an_applet_that_is_no_file_name_is_refused(applet: str) -> None:
    with pytest.raises(InvalidImage, match="file name"):
        image_of_executable(elf(), name="busybox", applets=[applet])


@pytest.mark.parametrize("repository", ["busybox", "library/busybox", "team_1/my-app.x"])
def test_names_of_v1_are_taken(repository: str) -> None:
    check_names(repository=repository, tag="v1.0-rc_1")


@pytest.mark.parametrize(
    "repository", ["", "/", "..", "../x", "a/b", "team/..", "team/x/y", "Busybox", "a b", "a\n", "/busybox", "busybox/"]
)
def test_other_repositories_are_refused(repository: str) -> None:
    with pytest.raises(InvalidImage, match="repository"):
        check_names(repository=repository, tag="latest")


@pytest.mark.parametrize("tag", ["", ".", "a/b", "-x", "a b", "a\n", "a" * 129])
def test_other_tags_are_refused(tag: str) -> None:
    with pytest.raises(InvalidImage, match="tag"):
        check_names(repository="busybox", tag=tag)


def test_a_one_part_name_is_served_in_both_spellings(image: Image) -> None:
    files = wanted_files(image, repository="busybox", tag="latest", tags={})
    for spelling in ("busybox", "library/busybox"):
        assert json.loads(files[f"v1/repositories/{spelling}/tags"]) == {"latest": image.id}
        assert json.loads(files[f"v1/repositories/{spelling}/images"]) == [{"id": image.id}]


def test_a_two_part_name_is_served_in_one(image: Image) -> None:
    files = wanted_files(image, repository="team/app", tag="latest", tags={})
    assert [name for name in files if name.endswith("/tags")] == ["v1/repositories/team/app/tags"]


def test_the_image_comes_with_what_an_old_client_asks_for(image: Image) -> None:
    files = wanted_files(image, repository="busybox", tag="latest", tags={})
    assert files["v1/_ping"] == b"true"
    assert json.loads(files[f"v1/images/{image.id}/ancestry"]) == [image.id]
    assert files[f"v1/images/{image.id}/json"] == image.description
    assert files[f"v1/images/{image.id}/layer"] == image.layer


def test_other_tags_stay_and_the_own_one_moves(image: Image) -> None:
    files = wanted_files(image, repository="team/app", tag="new", tags={"old": "abc", "new": "def"})
    assert json.loads(files["v1/repositories/team/app/tags"]) == {"old": "abc", "new": image.id}
    assert {"id": "abc"} in json.loads(files["v1/repositories/team/app/images"])


def test_tags_come_after_the_images_that_they_name(image: Image) -> None:
    names = list(wanted_files(image, repository="team/app", tag="latest", tags={}))
    assert names.index(f"v1/images/{image.id}/layer") < names.index("v1/repositories/team/app/tags")


def test_what_was_written_is_read_back(tmp_path: Path, image: Image) -> None:
    files = wanted_files(image, repository="busybox", tag="latest", tags={})
    write_files(str(tmp_path), files)
    assert read_digests(str(tmp_path), list(files)) == digests(files)
    assert read_tags(str(tmp_path), "busybox") == {"latest": image.id}


def test_the_web_server_can_read_all_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_files(str(tmp_path / "root"), {"v1/images/x/json": b"{}"})
    finally:
        os.umask(before)
    modes = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.rglob("*")}
    assert modes == {"root": 0o755, "v1": 0o755, "images": 0o755, "x": 0o755, "json": 0o644}


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1/_ping").mkdir()
    with pytest.raises(OSError, match="_ping"):
        write_files(str(tmp_path), {"v1/_ping": b"true"})
    assert [each.name for each in (tmp_path / "v1").iterdir()] == ["_ping"]


def test_a_reader_keeps_the_file_that_it_has_open(tmp_path: Path) -> None:
    write_files(str(tmp_path), {"v1/_ping": b"old"})
    with (tmp_path / "v1/_ping").open("rb") as stream:
        write_files(str(tmp_path), {"v1/_ping": b"new"})
        assert stream.read() == b"old"
    assert (tmp_path / "v1/_ping").read_bytes() == b"new"


def test_a_repository_that_is_new_has_no_tags(tmp_path: Path) -> None:
    assert read_tags(str(tmp_path), "busybox") == {}


@pytest.mark.parametrize("content", [b"", b"junk", b"[]", b'{"latest": 1}', b"\xff"])
def test_damaged_tags_are_an_error_that_names_the_file(tmp_path: Path, content: bytes) -> None:
    write_files(str(tmp_path), {"v1/repositories/busybox/tags": content})
    with pytest.raises(InvalidImage, match="repositories/busybox/tags"):
        read_tags(str(tmp_path), "busybox")


def test_the_listing_has_a_line_per_name() -> None:
    assert listing({"b": "2", "a": "1"}) == "a sha256:1\nb sha256:2\n"


def test_digests_are_sha256() -> None:
    assert digests({"a": b"x"}) == {"a": hashlib.sha256(b"x").hexdigest()}
