# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the tree that clients of today pull from."""

from __future__ import annotations

import re
from typing import Collection, Iterator, Mapping

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import InvalidImage, Manifest, canonical_json
from ansible_collections.fleet.certs_d.plugins.module_utils._tree_entries import (
    Blob,
    Entry,
    Text,
    blob_path,
    link,
    manifest_path,
)

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_LONGEST_REPOSITORY = 255
# Below a repository the tree has directories of these names, beside the repositories that it is the beginning of.
_TAKEN = ("blobs", "manifests", "tags")


def check_names(*, repository: str, tag: str) -> None:
    """Raise InvalidImage unless clients of today can ask for both."""
    problems = [each for each in (_repository_fault(repository), _tag_fault(tag)) if each]
    if problems:
        raise InvalidImage("; ".join(problems))


def _tag_fault(tag: str) -> str:
    if _TAG.fullmatch(tag):
        return ""
    return f"{tag!r} is no tag: use up to 128 letters, digits, '_', '.' and '-', the first no '.' or '-'"


def _repository_fault(name: str) -> str:
    components = name.split("/")
    if len(name) > _LONGEST_REPOSITORY or not all(map(_COMPONENT.fullmatch, components)):
        return (
            f"{name!r} is no repository: use up to {_LONGEST_REPOSITORY} lower-case letters and digits, with single "
            "'.', '_', '__' or '-' between them, in parts that '/' separates"
        )
    taken = sorted(set(_TAKEN).intersection(components))
    return f"{name!r} is no repository here: {taken[0]!r} means something else in a registry's paths" if taken else ""


def is_repository(name: str) -> bool:
    """Whether clients of today can ask for a repository of this name."""
    return not _repository_fault(name)


def reachable(digest: str, manifests: Mapping[str, Manifest]) -> Iterator[tuple[str, Manifest]]:
    """The manifest and all below it, each once."""
    waiting, seen = [digest], set()
    while waiting:
        each = waiting.pop()
        if each not in seen and each in manifests:
            seen.add(each)
            yield each, manifests[each]
            waiting += [child.digest for child in manifests[each].children]


def v2_entries(
    tags: Mapping[tuple[str, str], str], *, manifests: Mapping[str, Manifest], blobs: Collection[str]
) -> dict[str, Entry]:
    """The tree for tags, given as digests by repository and tag; `blobs` are those that can be had."""
    entries: dict[str, Entry] = {}
    for (repository, tag), digest in tags.items():
        for each, manifest in reachable(digest, manifests):
            entries.update(_manifest_entries(repository, each, manifest, blobs))
        path = f"v2/{repository}/manifests/{tag}"
        entries[path] = link(path, manifest_path(manifests[digest].media_type, digest))
    names = sorted({repository for repository, _tag in tags})
    for name in names:
        own = sorted(tag for repository, tag in tags if repository == name)
        entries[f"v2/{name}/tags/list"] = Text(canonical_json({"name": name, "tags": own}))
    entries["v2/_catalog"] = Text(canonical_json({"repositories": names}))
    return entries


def _manifest_entries(
    repository: str, digest: str, manifest: Manifest, blobs: Collection[str]
) -> Iterator[tuple[str, Entry]]:
    stored = manifest_path(manifest.media_type, digest)
    yield stored, Text(manifest.content)
    path = f"v2/{repository}/manifests/{digest}"
    yield path, link(path, stored)
    for blob in {each.digest for each in manifest.blobs}.intersection(blobs):
        yield blob_path(blob), Blob(blob)
        path = f"v2/{repository}/blobs/{blob}"
        yield path, link(path, blob_path(blob))
