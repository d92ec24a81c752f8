# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the tree that docker before 1.6 pulls from: images that are chains of one layer each."""

from __future__ import annotations

import re
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    CONFIG_TYPES,
    EPOCH,
    MANIFEST_TYPES,
    TAR_LAYER,
    Descriptor,
    Image,
    InvalidImage,
    Manifest,
    canonical_json,
    digest_of,
    leaves,
    read_json,
    read_object,
    read_platform_of,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._tree_entries import Blob, Entry, Text, blob_path, link

_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?")
_NAMESPACE = re.compile(r"[a-z0-9_]{4,30}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_LAYER_TYPES = (
    TAR_LAYER,
    f"{TAR_LAYER}+gzip",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
# The names of files below a repository, beside the repositories whose namespace it is.
_TAKEN = ("images", "tags")


class V1Image(NamedTuple):
    """One layer and all that lies below it: its id, what describes it, the ids from itself down, and its blob."""

    id: str
    description: bytes
    ancestry: tuple[str, ...]
    layer: str


class Chain(NamedTuple):
    """What old clients get of an image: v1 images, the top one first; or none, and why."""

    images: tuple[V1Image, ...] = ()
    platform: str = ""
    reason: str = ""

    @property
    def id(self) -> str | None:
        """The id that a tag names."""
        return self.images[0].id if self.images else None


class Unfit(ValueError):
    """Why there is something that old clients can't get."""


def check_platform(platform: str) -> None:
    """Raise InvalidImage unless it is spelled as a platform."""
    if not _PLATFORM.fullmatch(platform):
        raise InvalidImage(f"{platform!r} is no platform: use OS/ARCHITECTURE, such as linux/amd64")


def chain_of(image: Image, *, repository: str, platform: str) -> Chain:
    """What old clients get of an image in this repository; of several platforms they get one."""
    try:
        _check_repository(repository)
        leaf = _leaf_for(image, platform)
        manifest = image.manifests[leaf.digest]
        return Chain(tuple(_images(manifest, _config_in(image, manifest))), read_platform_of(image, leaf))
    except Unfit as reason:
        return Chain(reason=str(reason))


def _check_repository(name: str) -> None:
    *namespace, last = name.split("/")
    if len(namespace) > 1:
        raise Unfit("v1 has repositories of one part or two")
    if namespace == ["library"]:
        raise Unfit(f"v1 asks for {name} when {last} is meant: put the image into {last}")
    if namespace and not _NAMESPACE.fullmatch(namespace[0]):
        raise Unfit("v1 wants a namespace of 4 to 30 lower-case letters, digits and '_'")
    if last in _TAKEN:
        raise Unfit(f"{last!r} means something else in v1's paths")


def _leaf_for(image: Image, platform: str) -> Descriptor:
    found = leaves(image)
    if image.root.media_type in MANIFEST_TYPES:
        return found[0]
    for leaf in found:
        if f"{read_platform_of(image, leaf)}/".startswith(f"{platform}/"):
            return leaf
    raise Unfit(f"the image has nothing for {platform}")


def _config_in(image: Image, manifest: Manifest) -> dict[str, Any]:
    config = manifest.config
    if not config or config.media_type not in CONFIG_TYPES or config.digest not in image.configs:
        raise Unfit("it is no image of a container")
    try:
        return read_object(image.configs[config.digest])
    except InvalidImage as reason:
        raise Unfit(f"its config can't be read: {reason}") from None


def _images(manifest: Manifest, config: Mapping[str, Any]) -> Iterator[V1Image]:
    """The chain, the top image first."""
    if not manifest.layers:
        raise Unfit("it has no layer")
    odd = sorted({each.media_type for each in manifest.layers if each.media_type not in _LAYER_TYPES})
    if odd or any(each.is_elsewhere for each in manifest.layers):
        raise Unfit(f"v1 takes layers as plain or gzipped tar, here are {', '.join(odd) or 'layers of other servers'}")
    made: list[V1Image] = []
    for number, layer in enumerate(manifest.layers, 1):
        is_top = number == len(manifest.layers)
        made.append(_image(layer, made[-1] if made else None, config, manifest.config if is_top else None))
    return reversed(made)


def _image(layer: Descriptor, parent: V1Image | None, config: Mapping[str, Any], top: Descriptor | None) -> V1Image:
    """An image whose id says what is in it; the layers below the top one are alike in every image that has them."""
    below = parent.ancestry if parent else ()
    identity = {"parent": below[:1], "layer": layer.digest, "config": top.digest if top else None}
    made_id = digest_of(canonical_json(identity)).split(":")[1]
    description: dict[str, Any] = {"id": made_id, "created": EPOCH, "container_config": {}, "Size": layer.size}
    if below:
        description["parent"] = below[0]
    if top:
        description.update(_described(config))
    return V1Image(made_id, canonical_json(description), (made_id, *below), layer.digest)


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """What an old client reads of a config; what is none of it would be more than its parser takes."""
    created, settings = config.get("created"), config.get("config")
    settings = settings if isinstance(settings, dict) else {}
    return {
        "architecture": str(config.get("architecture", "")),
        "config": settings,
        "container_config": settings,
        "created": created if isinstance(created, str) and _TIME.fullmatch(created) else EPOCH,
        "os": str(config.get("os", "")),
    }


def v1_entries(tags: Mapping[tuple[str, str], str], *, images: Mapping[str, V1Image]) -> dict[str, Entry]:
    """The tree for tags, given as ids by repository and tag."""
    entries: dict[str, Entry] = {"v1/_ping": Text(b"true")}
    for top in tags.values():
        for each in images[top].ancestry:
            entries.update(_image_entries(images[each]))
    for name in sorted({repository for repository, _tag in tags}):
        own = {tag: top for (repository, tag), top in tags.items() if repository == name}
        for spelling in _spellings(name):
            listed = [{"id": each} for each in sorted(set(own.values()))]
            entries[f"v1/repositories/{spelling}/images"] = Text(canonical_json(listed))
            entries[f"v1/repositories/{spelling}/tags"] = Text(canonical_json(own))
    return entries


def is_v1_repository(name: str) -> bool:
    """Whether old clients can ask for it."""
    try:
        _check_repository(name)
    except Unfit:
        return False
    return True


def _image_entries(image: V1Image) -> Iterator[tuple[str, Entry]]:
    folder = f"v1/images/{image.id}"
    yield blob_path(image.layer), Blob(image.layer)
    yield f"{folder}/layer", link(f"{folder}/layer", blob_path(image.layer))
    yield f"{folder}/json", Text(image.description)
    yield f"{folder}/ancestry", Text(canonical_json(image.ancestry))


def _spellings(repository: str) -> Sequence[str]:
    """Old clients ask for `images` of a one-part name as it is, and for its `tags` below `library`."""
    return (repository,) if "/" in repository else (repository, f"library/{repository}")


def read_tags(content: bytes) -> dict[str, str] | None:
    """The ids by tag that a file `tags` holds; None where it is damaged."""
    try:
        data = read_object(content)
    except InvalidImage:
        return None
    return data if all(isinstance(each, str) for each in data.values()) else None


def read_image(name: str, *, description: bytes, ancestry: bytes, layer: str) -> V1Image | None:
    """The v1 image that files of the tree hold; None where they are damaged."""
    try:
        ids = read_json(ancestry)
        is_own = read_object(description).get("id") == name
    except InvalidImage:
        return None
    is_chain = isinstance(ids, list) and all(isinstance(each, str) for each in ids) and ids[:1] == [name]
    return V1Image(name, description, tuple(ids), layer) if is_own and is_chain else None
