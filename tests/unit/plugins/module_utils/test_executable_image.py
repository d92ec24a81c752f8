# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of one static executable."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._executable_image import image_of_executable
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import Image, InvalidImage, digest_of
from ansible_collections.fleet.certs_d.tests.unit.images import AMD64, ARM64, INTERPRETER, elf

APPLETS = ["sh", "busybox", "ls"]


@pytest.fixture
def busybox(tmp_path: Path) -> Path:
    path = tmp_path / "busybox"
    path.write_bytes(elf())
    return path


def layer_of(image: Image) -> bytes:
    ((_digest, content),) = image.read([image.root.layers[0].digest])
    return b"".join(content)


def members(image: Image) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(layer_of(image))) as archive:
        return archive.getmembers()


def config_of(image: Image) -> dict[str, Any]:
    (content,) = image.configs.values()
    config: dict[str, Any] = json.loads(content)
    return config


def test_the_layer_holds_the_executable_and_a_link_per_applet(busybox: Path) -> None:
    found = {each.name: each for each in members(image_of_executable(str(busybox), applets=APPLETS))}
    assert found["bin/busybox"].mode == 0o755
    assert found["bin/busybox"].size == len(elf())
    links = {name: each.linkname for name, each in found.items() if each.islnk()}
    assert links == {"bin/ls": "bin/busybox", "bin/sh": "bin/busybox"}


def test_the_layer_tells_nothing_of_time_and_owner(busybox: Path) -> None:
    found = members(image_of_executable(str(busybox), applets=APPLETS))
    assert {(each.mtime, each.uid, each.gid, each.uname, each.gname) for each in found} == {(0, 0, 0, "", "")}


def test_the_layer_is_the_same_with_every_python(busybox: Path) -> None:
    """Held by its digest: Pythons before 3.9 write other device numbers, which the code evens out."""
    (layer,) = image_of_executable(str(busybox), applets=APPLETS).root.layers
    assert layer.digest == "sha256:e43e1f02c8966814f8c5ad4c08545c6dbbe93114297ce50e59a89b20c7cf2ff2"


def test_the_blobs_are_what_the_manifest_says(busybox: Path) -> None:
    image = image_of_executable(str(busybox), applets=APPLETS)
    read = {digest: b"".join(content) for digest, content in image.read([each.digest for each in image.root.blobs])}
    assert {digest_of(content): len(content) for content in read.values()} == image.blobs
    assert config_of(image)["rootfs"]["diff_ids"] == [image.root.layers[0].digest]


def test_the_image_depends_on_the_order_of_applets_no_more_than_on_the_day(busybox: Path) -> None:
    image = image_of_executable(str(busybox), applets=APPLETS)
    assert image_of_executable(str(busybox), applets=["ls", "sh", "sh"]).digest == image.digest


@pytest.mark.parametrize(("machine", "architecture"), [(AMD64, "amd64"), (ARM64, "arm64")])
def test_the_config_names_the_architecture(busybox: Path, machine: int, architecture: str) -> None:
    busybox.write_bytes(elf(machine))
    config = config_of(image_of_executable(str(busybox), applets=["sh"]))
    assert (config["os"], config["architecture"]) == ("linux", architecture)
    assert config["config"]["Cmd"] == ["/bin/sh"]


def test_without_a_shell_the_executable_itself_is_run(busybox: Path) -> None:
    assert config_of(image_of_executable(str(busybox), applets=[]))["config"]["Cmd"] == ["/bin/busybox"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"#!/bin/sh\n", "not an ELF"),
        (b"", "empty"),
        (elf(segment=INTERPRETER), "dynamically"),
        (elf()[:30], "damaged"),
        (elf()[:64], "damaged"),
        (b"\x7fELF\x02", "damaged"),
        (elf(machine=9999), "architecture"),
    ],
)
def test_what_would_not_run_alone_is_refused(busybox: Path, content: bytes, reason: str) -> None:
    busybox.write_bytes(content)
    with pytest.raises(InvalidImage, match=f"busybox.*{reason}"):
        image_of_executable(str(busybox), applets=["sh"])


@pytest.mark.parametrize("applet", ["../sh", "a/b", "..", ".", ""])
def test_an_applet_that_is_no_file_name_is_refused(busybox: Path, applet: str) -> None:
    with pytest.raises(InvalidImage, match="file name"):
        image_of_executable(str(busybox), applets=[applet])
