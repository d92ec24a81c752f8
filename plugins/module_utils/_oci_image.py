# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image as registries know it: manifests that name each other, their configs and layers, by digest."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Callable, Collection, Iterable, Iterator, Mapping, NamedTuple, Sequence, Tuple

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPES = (OCI_INDEX, DOCKER_LIST)
MANIFEST_TYPES = (OCI_MANIFEST, DOCKER_MANIFEST)

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
CONFIG_TYPES = (OCI_CONFIG, "application/vnd.docker.container.image.v1+json")
TAR_LAYER = "application/vnd.oci.image.layer.v1.tar"

EPOCH = "1970-01-01T00:00:00Z"
# The most that the distribution specification lets a manifest have for sure; configs are read within the same.
DOCUMENT_LIMIT = 4 * 1024 * 1024

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PLATFORM_PART = re.compile(r"[A-Za-z0-9_.-]+")
_NAME_ANNOTATIONS = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_MOST_PROBLEMS = 50


class InvalidImage(ValueError):
    """The reasons why no image can be made of what was given, a sentence each."""

    @property
    def problems(self) -> Sequence[str]:
        """All of them."""
        return self.args


class Descriptor(NamedTuple):
    """What one document says of another; `is_elsewhere` where its bytes may be had from other servers only."""

    media_type: str
    digest: str
    size: int
    platform: str = ""
    names: tuple[str, ...] = ()
    is_elsewhere: bool = False


class Manifest(NamedTuple):
    """A manifest or an index: its bytes as they are, and what it names."""

    media_type: str
    content: bytes
    children: tuple[Descriptor, ...] = ()
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()

    @property
    def digest(self) -> str:
        """Under which clients ask for it."""
        return digest_of(self.content)

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """Its config and layers."""
        return (*([self.config] if self.config else []), *self.layers)


# The blobs of these digests, one after the other in the order that suits their origin, piece by piece.
BlobReader = Callable[[Collection[str]], Iterator[Tuple[str, Iterable[bytes]]]]


class Image(NamedTuple):
    """What a tag names: the manifest `digest`, all that it leads to, and how to read the blobs.

    `blobs` are the sizes of the blobs that can be read, `configs` those that are small enough to be looked into.
    """

    digest: str
    manifests: Mapping[str, Manifest]
    blobs: Mapping[str, int]
    configs: Mapping[str, bytes]
    read: BlobReader

    @property
    def root(self) -> Manifest:
        """The manifest that the tag names."""
        return self.manifests[self.digest]

    @property
    def size(self) -> int:
        """The bytes of everything, each counted once."""
        return sum(self.blobs.values()) + sum(len(each.content) for each in self.manifests.values())


def report(heading: str, problems: Sequence[str]) -> InvalidImage:
    """One error that tells them all, a line each."""
    shown = list(dict.fromkeys(problems))
    further = len(shown) - _MOST_PROBLEMS
    if further > 0:
        shown = [*shown[:_MOST_PROBLEMS], f"and {further} more"]
    return InvalidImage("\n".join([heading, *(f"  - {each}" for each in shown)]))


def digest_of(content: bytes) -> str:
    """The digest of bytes, with its algorithm."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def canonical_json(value: Any) -> bytes:
    """The same bytes for the same data, on every host."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def read_json(content: bytes) -> Any:
    """The data in a document of foreign origin."""
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):
        raise InvalidImage("it is no JSON") from None


def read_object(content: bytes) -> dict[str, Any]:
    """The same, where nothing but an object makes sense."""
    data = read_json(content)
    if not isinstance(data, dict):
        raise InvalidImage("it is no JSON object")
    return data


