# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a source holds, and all that can be wrong with them."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import files_at
from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    TAR_LAYER,
    Image,
    InvalidImage,
    digest_of,
    platforms,
)
from ansible_collections.fleet.certs_d.tests.unit.images import (
    Layout,
    entry,
    lay,
    layer,
    multi_platform,
    named,
    pack,
    platform,
    saved,
)

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def check(image: Image) -> None:
    """Whatever is read has the digest that it is named by."""
    read = {digest: b"".join(content) for digest, content in image.read(image.blobs)}
    assert {digest_of(content): len(content) for content in read.values()} == image.blobs
    assert read.keys() == image.blobs.keys()
    assert all(digest == each.digest for digest, each in image.manifests.items())


def at(path: Path, layout: Layout, *images: dict[str, Any], reference: str | None = None) -> Image:
    return image_at(str(lay(path / "layout", layout.list(*images).files)), reference=reference)


def refusal(path: Path, layout: Layout, *images: dict[str, Any], reference: str | None = None) -> list[str]:
    with pytest.raises(InvalidImage) as caught:
        at(path, layout, *images, reference=reference)
    heading, *problems = str(caught.value).splitlines()
    assert "layout: no image can be taken from it" in heading
    return problems


@pytest.mark.parametrize("zipped", [None, False, True])
def test_an_index_is_kept_whole(tmp_path: Path, zipped: bool | None) -> None:
    layout = Layout()
    root = multi_platform(layout, "m")
    layout.list(root)
    if zipped is None:
        path = lay(tmp_path / "layout", layout.files)
    else:
        path = pack(tmp_path / "archive", layout.files, zipped=zipped)
    image = image_at(str(path), reference=None)
    check(image)
    assert image.digest == root["digest"]
    assert sorted(each.media_type for each in image.manifests.values()) == [
        DOCKER_MANIFEST,
        *[OCI_INDEX] * 2,
        *[OCI_MANIFEST] * 2,
    ]
    assert platforms(image) == ["linux/arm64", "linux/amd64"]
    held = {f"blobs/{each.replace(':', '/')}" for each in {*image.blobs, *image.manifests}}
    assert held == layout.files.keys() - {"index.json", "oci-layout"}


def test_manifests_keep_their_bytes_and_their_type(tmp_path: Path) -> None:
    layout = Layout()
    listed = layout.index(layout.image("a", media_type=DOCKER_MANIFEST), media_type=DOCKER_LIST)
    image = at(tmp_path, layout, listed)
    assert image.root.content == layout.files[f"blobs/{image.digest.replace(':', '/')}"]
    assert image.root.media_type == DOCKER_LIST


def test_one_of_several_images_must_be_named(tmp_path: Path) -> None:
    layout = Layout()
    images = [layout.image("a", **named("a:1")), layout.image("b", **named("docker.io/library/b:1")), layout.image("c")]
    (problem,) = refusal(tmp_path, layout, *images)
    assert "holds 3 images" in problem
    for name in ("a:1", "docker.io/library/b:1", images[2]["digest"]):
        assert name in problem
    for reference, wanted in (("a:1", 0), ("b:1", 1), ("docker.io/library/b:1", 1), (images[2]["digest"], 2)):
        assert at(tmp_path, layout, *images, reference=reference).digest == images[wanted]["digest"]


