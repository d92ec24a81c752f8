# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a source holds: an OCI layout, or what `docker save` has written."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Callable, Collection, Iterable, Iterator, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import Files, files_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    DOCUMENT_LIMIT,
    INDEX_TYPES,
    MANIFEST_TYPES,
    OCI_INDEX,
    Descriptor,
    Image,
    InvalidImage,
    Manifest,
    manifest_of,
    read_json,
    read_manifest,
    read_object,
    report,
)

_INDEX, _LAYOUT, _SAVED = "index.json", "oci-layout", "manifest.json"
_DEEPEST_INDEX = 4
_CONFIG_NAME = re.compile(r"(?:blobs/sha256/|sha256:)?([0-9a-f]{64})(?:\.json)?")
_DOCKER_HUB = ("docker.io/library/", "docker.io/")


class _Candidate(NamedTuple):
    """An image of a source: the names that it has there, its digest, and what reads it."""

    names: Sequence[str]
    digest: str
    read: Callable[[], Image]


def image_at(path: str, *, reference: str | None) -> Image:
    """The image of this name in a directory or an archive, checked to the last byte.

    InvalidImage tells all that is wrong with it.
    """
    with _told_of(path):
        image = image_in(files_at(path), reference=reference)

    def read(digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        with _told_of(path):
            for digest, content in image.read(digests):
                yield digest, _told_pieces(path, content)

    return image._replace(read=read)


def _told_pieces(path: str, content: Iterable[bytes]) -> Iterator[bytes]:
    with _told_of(path):
        yield from content


@contextlib.contextmanager
def _told_of(path: str) -> Iterator[None]:
    try:
        yield
    except InvalidImage as reason:
        raise report(f"{path}: no image can be taken from it, and nothing is changed:", reason.problems) from None


def image_in(files: Files, *, reference: str | None) -> Image:
    """The image of this name among the files of a source."""
    try:
        image = _choose(_candidates(files), reference).read()
    except InvalidImage as reason:
        raise InvalidImage(*files.problems, *reason.problems) from None
    if files.problems:
        raise InvalidImage(*files.problems)
    return image


def _candidates(files: Files) -> list[_Candidate]:
    """Archives of docker since version 25 are both; their layout tells more."""
    if not files.fault(_INDEX):
        return _laid_out(files)
    if not files.fault(_SAVED):
        return _saved(files)
    raise InvalidImage(f"it has neither {_INDEX} nor {_SAVED}: give an OCI layout, or what `docker save` writes")


def _choose(candidates: Sequence[_Candidate], reference: str | None) -> _Candidate:
    fitting = {each.digest: each for each in candidates if reference is None or _is_called(each, reference)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    there = ", ".join(sorted({name for each in candidates for name in each.names or [each.digest]})) or "none at all"
    if reference is None:
        raise InvalidImage(f"it holds {len(fitting)} images: name one with `reference`, of {there}")
    digests = "".join(f", {each}" for each in sorted(fitting))
    raise InvalidImage(f"{len(fitting)} of its images are called {reference!r}: there are {there}{digests}")


def _is_called(candidate: _Candidate, reference: str) -> bool:
    wanted = _familiar(reference)
    return reference == candidate.digest or any(_familiar(each) == wanted for each in candidate.names)


def _familiar(name: str) -> str:
    """The name as people write it: docker stores it in full."""
    for prefix in _DOCKER_HUB:
        if name.startswith(prefix):
            return name[len(prefix) :]
    return name


def _document(files: Files, name: str) -> bytes:
    content = files.document(name)
    if content is None:
        raise InvalidImage(f"{name}: it is no JSON document of at most {DOCUMENT_LIMIT} bytes")
    return content


@contextlib.contextmanager
def _told_in(name: str) -> Iterator[None]:
    try:
        yield
    except InvalidImage as reason:
        raise InvalidImage(*(f"{name}: {each}" for each in reason.problems)) from None


def _laid_out(files: Files) -> list[_Candidate]:
    if not files.fault(_LAYOUT):
        with _told_in(_LAYOUT):
            version = read_object(_document(files, _LAYOUT)).get("imageLayoutVersion")
            if not str(version).startswith("1."):
                raise InvalidImage(f"the layout is of version {version!r}, of which nothing is known")
    with _told_in(_INDEX):
        listed = read_manifest(_document(files, _INDEX), OCI_INDEX).children

    def reader(descriptor: Descriptor) -> Callable[[], Image]:
        return lambda: _Gathering(files).image(descriptor)

    return [_Candidate(each.names, each.digest, reader(each)) for each in listed]


class _Gathering:
    """An image of a layout while it is gathered: what was found, and all that is wrong with it."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._manifests: dict[str, Manifest] = {}
        self._blobs: dict[str, int] = {}
        self._configs: dict[str, bytes] = {}
        self._seen: set[str] = set()
        self._problems: list[str] = []

    def image(self, descriptor: Descriptor) -> Image:
        """The image that begins with this manifest."""
        self._add_manifest(descriptor, _INDEX, depth=0)
        if self._problems:
            raise InvalidImage(*self._problems)
        return Image(descriptor.digest, self._manifests, self._blobs, self._configs, self._read)

    def _read(self, digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        wanted = {_blob_name(each): each for each in digests}
        for name, stream in self._files.read(wanted):
            yield wanted[name], stream

    def _add_manifest(self, descriptor: Descriptor, place: str, *, depth: int) -> None:
        if descriptor.media_type not in (*INDEX_TYPES, *MANIFEST_TYPES):
            self._problems.append(
                f"{place} names {descriptor.digest} as a {descriptor.media_type!r}: it can't be served"
            )
        elif depth > _DEEPEST_INDEX:
            self._problems.append(f"{place} is an index in an index, {_DEEPEST_INDEX} deep: give the inner image alone")
        elif self._is_sound(descriptor, place, f"manifest{_of_platform(descriptor)}"):
            self._add_sound_manifest(descriptor, depth=depth)

    def _add_sound_manifest(self, descriptor: Descriptor, *, depth: int) -> None:
        name = _blob_name(descriptor.digest)
        try:
            manifest = read_manifest(_document(self._files, name), descriptor.media_type)
        except InvalidImage as reason:
            self._problems.append(f"{name}: {reason}")
            return
        self._manifests[descriptor.digest] = manifest
        for child in manifest.children:
            self._add_manifest(child, name, depth=depth + 1)
        for layer in manifest.layers:
            self._add_blob(layer, name, "layer")
        if manifest.config:
            self._add_config(manifest.config, name)

    def _add_config(self, descriptor: Descriptor, place: str) -> None:
        if self._add_blob(descriptor, place, "config"):
            content = self._files.document(_blob_name(descriptor.digest))
            if content is not None:
                self._configs[descriptor.digest] = content

    def _add_blob(self, descriptor: Descriptor, place: str, what: str) -> bool:
        if descriptor.is_elsewhere and self._files.fault(_blob_name(descriptor.digest)):
            return False
        if not self._is_sound(descriptor, place, what):
            return False
        self._blobs[descriptor.digest] = descriptor.size
        return True

    def _is_sound(self, descriptor: Descriptor, place: str, what: str) -> bool:
        """Whether the bytes are those that were named; each file is found fault with once."""
        name = _blob_name(descriptor.digest)
        reason = self._files.fault(name)
        if reason:
            self._problems.append(f"{name} {reason}, the {what} that {place} names: {_remedy(descriptor)}")
        elif self._files.size(name) != descriptor.size:
            wrong = f"has {self._files.size(name)} bytes, {place} says {descriptor.size}"
            self._problems.append(f"{name} {wrong}: copy the image anew")
        elif self._files.digest(name) != descriptor.digest:
            self._problems.append(
                f"{name} is damaged, its bytes have the digest {self._files.digest(name)}: copy it anew"
            )
        else:
            return True
        return False


def _blob_name(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _of_platform(descriptor: Descriptor) -> str:
    return f" for {descriptor.platform}" if descriptor.platform else ""


def _remedy(descriptor: Descriptor) -> str:
    if descriptor.media_type in (*INDEX_TYPES, *MANIFEST_TYPES):
        return "save the image with all of its platforms, or with one alone, as no client of the missing one could pull"
    return "copy the image anew"


def _saved(files: Files) -> list[_Candidate]:
    with _told_in(_SAVED):
        data = read_json(_document(files, _SAVED))
        if not isinstance(data, list) or not all(_is_saved_image(each) for each in data):
            raise InvalidImage("it is not what `docker save` writes: save the image anew")

    def reader(entry: dict[str, Any]) -> Callable[[], Image]:
        return lambda: _saved_image(files, entry["Config"], entry["Layers"])

    return [_Candidate(each.get("RepoTags") or (), _config_digest(each["Config"]), reader(each)) for each in data]


def _is_saved_image(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and isinstance(entry.get("Config"), str)
        and _are_strings(entry.get("Layers"))
        and _are_strings(entry.get("RepoTags") or [])
    )


def _are_strings(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def _config_digest(name: str) -> str:
    match = _CONFIG_NAME.fullmatch(name)
    return f"sha256:{match[1]}" if match else name


def _saved_image(files: Files, config: str, layers: Sequence[str]) -> Image:
    """docker before version 25 saves no manifest: the one that follows from config and layers is made."""
    missing = [f"{name} {files.fault(name)}: save the image anew" for name in (config, *layers) if files.fault(name)]
    if missing:
        raise InvalidImage(*missing)
    digest = files.digest(config)
    if digest != _config_digest(config):
        raise InvalidImage(f"{config} is damaged, its bytes have the digest {digest}: save the image anew")
    content = _document(files, config)
    with _told_in(config):
        diff_ids = _diff_ids(content)
    _check_layers(files, layers, diff_ids)
    manifest = manifest_of(content, [(each, files.size(name)) for each, name in zip(diff_ids, layers)])
    places = {**dict(zip(diff_ids, layers)), digest: config}
    sizes = {each: files.size(name) for each, name in places.items()}

    def read(digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        wanted = {places[each]: each for each in digests}
        for name, stream in files.read(wanted):
            yield wanted[name], stream

    return Image(manifest.digest, {manifest.digest: manifest}, sizes, {digest: content}, read)


def _diff_ids(config: bytes) -> list[str]:
    rootfs = read_object(config).get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(diff_ids, list) or not _are_strings(diff_ids):
        raise InvalidImage("it names no layers: save the image anew, with docker 1.10 or later")
    return diff_ids


def _check_layers(files: Files, layers: Sequence[str], diff_ids: Sequence[str]) -> None:
    if len(layers) != len(diff_ids):
        raise InvalidImage(f"{_SAVED} names {len(layers)} layers, the config {len(diff_ids)}: save the image anew")
    wrong = [
        f"{name} is damaged or compressed, its bytes have the digest {files.digest(name)}, the config says {diff_id}: "
        "save the image anew"
        for name, diff_id in zip(layers, diff_ids)
        if files.digest(name) != diff_id
    ]
    if wrong:
        raise InvalidImage(*wrong)
