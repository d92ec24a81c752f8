# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and paths for clients of today."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import InvalidImage
from ansible_collections.fleet.certs_d.plugins.module_utils._v2_tree import check_names


@pytest.mark.parametrize(
    "repository", ["busybox", "library/busybox", "a/b/c/d", "a.b_c__d-e--f", "0", "blob/manifest/tag", "x" * 255]
)
def test_names_of_the_specification_are_taken(repository: str) -> None:
    check_names(repository=repository, tag="v1.0-rc_1")


@pytest.mark.parametrize(
    "repository",
    [
        *[
            "",
            "/",
            "..",
            "../x",
            "a//b",
            "a/",
            "/a",
            "Busybox",
            "a b",
            "a\n",
            "a/..",
            "a/./b",
            "_a",
            "-a",
            "a_",
            "a..b",
        ],
        *["a___b", "a._b", "_catalog", "a/_catalog", "x" * 256, "ä", "a\0b", "sha256:abc"],
    ],
)
def test_other_repositories_are_refused(repository: str) -> None:
    with pytest.raises(InvalidImage, match="repository"):
        check_names(repository=repository, tag="latest")


@pytest.mark.parametrize("repository", ["tags", "a/blobs", "manifests/a", "a/tags/b"])
def test_repositories_that_would_be_taken_for_something_else_are_refused(repository: str) -> None:
    with pytest.raises(InvalidImage, match="means something else"):
        check_names(repository=repository, tag="latest")


@pytest.mark.parametrize("tag", ["", ".", "a/b", "-x", "a b", "a\n", "a" * 129, f"sha256:{'a' * 64}"])
def test_other_tags_are_refused(tag: str) -> None:
    with pytest.raises(InvalidImage, match="tag"):
        check_names(repository="busybox", tag=tag)


def test_both_names_are_told() -> None:
    with pytest.raises(InvalidImage, match=r"'A' is no repository.*'\.' is no tag"):
        check_names(repository="A", tag=".")