def test_an_image_of_two_names_is_one(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("a")
    assert at(tmp_path, layout, {**image, **named("a:1")}, {**image, **named("a:2")}).digest == image["digest"]


def test_a_name_that_is_not_there_or_of_two_images_is_told_with_those_that_are(tmp_path: Path) -> None:
    layout = Layout()
    images = [layout.image("a", **named("latest")), layout.image("b", **named("latest"))]
    (problem,) = refusal(tmp_path, layout, *images, reference="latest")
    assert "2 of its images" in problem
    assert images[0]["digest"] in problem
    (problem,) = refusal(tmp_path, layout, *images, reference="other")
    assert "0 of its images" in problem
    assert "latest" in problem


def test_an_empty_layout_holds_none(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, Layout())
    assert "0 images" in problem


def test_missing_platforms_are_told_all_at_once(tmp_path: Path) -> None:
    layout = Layout()
    children = [layout.image(each, architecture=each, **platform(each)) for each in ("amd64", "arm64", "s390x")]
    root = layout.index(*children)
    for child in children[1:]:
        layout.remove(child)
    problems = refusal(tmp_path, layout, root)
    assert len(problems) == 2
    assert "missing, the manifest for linux/arm64" in problems[0]
    assert "missing, the manifest for linux/s390x" in problems[1]
    assert "all of its platforms" in problems[0]


def test_everything_that_is_wrong_is_told(tmp_path: Path) -> None:
    layout = Layout()
    config, *layers = json.loads(_content(layout, image := layout.image("a", "b", "c")))["layers"]
    layout.remove(config)
    layout.damage(layers[0], bytes(layers[0]["size"]))
    layout.damage(layers[1], b"short")
    problems = refusal(tmp_path, layout, image)
    assert ["is missing" in problems[0], "is damaged" in problems[1], "has 5 bytes" in problems[2]] == [True] * 3
    for problem, descriptor in zip(problems, [config, *layers], strict=True):
        assert descriptor["digest"].split(":")[1] in problem


def _content(layout: Layout, descriptor: dict[str, Any]) -> bytes:
    return layout.files[f"blobs/{descriptor['digest'].replace(':', '/')}"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"junk", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "schema version"),
        (b'{"schemaVersion": 2}', "its config is no descriptor"),
        (b'{"schemaVersion": 2, "mediaType": "text/plain"}', "says to be a 'text/plain'"),
        (b'{"schemaVersion": 2, "config": {"digest": "sha256:../../x"}}', "only sha256"),
        (b'{"schemaVersion": 2, "config": {"digest": "sha512:%s"}}' % (b"a" * 128), "only sha256"),
        (b'{"schemaVersion": 2, "config": {"digest": "sha256:%s"}}' % (b"a" * 64), "no media type and size"),
    ],
)
def test_a_manifest_that_is_none_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    layout = Layout()
    (problem,) = refusal(tmp_path, layout, layout.add(content, OCI_MANIFEST))
    assert reason in problem


def test_a_manifest_without_layers_and_a_list_without_children_are_told(tmp_path: Path) -> None:
    layout = Layout()
    config = layout.add(b"{}", "text/plain")
    broken = layout.add(json.dumps({"schemaVersion": 2, "config": config}).encode(), OCI_MANIFEST)
    assert "no list of layers" in refusal(tmp_path, layout, broken)[0]
    assert "no list of manifests" in refusal(tmp_path, layout, layout.add(b'{"schemaVersion": 2}', OCI_INDEX))[0]


def test_what_no_client_pulls_is_told(tmp_path: Path) -> None:
    layout = Layout()
    (problem,) = refusal(tmp_path, layout, layout.index(layout.add(b"{}", "application/../../etc")))
    assert "'application/../../etc'" in problem


def test_an_index_may_lie_in_an_index_but_not_for_ever(tmp_path: Path) -> None:
    layout = Layout()
    root = layout.image("a")
    for _level in range(4):
        root = layout.index(root)
    check(at(tmp_path, layout, root))
    (problem,) = refusal(tmp_path, layout, layout.index(root))
    assert "deep" in problem


def test_a_layer_of_another_server_need_not_be_there(tmp_path: Path) -> None:
    layout = Layout()
    manifest = json.loads(_content(layout, layout.image("a")))
    foreign = layout.add(b"foreign", FOREIGN, urls=["https://example.com/layer"])
    manifest["layers"].append(foreign)
    root = layout.add(json.dumps(manifest).encode(), OCI_MANIFEST)
    assert foreign["digest"] in at(tmp_path, layout, root).blobs
    layout.remove(foreign)
    path = lay(tmp_path / "second", layout.files)
    image = image_at(str(path), reference=None)
    check(image)
    assert foreign["digest"] not in image.blobs


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("oci-layout", b'{"imageLayoutVersion":"2.0.0"}', "version '2.0.0'"),
        ("oci-layout", b"junk", "oci-layout: it is no JSON"),
        ("index.json", b"junk", "index.json: it is no JSON"),
        ("index.json", b'{"schemaVersion": 2}', "index.json: it has no list of manifests"),
        ("index.json", b"{" + bytes(5 << 20), "index.json: it is no JSON document"),
    ],
)
@pytest.mark.parametrize("write", [lay, pack])
def test_a_layout_that_is_none_is_told(
    tmp_path: Path, write: Callable[..., Path], name: str, content: bytes, reason: str
) -> None:
    layout = Layout()
    layout.list(layout.image("a"))
    path = write(tmp_path / "layout", {**layout.files, name: content})
    with pytest.raises(InvalidImage, match=reason):
        image_at(str(path), reference=None)


