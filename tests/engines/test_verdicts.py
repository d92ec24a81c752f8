# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify_fallback foretells of a matrix of host directories, and what real engines do: the registry's log as
oracle."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import is_known, lets_in
from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.engines.verdict_cases import BY_DIGEST, CASES, NOT_FOUND, UNKNOWN
from ansible_collections.fleet.certs_d.tests.engines.verdict_fleet import (
    HOSTS,
    lay_directories,
    registry_on_loopback,
    remove_directories,
    verify,
    verify_without_skopeo,
)
from ansible_collections.fleet.certs_d.tests.engines.verdict_material import Material
from ansible_collections.fleet.certs_d.tests.engines.verdict_registry import (
    Seen,
    lay_registry,
    remove_registry,
    take_log,
)
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, address

# As who the programs show themselves to the registry. docker has ctr tell what every host of hosts.toml says.
_AGENTS: dict[str, str | tuple[str, ...]] = {
    "docker": "docker/",
    "skopeo": "skopeo/",
    "podman": ("libpod/", "containers/", "podman/"),
    "ctr": "containerd/",
}

Pairs = set[str | None]


class Log:
    """The registry's log, by who is told of in it."""

    def __init__(self, log: Sequence[Seen]) -> None:
        self._addresses = {host: address(ENGINES, host) for host in HOSTS}
        self._requests: dict[tuple[str, str], list[Seen]] = defaultdict(list)
        self._refusals: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
        for each in log:
            if not each.is_handshake:
                self._requests[each.address, each.registry].append(each)
            elif each.owner is not None:
                self._refusals[each.owner[:3]][each.owner.pair] += 1

    def presented(self, host: str, program: str, label: str, entry: Any) -> Pairs:
        """The pairs with which a program came to the registry; None where it came without any."""
        root = str(PurePosixPath(entry["path"]).parent)
        requests = self._requests[self._addresses[host], entry["name"]]
        asked = {each.owner.pair if each.owner else None for each in requests if _is_of(program, root, each)}
        # The node's own request with the pair is refused as well, so that it is the second that counts.
        own = Counter(row["pair"] for row in entry["requests"] if row["status"] is None)
        refused = {pair for pair, times in self._refusals[host, root, label].items() if times > own[pair]}
        return asked | refused


def _is_of(program: str, root: str, each: Seen) -> bool:
    if each.owner is None:
        return each.agent.startswith(_AGENTS[program])
    agents = ("docker/", "containerd/") if program == "docker" else _AGENTS[program]
    return each.owner.root == root and each.agent.startswith(agents)


class Matrix:
    """What the nodes told, and what the registry has seen of them."""

    def __init__(self, material: Material, registry: Registry) -> None:
        image = f"{registry.new_image()}:latest"
        self._entries = verify(registry.material, image)
        most = Log(take_log(material))
        self._entries |= verify_without_skopeo(registry.material, image)
        self._logs = {**dict.fromkeys(_AGENTS, most), "podman": Log(take_log(material))}

    def entry(self, host: str, program: str, label: str) -> Any:
        """What verify_fallback returned of one case."""
        return self._entries[host, program, CASES[label].registry]

    def presented(self, host: str, program: str, label: str) -> Pairs:
        """With which pairs the program came to the registry."""
        return self._logs[program].presented(host, program, label, self.entry(host, program, label))


@pytest.fixture(scope="module")
def matrix(registry: Registry) -> Iterator[Matrix]:
    """One run over all hosts, directories and engines, and one with podman in skopeo's place."""
    material, there = Material(), registry.address
    lay_registry(material)
    with ThreadPoolExecutor() as pool, ExitStack() as stack:
        list(pool.map(partial(lay_directories, material=material, registry=there), HOSTS))
        for host in HOSTS:
            stack.enter_context(registry_on_loopback(host, there))
        yield Matrix(material, registry)
        list(pool.map(remove_directories, HOSTS))
    remove_registry()


@pytest.mark.parametrize("label", CASES)
@pytest.mark.parametrize("program", _AGENTS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_engine_gets_in_where_it_was_foretold(matrix: Matrix, host: str, program: str, label: str) -> None:
    entry = matrix.entry(host, program, label)
    rule, said = entry["verdicts"]["effective"], entry["verdicts"]["engine"]
    told = f"{rule['reason']}; {said['reason']}"
    assert is_known(said), told
    assert is_known(rule) is not is_listed(UNKNOWN, label, program, entry), told
    if is_listed(NOT_FOUND, label, program, entry):
        assert (rule["status"], said["status"]) == (404, 200), told
    elif is_known(rule):
        assert lets_in(rule) == lets_in(said), told


@pytest.mark.parametrize("label", CASES)
@pytest.mark.parametrize("program", _AGENTS)
@pytest.mark.parametrize("host", HOSTS)
def test_the_registry_saw_the_pair_that_was_foretold(matrix: Matrix, host: str, program: str, label: str) -> None:
    entry = matrix.entry(host, program, label)
    rule = entry["verdicts"]["effective"]
    if is_known(rule):
        presented = matrix.presented(host, program, label) - asked_for_nothing(program, label, rule)
        if is_listed(BY_DIGEST, label, program, entry):
            assert foretold(rule) <= presented, rule["reason"]
        else:
            assert presented == foretold(rule), rule["reason"]
    else:
        assert is_listed(UNKNOWN, label, program, entry)


def is_listed(cases: Collection[tuple[str, str]], label: str, program: str, entry: Any) -> bool:
    """Whether the case stands there for this program, or for who reads its host directories as it does."""
    reader = "containerd" if "containerd" in (entry["engine"], entry["store"]) else entry["engine"]
    return not {(label, program), (label, reader)}.isdisjoint(cases)


def asked_for_nothing(program: str, label: str, rule: Any) -> Pairs:
    """docker with the containerd store is asked for a digest that none has, so that it goes on to the pairs of the
    hosts behind the one that lets it in."""
    hosts = list(CASES[label].hosts or ())
    return {*hosts[hosts.index(rule["pair"]) + 1 :]} if program == "docker" and rule["pair"] in hosts else set()


def foretold(rule: Any) -> Pairs:
    """The pairs that the registry must have seen; a handshake that fails without a certificate leaves no line."""
    return {attempt["pair"] for attempt in rule["attempts"] if attempt["pair"] or attempt["status"] is not None}