def read_manifest(content: bytes, media_type: str) -> Manifest:
    """What the bytes of a manifest of this type say."""
    data = read_object(content)
    if data.get("schemaVersion") != 2:
        raise InvalidImage("it is no manifest of schema version 2")
    if data.get("mediaType", media_type) != media_type:
        raise InvalidImage(f"it says to be a {data['mediaType']!r}, and is named as a {media_type!r}")
    if media_type in INDEX_TYPES:
        return Manifest(media_type, content, children=_read_descriptors(data, "manifests"))
    config = read_descriptor(data.get("config"), "its config")
    return Manifest(media_type, content, config=config, layers=_read_descriptors(data, "layers"))


def _read_descriptors(data: Mapping[str, Any], name: str) -> tuple[Descriptor, ...]:
    values = data.get(name)
    if not isinstance(values, list):
        raise InvalidImage(f"it has no list of {name}")
    return tuple(read_descriptor(each, f"{number} of its {name}") for number, each in enumerate(values, 1))


def read_descriptor(data: Any, place: str) -> Descriptor:
    """What a document says of another one."""
    if not isinstance(data, dict):
        raise InvalidImage(f"{place} is no descriptor")
    media_type, digest, size = (data.get(each) for each in ("mediaType", "digest", "size"))
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise InvalidImage(f"{place} has the digest {digest!r}: only sha256 is served")
    if not isinstance(media_type, str) or not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise InvalidImage(f"{place} has no media type and size")
    names = _strings(data.get("annotations"), _NAME_ANNOTATIONS)
    platform = read_platform(data.get("platform"))
    return Descriptor(media_type, digest, size, platform, names, is_elsewhere=bool(data.get("urls")))


def read_platform(data: Any) -> str:
    """`OS/ARCHITECTURE[/VARIANT]`, empty where there is none; platforms and configs spell it alike."""
    parts = _strings(data, ("os", "architecture", "variant"))
    if len(parts) < 2 or not all(_PLATFORM_PART.fullmatch(each) for each in parts):
        return ""
    return "/".join(parts)


def _strings(data: Any, keys: Sequence[str]) -> tuple[str, ...]:
    values = (data.get(each) for each in keys) if isinstance(data, dict) else ()
    return tuple(each for each in values if isinstance(each, str) and each)


def config_of(*, architecture: str, system: str, settings: Any, layers: Sequence[str], created: str = EPOCH) -> bytes:
    """The config of an image whose layers are not compressed, given by their digests."""
    return canonical_json(
        {
            "architecture": architecture,
            "config": settings,
            "created": created,
            "os": system,
            "rootfs": {"type": "layers", "diff_ids": list(layers)},
        }
    )


def manifest_of(config: bytes, layers: Sequence[tuple[str, int]]) -> Manifest:
    """The manifest of an image whose layers are not compressed, given by digest and size."""
    content = canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _described(OCI_CONFIG, digest_of(config), len(config)),
            "layers": [_described(TAR_LAYER, *each) for each in layers],
        }
    )
    return read_manifest(content, OCI_MANIFEST)


def _described(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def platforms(image: Image) -> Sequence[str]:
    """The platforms that the image is for, in the order in which its indexes name them."""
    found = [read_platform_of(image, each) for each in leaves(image)]
    return list(dict.fromkeys(each for each in found if each and not each.startswith("unknown/")))


def leaves(image: Image) -> list[Descriptor]:
    """The manifests without children, as the indexes above them describe them."""
    if image.root.media_type not in INDEX_TYPES:
        return [Descriptor(image.root.media_type, image.digest, len(image.root.content))]
    return list(_leaves(image, image.root))


def _leaves(image: Image, index: Manifest) -> Iterator[Descriptor]:
    for child in index.children:
        if child.media_type in INDEX_TYPES:
            yield from _leaves(image, image.manifests[child.digest])
        else:
            yield child


def read_platform_of(image: Image, leaf: Descriptor) -> str:
    """What the index says, or else the config."""
    config = image.manifests[leaf.digest].config
    if leaf.platform or not config or config.digest not in image.configs:
        return leaf.platform
    try:
        return read_platform(read_object(image.configs[config.digest]))
    except InvalidImage:
        return ""
