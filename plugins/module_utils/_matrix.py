# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: for each engine what a registry answers to each pair of the host directory that this engine reads."""

from __future__ import annotations

import os
from typing import Any, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._ask_engine import EngineAnswer, ask_engine
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_details import (
    chain_of,
    issuers_of,
    key_bits,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import Settings
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY, Engine
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    HostDirectory,
    engine_faults,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import served_by, without_secrets
from ansible_collections.fleet.certs_d.plugins.module_utils._measurement import (
    TIME_IS_OVER,
    Measurement,
    Pair,
    Question,
    as_row,
    ask_insecurely,
    leaf_of,
    measure_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._names import registry_name_findings, shown
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import holds_private_key
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName, parse_registry_name
from ansible_collections.fleet.certs_d.plugins.module_utils._server import server_as_seen

_NO_NAME = "nothing was asked, because no image name can name this registry"


def measure(name: str, engines: Sequence[tuple[Engine, str]], question: Question) -> list[dict[str, Any]]:
    """One entry per engine, each with the root that it reads; those that read the same directory share its answers."""
    # A name that is none may lead anywhere: nothing is read there.
    findings = registry_name_findings(name, shown(name))
    if findings:
        return [_unmeasured(name, engine, os.path.join(root, name), findings) for engine, root in engines]
    registry, server = parse_registry_name(name), parse_registry_name(served_by(name))
    known: dict[str, tuple[HostDirectory, Measurement]] = {}
    entries = []
    for engine, root in engines:
        said = _ask_the_engine(engine, registry, winning_directory(engine, name, root, store=None), question)
        path = winning_directory(engine, name, root, store=said.store)
        if path not in known:
            directory = _read(path)
            known[path] = directory, measure_directory(server, directory, question)
        directory, measurement = known[path]
        settings = question.settings.get(engine.name, Settings({}))
        proxy = settings.proxy_of(server)
        entries.append(
            {
                **_head(name, engine, path, [*_faults(directory), *_shadowed(engine, name, root, path)]),
                "client_pairs": _client_pairs(directory, question),
                "requests": [as_row(pair, answer) for pair, answer in measurement.answers],
                "measured": {
                    **_measured(directory, measurement),
                    **_insecure(server, engine, settings, measurement, question),
                },
                "server": server_as_seen(server, measurement.heard, proxy=proxy, now=question.now),
                **said._asdict(),
            }
        )
    return entries


def _read(path: str) -> HostDirectory:
    """The directory; one without entries where there is none, or something else in its place."""
    try:
        return read_host_directory(path) or HostDirectory(path, 0, 0, 0, ())
    except NotADirectoryError:
        return HostDirectory(path, 0, 0, 0, ())


def _faults(directory: HostDirectory) -> list[Finding]:
    in_its_place = os.path.exists(directory.path) and not os.path.isdir(directory.path)
    return [Finding("not-a-directory", directory.path)] if in_its_place else engine_faults(directory)


def winning_directory(engine: Engine, name: str, root: str, *, store: str | None) -> str:
    """The first directory that exists of those that the engine looks into, or where it would lie."""
    own = os.path.join(root, name)
    return next((place for place in _places(engine, name, root, store) if os.path.isdir(place)), own)


def _places(engine: Engine, name: str, root: str, store: str | None) -> list[str]:
    """The classic store of docker knows one spelling of a directory's name only.

    Of the others `_default` of the engine's own root comes before any later root (containerd, HostDirFromRoots).
    """
    own = os.path.join(root, name)
    if store == "classic":
        return [own]
    places = engine.places(name, root)
    if engine.name != "containerd" and store != "containerd":
        return places
    here = places.index(own) + 1
    return [*places[:here], os.path.join(root, DEFAULT_DIRECTORY), *places[here:]]


def _ask_the_engine(engine: Engine, registry: RegistryName, path: str, question: Question) -> EngineAnswer:
    """The engine reads the directory by itself, and is given the time of one attempt."""
    left = question.seconds_left()
    if question.run_command is None:
        return EngineAnswer(None, "ask_engine is off", None)
    if left <= 0:
        return EngineAnswer(None, TIME_IS_OVER, None)
    return ask_engine(
        engine.name, registry.text, question.image, path=path, run_command=question.run_command, timeout=left
    )


def _unmeasured(name: str, engine: Engine, path: str, findings: list[Finding]) -> dict[str, Any]:
    nothing = HostDirectory(path, 0, 0, 0, ())
    return {
        **_head(name, engine, path, findings),
        "client_pairs": [],
        "requests": [],
        "measured": {
            **_files(nothing),
            "pairs": [],
            "asks_for": None,
            "asks_for_why": _NO_NAME,
            "trust": {"replacing": None, "adding": None},
            "loopback": False,
            "listed_insecure": False,
            "insecure": False,
            "insecure_request": None,
        },
        "server": None,
        **EngineAnswer(None, _NO_NAME, None)._asdict(),
    }


def _head(name: str, engine: Engine, path: str, findings: list[Finding]) -> dict[str, Any]:
    found = [finding.as_data() for finding in findings]
    return {"name": name, "engine": engine.name, "path": path, "findings": found}


def _shadowed(engine: Engine, name: str, root: str, winner: str) -> list[Finding]:
    """The directories of this registry that the engine would look into if the winner were not there."""
    losers = [place for place in engine.places(name, root) if place != winner and os.path.isdir(place)]
    return [Finding("shadowed", loser, f"{engine.name} reads {winner}") for loser in losers]


def _client_pairs(directory: HostDirectory, question: Question) -> list[dict[str, Any]]:
    leaves = [(file.stem, leaf_of(file.content or b"")) for file in directory.of_suffix(".cert")]
    return [{"name": stem, **leaf.as_data(question.now)} for stem, leaf in leaves if leaf]


def _measured(directory: HostDirectory, measurement: Measurement) -> dict[str, Any]:
    asks_for, why = measurement.asks_for
    return {
        **_files(directory),
        "pairs": [_pair_as_data(pair) for pair in measurement.pairs],
        "asks_for": None if asks_for is None else asks_for.as_data(),
        "asks_for_why": why,
        "trust": {"replacing": measurement.replacing, "adding": measurement.adding},
    }


def _files(directory: HostDirectory) -> dict[str, Any]:
    found = next((file.content for file in directory.files if file.name == HOSTS_TOML), None)
    text = None if found is None else found.decode("utf-8", "replace")
    return {
        "files": [shown(file.name) for file in directory.files],
        "hosts_toml": None if text is None or holds_private_key(text) else without_secrets(text),
    }


def _pair_as_data(pair: Pair) -> dict[str, Any]:
    leaf, chain = pair.leaf, chain_of(pair.text)
    return {
        "name": pair.name,
        "key_kind": leaf.key_kind if leaf else None,
        "key_bits": key_bits(chain[0]) if leaf else None,
        "issuers": [issuer.hex() for issuer in issuers_of(chain)],
    }


def _insecure(
    registry: RegistryName, engine: Engine, settings: Settings, measurement: Measurement, question: Question
) -> dict[str, Any]:
    """Classic dockerd verifies nothing of some registries, and reads no certificates for them."""
    is_docker = engine.name == "docker"
    listed = is_docker and settings.takes_for_insecure(registry, measurement.addresses)
    insecure = is_docker and (measurement.is_loopback or listed)
    answer = ask_insecurely(registry, question) if insecure else None
    return {
        "loopback": measurement.is_loopback,
        "listed_insecure": listed,
        "insecure": insecure,
        "insecure_request": None if answer is None else as_row(None, answer),
    }
