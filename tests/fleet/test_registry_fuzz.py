# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten thousand random paths: never a byte from outside the tree, never a hang, never a fault of the server."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ansible_collections.fleet.certs_d.tests.fleet.registries import BESIDE, Fleet

SEED, COUNT = 20261125, 10_000
STARTS = (
    "/v1/",
    "/v2/",
    "/v2/app/",
    "/v1/images/",
    "/v1/repositories/",
    "/",
    "//",
    "/certs-d-tree/",
    "/cgi-bin/cert.cgi/",
)
PARTS = (
    *("app", "team", "tool", "library", "manifests", "blobs", "tags", "list", "latest", "images", "json", "layer"),
    *("_ping", "_catalog", "store", "secret", ".hidden", "etc", "passwd", "v1", "v2", "sha256:" + "0" * 64),
    *(
        "..",
        ".",
        "...",
        "%2e%2e",
        "%2e",
        "%252e",
        "..%2f",
        "..%5c",
        "%c0%ae",
        "%00",
        "%0a",
        "%0d%0a",
        "%20",
        "%zz",
        "%",
    ),
    *("*", "?", "[a-z]", "{a,b}", "~", "$(id)", "`id`", "$HOME", "|id", ";id", "&", "'", '"', "\\", "<", "#", "+", "@"),
    *("-e", "--help", "\xff", "\xc3\xa9", "a" * 300, "0" * 64, ":", "="),
)
JOINTS = ("/", "/", "/", "//", "", "%2f", "\\", "/./", "/../")


def random_paths(count: int) -> list[str]:
    """The same ones in each run."""
    dice = random.Random(SEED)
    return [
        dice.choice(STARTS) + "".join(dice.choice(PARTS) + dice.choice(JOINTS) for _part in range(dice.randrange(7)))
        for _path in range(count)
    ]


def check(answers: Sequence[tuple[int, str]], paths: Sequence[str], allowed: set[int]) -> None:
    for path, (status, body) in zip(paths, answers, strict=True):
        assert status in allowed, (path, status, body)
        assert BESIDE.decode() not in body, path
        assert "root:x:0:0" not in body, path


def test_no_path_gets_more_than_the_tree(registries: Fleet) -> None:
    paths = random_paths(COUNT)
    answers = registries.fuzz(5002, "good", paths)
    check(answers, paths, {200, 400, 403, 404})
    tree = {"{}", "true", *(image.manifest.decode() for image in registries.images.values())}
    for path, (status, body) in zip(paths, answers, strict=True):
        known = body in tree or body.startswith(('{"repositories"', '{"name": "app", "tags"', '[{"id"', '{"latest"'))
        assert status != 200 or known, path
    assert {status for status, _body in answers} == {200, 400, 403, 404}


def test_without_a_certificate_each_gets_the_same(registries: Fleet) -> None:
    paths = random_paths(1000)
    answers = registries.fuzz(5002, "", paths)
    check(answers, paths, {400, 403, 404})
    assert len({body for status, body in answers if status == 403}) == 3
