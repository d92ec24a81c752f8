# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the engines: where each looks, and what its host directory gets."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES, root_of

REGISTRY = "registry.lab:5000"


@pytest.mark.parametrize(
    ("engine", "places"),
    [
        ("docker", ["/etc/docker/certs.d/registry.lab_5000_", "/etc/docker/certs.d/registry.lab:5000"]),
        ("containers", ["/etc/containers/certs.d/registry.lab:5000", "/etc/docker/certs.d/registry.lab:5000"]),
        (
            "containerd",
            [
                "/etc/containerd/certs.d/registry.lab_5000_",
                "/etc/containerd/certs.d/registry.lab:5000",
                "/etc/docker/certs.d/registry.lab:5000",
            ],
        ),
    ],
)
def test_an_engine_takes_the_first_place_that_exists(engine: str, places: list[str]) -> None:
    assert ENGINES[engine].places(REGISTRY, ENGINES[engine].root) == places


@pytest.mark.parametrize("registry", ["registry.lab", "[fd00::1]"])
def test_a_name_without_port_has_one_spelling(registry: str) -> None:
    assert ENGINES["containerd"].places(registry, "/x") == [f"/x/{registry}"]


def test_a_root_of_ones_own_has_no_place_behind_it() -> None:
    assert ENGINES["containers"].places(REGISTRY, "/x") == [f"/x/{REGISTRY}"]


@pytest.mark.parametrize(
    ("engine", "registry", "fallback", "writes"),
    [
        ("docker", REGISTRY, False, False),
        ("docker", REGISTRY, True, True),
        ("containers", REGISTRY, True, False),
        ("containerd", REGISTRY, False, True),
        ("containerd", "_default", True, False),
        ("containerd", "[fd00::1]:5000", False, False),
        ("containerd", "[fd00::1]:5000", True, True),
    ],
)
def test_hosts_toml_is_written_where_the_engine_needs_it(
    engine: str, registry: str, fallback: bool, writes: bool
) -> None:
    assert ENGINES[engine].writes_hosts_toml(registry, fallback=fallback) is writes


@pytest.mark.parametrize(
    ("engine", "registry", "kept", "words"),
    [
        ("docker", REGISTRY, None, "docker 28.5"),
        ("containers", REGISTRY, False, "and no other"),
        ("containerd", REGISTRY, True, "1.6 and later"),
        ("containerd", "_default", False, "names no registry"),
        ("containerd", "[fd00::1]:5000", None, "containerd 2"),
        ("containers", "[fd00::1]:5000", False, "and no other"),
    ],
)
def test_each_engine_says_whether_it_keeps_the_fallback(
    engine: str, registry: str, kept: bool | None, words: str
) -> None:
    told, how = ENGINES[engine].fallback_of(registry)
    assert told is kept
    assert words in how


def test_the_root_is_the_path_or_the_users_or_the_systems() -> None:
    docker = ENGINES["docker"]
    assert root_of(docker, "/x", "/home/me") == "/x"
    assert root_of(docker, None, "/home/me") == "/home/me/.config/docker/certs.d"
    assert root_of(docker, None, None) == "/etc/docker/certs.d"
