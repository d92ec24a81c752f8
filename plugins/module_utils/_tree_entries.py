# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in the tree of a registry: paths and what is at each, by kind and in the order of their appearance.

The store has every blob and every manifest once; what clients ask for are links into it, and small documents.
"""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple, Union

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import digest_of

# A registry serves no hidden names.
TEMPORARY_PREFIX = ".certs_d."
TOPS = ("store", "v1", "v2")

_DIGEST = r"sha256:[0-9a-f]{64}"
_REPOSITORY = r"(?P<repository>.+)"
_TAG = r"(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]*)"
# Content first, each kind after what it leads to; then the names by which clients come to it.
_CONTENT = (
    rf"store/blobs/(?P<digest>{_DIGEST})",
    rf"store/manifests/(?P<type>[^/]+)/(?P<digest>{_DIGEST})",
    rf"v2/{_REPOSITORY}/blobs/{_DIGEST}",
    rf"v2/{_REPOSITORY}/manifests/{_DIGEST}",
    r"v1/images/(?P<id>[0-9a-f]{64})/layer",
    r"v1/images/(?P<id>[0-9a-f]{64})/json",
    r"v1/images/(?P<id>[0-9a-f]{64})/ancestry",
    r"v1/_ping",
)
_NAMES = (
    rf"v2/{_REPOSITORY}/manifests/{_TAG}",
    rf"v1/repositories/{_REPOSITORY}/images",
    rf"v1/repositories/{_REPOSITORY}/tags",
    rf"v2/{_REPOSITORY}/tags/list",
    r"v2/_catalog",
)
_KINDS = tuple(re.compile(each) for each in (*_CONTENT, *_NAMES))
BLOB, MANIFEST, V1_LAYER, V2_TAG, V1_TAGS = _KINDS[0], _KINDS[1], _KINDS[4], _KINDS[8], _KINDS[10]


class Link(NamedTuple):
    """A symlink."""

    target: str

    @property
    def fingerprint(self) -> str:
        """What tells it from everything else that may lie at its path."""
        return f"-> {self.target}"


class Text(NamedTuple):
    """A small file."""

    content: bytes

    @property
    def fingerprint(self) -> str:
        """What tells it from everything else that may lie at its path."""
        return digest_of(self.content)


class Blob(NamedTuple):
    """A file that may be large, by its digest."""

    digest: str

    @property
    def fingerprint(self) -> str:
        """What tells it from everything else that may lie at its path."""
        return self.digest


Entry = Union[Link, Text, Blob]


def rank(path: str) -> int | None:
    """The place in the order of appearance; None for what is none of ours."""
    return next((number for number, kind in enumerate(_KINDS) if kind.fullmatch(path)), None)


def is_content(path: str) -> bool:
    """Whether clients come to it by names only, so that it may appear before them, and go after them."""
    number = rank(path)
    return number is not None and number < len(_CONTENT)


def blob_path(digest: str) -> str:
    """Where the store has a blob."""
    return f"store/blobs/{digest}"


def manifest_path(media_type: str, digest: str) -> str:
    """Where the store has a manifest: a web server tells its type by the directory."""
    return f"store/manifests/{media_type.split('/', 1)[1]}/{digest}"


def link(path: str, to: str) -> Link:
    """The symlink at `path` that leads to the other path of the tree."""
    return Link(posixpath.relpath(to, posixpath.dirname(path)))


def destination(path: str, target: str) -> str:
    """The path of the tree to which a symlink leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
