# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host directories below the engines' roots: read, plan, and unless it is a dry run swap."""

from __future__ import annotations

import os
from typing import Iterable, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import Engine
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding, errors
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    host_directory_names,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import hosts_toml
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan, plan
from ansible_collections.fleet.certs_d.plugins.module_utils._swap import Done, carry_out
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import (
    PUBLIC_MODE,
    WantedDirectory,
    WantedFile,
    with_installed_keys,
)


class Refused(Exception):
    """Nothing was changed, because of these findings."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__()
        self.findings = findings


class Target(NamedTuple):
    """An engine and the root below which its host directories are made."""

    engine: Engine
    root: str


class Terms(NamedTuple):
    """What holds for all host directories of a deployment."""

    owner: Owner
    fallback: bool = False
    purge: str = "none"
    dry_run: bool = False


class Deployment(NamedTuple):
    """What was, or in a dry run would be, done for each engine, and what was found beside it."""

    done: tuple[tuple[Engine, Done], ...]
    findings: tuple[Finding, ...]


def deploy(wanted: Sequence[WantedDirectory], targets: Sequence[Target], terms: Terms) -> Deployment:
    """Bring the wanted host directories below each root, all or none.

    Refused where a pair has no key, an OSError where the disk does not do it: either leaves all as before.
    """
    engines: list[Engine] = []

    def make_plans() -> list[Plan]:
        planned = [(target.engine, each) for target in targets for each in _plans(wanted, target, targets, terms)]
        engines[:] = [engine for engine, _plan in planned]
        return [each for _engine, each in planned]

    if terms.dry_run or not (wanted or terms.purge == "registries"):
        done = [Done(each, "") for each in make_plans()]
    else:
        done = carry_out([target.root for target in targets], make_plans)
    findings = [finding for each in done for finding in each.plan.findings]
    if terms.purge != "registries":
        findings += _unmanaged(wanted, targets)
    return Deployment(tuple(zip(engines, done)), tuple(findings + _shadows(wanted, targets)))


def _plans(
    wanted: Sequence[WantedDirectory], target: Target, targets: Sequence[Target], terms: Terms
) -> Iterable[Plan]:
    complete, faults = _with_keys(wanted, target, targets)
    if errors(faults):
        raise Refused(faults)
    gone = [] if terms.purge != "registries" else [_absent(name) for name in _further_names(wanted, target.root)]
    for directory in [*complete, *gone]:
        path = os.path.join(target.root, directory.name)
        yield plan(
            _for_engine(directory, target.engine, fallback=terms.fallback),
            read_host_directory(path),
            path=path,
            owner=terms.owner,
            purge_files=terms.purge != "none",
        )


def _with_keys(
    wanted: Sequence[WantedDirectory], target: Target, targets: Sequence[Target]
) -> tuple[list[WantedDirectory], list[Finding]]:
    """An installed key may come from the directory of another engine: its own comes first."""
    complete, faults = [], []
    roots = dict.fromkeys([target.root, *(other.root for other in targets)])
    for directory in wanted:
        if directory.is_present and any(pair.private_key is None for pair in directory.client_pairs):
            found = [read_host_directory(os.path.join(root, directory.name)) for root in roots]
            directory, missing = with_installed_keys(directory, [each for each in found if each])
            faults += missing
        complete.append(directory)
    return complete, faults


def _for_engine(directory: WantedDirectory, engine: Engine, *, fallback: bool) -> WantedDirectory:
    if not directory.is_present or not engine.writes_hosts_toml(directory.name, fallback=fallback):
        return directory
    text = hosts_toml(
        directory.name,
        roots=[file.name + ".crt" for file in directory.ca_roots],
        pairs=[pair.name for pair in directory.client_pairs],
        fallback=fallback,
    )
    return directory._replace(further=(WantedFile(HOSTS_TOML, text.encode(), PUBLIC_MODE),))


def _absent(name: str) -> WantedDirectory:
    return WantedDirectory(name, (), (), is_present=False)


def _further_names(wanted: Sequence[WantedDirectory], root: str) -> list[str]:
    names = {directory.name for directory in wanted}
    return [name for name in host_directory_names(root) if name not in names]


def _unmanaged(wanted: Sequence[WantedDirectory], targets: Sequence[Target]) -> list[Finding]:
    places = [os.path.join(target.root, name) for target in targets for name in _further_names(wanted, target.root)]
    return [Finding("unmanaged-registry", place) for place in dict.fromkeys(places)]


def _shadows(wanted: Sequence[WantedDirectory], targets: Sequence[Target]) -> list[Finding]:
    """Host directories that an engine passes over, since it finds another one of the registry before."""
    findings = []
    for target in targets:
        for name in [directory.name for directory in wanted if directory.is_present]:
            own = os.path.join(target.root, name)
            places = target.engine.places(name, target.root)
            before, after = places[: places.index(own)], places[places.index(own) + 1 :]
            findings += [_shadowed(own, place, target) for place in before if os.path.isdir(place)]
            managed = {os.path.join(each.root, name) for each in targets}
            findings += [
                _shadowed(place, own, target) for place in after if place not in managed and os.path.isdir(place)
            ]
    return findings


def _shadowed(place: str, winner: str, target: Target) -> Finding:
    return Finding("shadowed", place, f"{target.engine.name} reads {winner}")
