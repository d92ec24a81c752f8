# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What old clients get of an image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    DOCKER_MANIFEST,
    TAR_LAYER,
    Image,
    InvalidImage,
    digest_of,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._v1_tree import Chain, chain_of, check_platform, v1_entries
from ansible_collections.fleet.certs_d.tests.unit.images import Layout, image_of, lay, layer, multi_platform

AMD64 = "linux/amd64"


def chain(image: Image, *, repository: str = "busybox", platform: str = AMD64) -> Chain:
    return chain_of(image, repository=repository, platform=platform)


def test_each_layer_is_an_image_whose_parent_is_the_one_below(tmp_path: Path) -> None:
    top, middle, bottom = chain(image_of(tmp_path, "a", "b", "c")).images
    assert top.ancestry == (top.id, middle.id, bottom.id)
    parents = [json.loads(each.description).get("parent") for each in (top, middle, bottom)]
    assert parents == [middle.id, bottom.id, None]
    assert [each.layer for each in (top, middle, bottom)] == [digest_of(layer(each)) for each in "cba"]


def test_the_top_image_says_what_the_config_says(tmp_path: Path) -> None:
    image = image_of(tmp_path, "a", "b", architecture="arm64")
    top, bottom = (json.loads(each.description) for each in chain(image).images)
    assert (top["os"], top["architecture"], top["created"]) == ("linux", "arm64", "2024-02-03T04:05:06.789Z")
    assert top["config"]["Cmd"] == ["/bin/true"]
    assert "config" not in bottom
    assert bottom["created"] == "1970-01-01T00:00:00Z"


def test_ids_follow_from_what_is_in_the_image(tmp_path: Path) -> None:
    one, same = (chain(image_of(tmp_path / each, "a", "b")) for each in ("one", "same"))
    other = chain(image_of(tmp_path / "other", "a", "c"))
    assert one == same
    assert one.id != other.id
    assert one.images[1] == other.images[1]


def test_the_same_layers_with_another_config_are_another_image_on_the_same_ones(tmp_path: Path) -> None:
    one = chain(image_of(tmp_path / "one", "a", "b"))
    other = chain(image_of(tmp_path / "other", "a", "b", architecture="arm64"))
    assert one.id != other.id
    assert one.images[1] == other.images[1]


def test_the_same_layer_twice_is_two_images(tmp_path: Path) -> None:
    made = chain(image_of(tmp_path, "a", "a", "a")).images
    assert len({each.id for each in made}) == 3


@pytest.mark.parametrize(("platform", "layers"), [(AMD64, 2), ("linux/arm64", 1), ("linux/s390x", 0), ("linux/amd", 0)])
def test_of_several_platforms_old_clients_get_one(tmp_path: Path, platform: str, layers: int) -> None:
    layout = Layout()
    layout.list(multi_platform(layout, "m"))
    image = image_at(str(lay(tmp_path, layout.files)), reference=None)
    made = chain(image, platform=platform)
    assert len(made.images) == layers
    assert made.reason == ("" if layers else f"the image has nothing for {platform}")
    assert made.platform == (platform if layers else "")


def test_the_only_platform_is_given_whichever_it_is(tmp_path: Path) -> None:
    assert chain(image_of(tmp_path, "a", architecture="s390x")).platform == "linux/s390x"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"layer_type": f"{TAR_LAYER}+zstd"}, "zstd"),
        ({"layer_type": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}, "foreign"),
        ({"config_type": "application/vnd.oci.empty.v1+json"}, "no image of a container"),
    ],
)
def test_what_old_clients_can_not_read_they_do_not_get(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    made = chain(image_of(tmp_path, "a", **options))
    assert made.id is None
    assert reason in made.reason


def test_an_image_without_layers_is_none(tmp_path: Path) -> None:
    assert chain(image_of(tmp_path)).reason == "it has no layer"


def test_gzipped_layers_and_those_of_docker_are_taken(tmp_path: Path) -> None:
    gzipped = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    assert chain(image_of(tmp_path, "a", layer_type=gzipped, media_type=DOCKER_MANIFEST)).id


@pytest.mark.parametrize("repository", ["busybox", "team/app", "team_1/my-app.x", "a"])
def test_names_of_v1_are_taken(tmp_path: Path, repository: str) -> None:
    assert chain(image_of(tmp_path, "a"), repository=repository).reason == ""


@pytest.mark.parametrize(
    ("repository", "reason"),
    [
        ("a/b/c", "one part or two"),
        ("abc/app", "namespace"),
        ("my-team/app", "namespace"),
        ("t" * 31 + "/app", "namespace"),
        ("library/app", "put the image into app"),
        ("team/images", "means something else"),
    ],
)
def test_other_names_are_for_clients_of_today_alone(tmp_path: Path, repository: str, reason: str) -> None:
    made = chain(image_of(tmp_path, "a"), repository=repository)
    assert (made.id, made.images) == (None, ())
    assert reason in made.reason


@pytest.mark.parametrize("platform", ["", "linux", "linux/", "Linux/amd64", "linux/arm/v7/x", "../x"])
def test_what_is_no_platform_is_refused(platform: str) -> None:
    with pytest.raises(InvalidImage, match="platform"):
        check_platform(platform)
    check_platform("linux/arm/v7")


def test_a_one_part_name_is_served_in_both_spellings(tmp_path: Path) -> None:
    (image,) = chain(image_of(tmp_path, "a")).images
    tags = {("busybox", "latest"): image.id, ("busybox", "1"): image.id, ("team/app", "1"): image.id}
    entries = {
        path: each.content
        for path, each in v1_entries(tags, images={image.id: image}).items()
        if hasattr(each, "content")
    }
    for spelling in ("busybox", "library/busybox"):
        assert json.loads(entries[f"v1/repositories/{spelling}/tags"]) == {"latest": image.id, "1": image.id}
        assert json.loads(entries[f"v1/repositories/{spelling}/images"]) == [{"id": image.id}]
    assert json.loads(entries["v1/repositories/team/app/tags"]) == {"1": image.id}
    assert "v1/repositories/library/team/app/tags" not in entries
    assert entries["v1/_ping"] == b"true"
    assert json.loads(entries[f"v1/images/{image.id}/ancestry"]) == [image.id]
