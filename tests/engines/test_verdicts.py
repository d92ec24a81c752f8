# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify_fallback foretells of a matrix of host directories, and what real engines do: the registry's log as
oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import is_known, lets_in
from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import CASES, NOT_FOUND, UNKNOWN, Case
from ansible_collections.fleet.certs_d.tests.engines.verdict_fleet import (
    HOSTS,
    ROOTS,
    lay_directories,
    registry_on_loopback,
    remove_directories,
    verify,
)
from ansible_collections.fleet.certs_d.tests.engines.verdict_material import Material
from ansible_collections.fleet.certs_d.tests.engines.verdict_registry import (
    Seen,
    lay_registry,
    remove_registry,
    seen,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, address

# By engine, as who the programs that are asked show themselves to the registry.
_AGENTS = {"docker": "docker/", "containers": "skopeo/", "containerd": "containerd/"}
# What the client itself says, which then presents nothing.
_NOT_ACCEPTED = "the registry's certificate is not accepted"


class Matrix(NamedTuple):
    """All that was told: per host the entries of verify_fallback by registry and engine, and the registry's log."""

    entries: Mapping[str, Mapping[tuple[str, str], Any]]
    log: list[Seen]

    def entry(self, host: str, engine: str, case: Case) -> Any:
        """What the node's result says of one case."""
        return self.entries[host][case.registry, engine]

    def presented(self, host: str, engine: str, case: Case) -> set[str | None]:
        """The pairs with which the engine came to the registry; None where it came without any."""
        entry = self.entry(host, engine, case)
        root = str(PurePosixPath(entry["path"]).parent)
        return self._in_requests(host, engine, case, root) | self._in_handshakes(host, case, entry, root)

    def _in_requests(self, host: str, engine: str, case: Case, root: str) -> set[str | None]:
        return {
            each.owner.pair if each.owner else None
            for each in self.log
            if (each.address, each.registry) == (address(ENGINES, host), case.registry)
            and (each.owner is None or each.owner.root == root)
            and _is_of(engine, each)
        }

    def _in_handshakes(self, host: str, case: Case, entry: Any, root: str) -> set[str | None]:
        """The node's own request with each pair is refused as well, so that it is the second that counts."""
        refused = Counter(
            each.owner.pair
            for each in self.log
            if each.is_handshake
            and each.owner is not None
            and (each.owner.host, each.owner.root, each.owner.label) == (host, root, case.label)
        )
        own = Counter(row["pair"] for row in entry["requests"] if row["pair"] is not None and row["status"] is None)
        return {pair for pair, times in refused.items() if times > own[pair]}


@pytest.fixture(scope="module")
def matrix(registry: Registry) -> Iterator[Matrix]:
    """One run over all hosts, directories and engines."""
    material, there = Material(), registry.address
    lay_registry(material)
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        list(pool.map(partial(lay_directories, material=material, registry=there), HOSTS))
        for host in HOSTS:
            stack.enter_context(registry_on_loopback(host, there))
        entries = verify(registry.material)
        yield Matrix(entries, seen(material))
        list(pool.map(remove_directories, HOSTS))
    remove_registry()


every = pytest.mark.parametrize
everywhere: Callable[[Any], Any]


@pytest.mark.parametrize("label", CASES)
@pytest.mark.parametrize("engine", ROOTS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_engine_gets_in_where_it_was_foretold(matrix: Matrix, host: str, engine: str, label: str) -> None:
    entry = matrix.entry(host, engine, CASES[label])
    rule, said = entry["verdicts"]["effective"], entry["verdicts"]["engine"]
    told = f"{rule['reason']}; {said['reason']}"
    assert is_known(said), told
    assert is_known(rule) is not is_listed(UNKNOWN, label, entry), told
    if is_listed(NOT_FOUND, label, entry):
        assert (rule["status"], said["status"]) == (404, 200), told
    elif is_known(rule):
        assert lets_in(rule) == lets_in(said), told


@pytest.mark.parametrize("label", CASES)
@pytest.mark.parametrize("engine", ROOTS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_registry_saw_the_pair_that_was_foretold(matrix: Matrix, host: str, engine: str, label: str) -> None:
    case = CASES[label]
    entry = matrix.entry(host, engine, case)
    rule = entry["verdicts"]["effective"]
    if is_known(rule):
        assert matrix.presented(host, engine, case) == foretold(rule, case), rule["reason"]
    else:
        assert is_listed(UNKNOWN, label, entry)
