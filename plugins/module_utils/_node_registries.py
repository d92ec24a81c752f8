# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registries of a node: which it has host directories of, and the measuring of them side by side."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY, Engine
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import host_directory_names
from ansible_collections.fleet.certs_d.plugins.module_utils._matrix import measure
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import Question
from ansible_collections.fleet.certs_d.plugins.module_utils._names import registry_name_findings

_AT_ONCE = 32
# containerd's other spelling of host:port.
_SPELLED = re.compile(r"(?P<host>.+)_(?P<port>[0-9]{1,5})_")

Readers = Mapping[str, Sequence["tuple[Engine, str]"]]


class Found(NamedTuple):
    """The registries by name, each with the engines that have a host directory of it, and their roots.

    `passed_over` are the directories, below the root that stands before each, that no client ever looks into.
    """

    readers: Readers
    passed_over: list[tuple[str, Finding]]


def registries_to_ask(names: Sequence[str] | None, engines: Sequence[tuple[Engine, str]]) -> Found:
    """Those that are named, of all engines; without names those that are found."""
    if names is None:
        return found_registries(engines)
    return Found(dict.fromkeys(names, engines), [])


def found_registries(engines: Sequence[tuple[Engine, str]]) -> Found:
    """Look into the roots of each engine, those included into which it looks last."""
    readers: dict[str, list[tuple[Engine, str]]] = {}
    passed_over: dict[tuple[str, str], Finding] = {}
    for engine, root in engines:
        roots = [root, *(engine.later_roots if root == engine.root else ())]
        for each in roots:
            for directory in host_directory_names(each):
                name = _registry_of(engine, directory)
                findings = [] if name is None else registry_name_findings(name, directory)
                if findings:
                    passed_over[each, directory] = findings[0]
                elif name is not None and (engine, root) not in readers.setdefault(name, []):
                    readers[name].append((engine, root))
    in_order = {name: readers[name] for name in sorted(readers, key=os.fsencode)}
    return Found(in_order, [(each, finding) for (each, _directory), finding in passed_over.items()])


def measure_side_by_side(readers: Readers, question: Question) -> list[dict[str, Any]]:
    """One entry per registry and engine, in their order; a registry that hangs holds up no other."""
    if not readers:
        return []
    with ThreadPoolExecutor(min(len(readers), _AT_ONCE)) as pool:
        measured = [pool.submit(measure, name, engines, question) for name, engines in readers.items()]
        return [entry for each in measured for entry in each.result()]


def _registry_of(engine: Engine, directory: str) -> str | None:
    """The registry of which this is the directory; None where it is that of many."""
    if engine.hosts_toml == "never":
        return directory
    spelled = _SPELLED.fullmatch(directory)
    if directory == DEFAULT_DIRECTORY:
        return None
    return f"{spelled['host']}:{spelled['port']}" if spelled else directory
