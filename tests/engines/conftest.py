# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet of engines and its registry, brought up once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pytest

from ansible_collections.fleet.certs_d.tests.engines import static_registry
from ansible_collections.fleet.certs_d.tests.engines.host_directories import lay_pairs
from ansible_collections.fleet.certs_d.tests.engines.hub import HUBS, Hub
from ansible_collections.fleet.certs_d.tests.engines.registry import HOST, PLAYBOOK, Registry
from ansible_collections.fleet.certs_d.tests.engines.static_registry import StaticRegistry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, REGISTRY, address, run, ssh, tool


@pytest.fixture(scope="session")
def lab() -> None:
    """The hosts, up."""
    run(sys.executable, "-m", "lab", "up", ENGINES, "--parts", "engines").good()


@pytest.fixture(scope="session")
def registry(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The fleet's registry, with certificates of this session."""
    material = tmp_path_factory.mktemp("material")
    found = Registry(material, address(ENGINES, HOST))
    run(tool("ansible-playbook"), PLAYBOOK, "-i", ENGINES, "-e", f"engines_material={material}").good()
    return found


@pytest.fixture(scope="session")
def static(registry: Registry) -> StaticRegistry:
    """The role's registry on the same host, for the same clients."""
    run(
        tool("ansible-playbook"),
        static_registry.PLAYBOOK,
        "-i",
        ENGINES,
        "-e",
        f"engines_material={registry.material}",
        ANSIBLE_COLLECTIONS_PATH=str(PROJECT.parents[2]),
    ).good()
    return StaticRegistry(registry)


@pytest.fixture(scope="session")
def hub(lab: None, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """The two hosts behind one name, with the role's registry that takes pushes and certificates of this session."""
    found = Hub(tmp_path_factory.mktemp("hub"), {host: address(ENGINES, host) for host in HUBS})
    found.deploy().good()
    return found


class Lay(Protocol):
    """Lays a host directory of an engine with these pairs in their order, and returns what layout tells of it."""

    def __call__(
        self,
        host: str,
        engine: str,
        pairs: Sequence[str],
        *,
        fallback: bool,
        name: str = REGISTRY,
        of: Registry | None = None,
    ) -> dict[str, Any]: ...


@pytest.fixture
def lay(registry: Registry) -> Iterator[Lay]:
    """Lays host directories, which go when the test ends: others could be read instead of those of the next."""
    laid: list[tuple[str, str]] = []

    def lay(
        host: str,
        engine: str,
        pairs: Sequence[str],
        *,
        fallback: bool,
        name: str = REGISTRY,
        of: Registry | None = None,
    ) -> dict[str, Any]:
        told = lay_pairs(host, engine, of or registry, pairs, fallback=fallback, name=name)
        laid.append((host, told["path"]))
        return told

    yield lay
    for host, folder in laid:
        ssh(ENGINES, host, f"rm -rf '{folder}'").good()
