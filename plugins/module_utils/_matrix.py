# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of a registry: what it answers to each pair of the host directory that an engine reads."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Any, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY, Engine
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    HostDirectory,
    engine_faults,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML
from ansible_collections.fleet.certs_d.plugins.module_utils._names import registry_name_findings, shown
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import holds_private_key, normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import (
    RegistryName,
    parse_registry_name,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._request import Answer, Trust, ask

NOT_ASKED = "not asked"


class Pair(NamedTuple):
    """A client pair as it lies in the host directory."""

    name: str
    certificate: bytes
    private_key: bytes

    @property
    def leaf(self) -> Certificate | None:
        """The facts of its first certificate, where they can be read."""
        return _leaf(self.certificate)


class Question(NamedTuple):
    """What every registry is asked: the path of the request, and for how long.

    `timeout` bounds one attempt, in seconds; `deadline` bounds them all, on the clock of time.monotonic().
    """

    request: str
    timeout: float
    deadline: float
    now: datetime


def measure(name: str, engines: Sequence[tuple[Engine, str]], question: Question) -> list[dict[str, Any]]:
    """One entry per engine, each with the root that it reads; engines that read one directory share its requests."""
    return [_entry(name, engine, root, question) for engine, root in engines]


def _entry(name: str, engine: Engine, root: str, question: Question) -> dict[str, Any]:
    # A name that is none may lead anywhere: nothing is read there.
    findings = registry_name_findings(name, shown(name))
    asked, asked_why, store = None, NOT_ASKED, None
    path = os.path.join(root, name) if findings else winning_directory(engine, name, root, store)
    directory = None if findings else read_host_directory(path)
    directory = directory or HostDirectory(path, 0, 0, 0, ())
    registry = None if findings else parse_registry_name(name)
    findings = findings or engine_faults(directory)
    return {
        "name": name,
        "engine": engine.name,
        "path": path,
        "findings": [finding.as_data() for finding in findings],
        **_measured(registry, directory, question),
        "store": store,
        "server": None,
        "asked": asked,
        "asked_why": asked_why,
    }


def winning_directory(engine: Engine, name: str, root: str, store: str | None) -> str:
    """The first directory that exists of those that the engine looks into, or where it would lie."""
    own = os.path.join(root, name)
    places = [own] if store == "classic" else engine.places(name, root)
    if engine.name == "containerd" or store == "containerd":
        places += [os.path.join(root, DEFAULT_DIRECTORY)]
    return next((place for place in places if os.path.isdir(place)), own)


def _measured(registry: RegistryName | None, directory: HostDirectory, question: Question) -> dict[str, Any]:
    pairs = _pairs(directory)
    requests = [] if registry is None else _requests(registry, directory, pairs, question)
    leaves = [(file.stem, _leaf(file.content or b"")) for file in directory.of_suffix(".cert")]
    return {
        "client_pairs": [{"name": stem, **leaf.as_data(question.now)} for stem, leaf in leaves if leaf],
        "requests": requests,
        "measured": {
            "files": [file.name for file in directory.files],
            "hosts_toml": _hosts_toml(directory),
            "pairs": [
                {"name": pair.name, "key_kind": pair.leaf.key_kind, "key_bits": None, "issuers": []}
                for pair in pairs
                if pair.leaf
            ],
            "asks_for": None,
            "asks_for_why": "the handshake was not looked into",
            "trust": {"replacing": None, "adding": None},
            "loopback": False,
            "insecure_request": None,
        },
    }


def _hosts_toml(directory: HostDirectory) -> str | None:
    found = next((file.content for file in directory.files if file.name == HOSTS_TOML), None)
    text = None if found is None else found.decode("utf-8", "replace")
    return None if text is None or holds_private_key(text) else text


def _pairs(directory: HostDirectory) -> list[Pair]:
    """Those that engines can load; containerd takes a key that stands in the .cert itself."""
    keys = {file.stem: file.content for file in directory.of_suffix(".key")}
    halves = [
        (file.stem, file.content or b"", keys.get(file.stem, file.content)) for file in directory.of_suffix(".cert")
    ]
    return [Pair(stem, own, key) for stem, own, key in halves if key is not None and pair_fault(own, key) is None]


def _requests(
    registry: RegistryName, directory: HostDirectory, pairs: list[Pair], question: Question
) -> list[dict[str, Any]]:
    roots = [file.content or b"" for file in directory.of_suffix(".crt")]
    tried: list[Pair | None] = [*pairs, None]
    return [_row(pair, _ask(registry, roots, pair, question)) for pair in tried]


def _ask(registry: RegistryName, roots: list[bytes], pair: Pair | None, question: Question) -> Answer:
    left = question.deadline - time.monotonic()
    if left <= 0:
        return Answer(None, "not asked: the time of this node for all registries was over (timeout_total)", 0.0)
    halves = None if pair is None else (pair.certificate, pair.private_key)
    return ask(registry, question.request, trust=Trust(roots), pair=halves, timeout=min(question.timeout, left))


def _row(pair: Pair | None, answer: Answer) -> dict[str, Any]:
    leaf = pair.leaf if pair else None
    return {
        "pair": pair.name if pair else None,
        "fingerprint": leaf.fingerprint if leaf else None,
        "status": answer.status,
        "error": answer.error,
        "seconds": answer.seconds,
    }


def _leaf(content: bytes) -> Certificate | None:
    try:
        return read_certificates(normalise(content.decode("utf-8", "replace")))[0]
    except InvalidCertificate:
        return None