def test_bad_names_and_bad_blobs_are_told_together(tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image("a")
    layout.list(image).remove(image)
    path = pack(tmp_path / "archive", layout.files, [entry("../evil"), entry("null", tarfile.CHRTYPE)])
    with pytest.raises(InvalidImage) as caught:
        image_at(str(path), reference=None)
    assert [each in str(caught.value) for each in ("../evil", "'null'", image["digest"][7:])] == [True] * 3


def test_a_sound_image_beside_a_bad_name_is_refused(tmp_path: Path) -> None:
    layout = Layout()
    layout.list(layout.image("a"))
    with pytest.raises(InvalidImage, match="evil"):
        image_at(str(pack(tmp_path / "archive", layout.files, [entry("../evil")])), reference=None)


def test_an_endless_list_of_problems_is_cut_off(tmp_path: Path) -> None:
    bad = [entry(f"../{number}") for number in range(70)]
    with pytest.raises(InvalidImage, match="and 21 more") as caught:
        image_at(str(pack(tmp_path / "archive", {}, bad)), reference=None)
    assert len(str(caught.value).splitlines()) == 52


def test_other_archives_are_told_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match="OCI layout"):
        image_at(str(pack(tmp_path / "archive", {"etc/passwd": b"root"})), reference=None)


def test_an_old_saved_image_gets_the_manifest_that_follows_from_it(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved", ["a", "b", "a"])
    image = image_at(str(path), reference="busybox:1")
    check(image)
    assert image.root.media_type == OCI_MANIFEST
    assert [each.digest for each in image.root.layers] == [digest_of(layer(each)) for each in "aba"]
    assert {each.media_type for each in image.root.layers} == {TAR_LAYER}
    assert image_at(str(path), reference=None).digest == image.digest
    assert json.loads(image.root.content)["mediaType"] == OCI_MANIFEST


def test_a_new_saved_image_is_read_by_its_index(tmp_path: Path) -> None:
    layout = Layout()
    root = layout.image("a", annotations={"io.containerd.image.name": "docker.io/library/busybox:1"})
    layout.list(root)
    listed = [{"Config": "blobs/sha256/x", "RepoTags": ["busybox:1"], "Layers": []}]
    path = pack(tmp_path / "saved", {**layout.files, "manifest.json": json.dumps(listed).encode()})
    assert image_at(str(path), reference="busybox:1").digest == root["digest"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Layers": ["nothing"]}, "nothing is missing"),
        ({"Layers": ["../../etc/passwd"]}, "leads out"),
        ({"Config": "nothing.json"}, "nothing.json is missing"),
        ({"Layers": []}, "names 0 layers, the config 2"),
        ({"Layers": "none"}, "not what `docker save` writes"),
        ({"Config": 1}, "not what `docker save` writes"),
        ({"RepoTags": [1]}, "not what `docker save` writes"),
        ({"Config": "manifest.json"}, "damaged"),
    ],
)
def test_a_saved_image_that_is_damaged_is_told(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidImage, match=reason):
        image_at(str(saved(tmp_path / "saved", ["a", "b"], **changes)), reference=None)


def test_saved_layers_must_be_those_that_the_config_names(tmp_path: Path) -> None:
    path = saved(tmp_path / "saved", ["a", "b"])
    names = json.loads(files_at(str(path)).document("manifest.json") or b"")[0]["Layers"]
    with pytest.raises(InvalidImage, match="is damaged or compressed") as caught:
        image_at(str(saved(path, ["a", "b"], Layers=names[::-1])), reference=None)
    assert all(name in str(caught.value) for name in names)


@pytest.mark.parametrize("length", [700, 2500])
def test_a_source_that_changes_between_two_looks_is_found_out_by_who_reads_it(tmp_path: Path, length: int) -> None:
    layout = Layout()
    image = layout.image("a")
    layout.list(image)
    path = pack(tmp_path / "archive", {"large": bytes(2000), **layout.files})
    found = image_at(str(path), reference=None)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InvalidImage, match=r"archive: no image.*\n.*cut off"):
        check(found)
