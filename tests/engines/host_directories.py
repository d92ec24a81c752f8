# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laying a host directory for an engine, with the collection itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from os.path import dirname
from typing import Any

from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, run, ssh, tool

READERS_OF_HOSTS_TOML = ("docker", "containerd")
# What the tests lay on purpose.
_ACCEPT = ["expired", "never-presented", "name-order", "registry-twin", "port-443"]
_KEPT = "/root/laid"
# By what was wanted: what the module told, and where on the host a copy lies.
_laid: dict[tuple[object, ...], tuple[dict[str, Any], str]] = {}


def lay_pairs(
    host: str, engine: str, registry: Registry, pairs: Sequence[str], *, fallback: bool, name: str
) -> dict[str, Any]:
    """Lay the host directory `name` of an engine with these pairs in their order; what the module tells of it.

    One that this session has laid before comes back as it was then.
    """
    wanted = (host, engine, registry, tuple(pairs), fallback, name)
    if wanted in _laid:
        told, copy = _laid[wanted]
        folder = told["path"]
        ssh(ENGINES, host, f"mkdir -p '{dirname(folder)}' && rm -rf '{folder}' && cp -a {copy} '{folder}'").good()
    else:
        told, copy = _lay(host, engine, registry, pairs, fallback=fallback, name=name), f"{_KEPT}/{len(_laid)}"
        ssh(ENGINES, host, f"mkdir -p {_KEPT} && rm -rf {copy} && cp -a '{told['path']}' {copy}").good()
        _laid[wanted] = told, copy
    return dict(told)


def _lay(
    host: str, engine: str, registry: Registry, pairs: Sequence[str], *, fallback: bool, name: str
) -> dict[str, Any]:
    data = []
    for place, pair in enumerate(pairs, 1):
        issued = registry.pair(pair)
        data.append(
            {"name": f"{10 * place}-{pair}", "certificate": issued.certificate, "private_key": issued.private_key}
        )
    roots = [{"name": "ca", "content": registry.ca}]
    arguments = {
        "registries": [{"name": name, "ca_certificates": roots, "client_pairs": data}],
        "engines": [engine],
        "fallback": fallback,
        "purge": "files",
        "accept": _ACCEPT,
    }
    said = run(
        tool("ansible"),
        *(host, "-i", ENGINES, "-m", "fleet.certs_d.layout", "-a", json.dumps(arguments)),
        ANSIBLE_COLLECTIONS_PATH=str(PROJECT.parents[2]),
    ).good()
    told, _end = json.JSONDecoder().raw_decode(said, said.index(" => {") + len(" => "))
    (laid,) = told["registries"]
    return dict(laid)
