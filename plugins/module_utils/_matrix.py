# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of a registry: what it answers to each pair of a host directory."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding, errors
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    HostDirectory,
    client_faults,
    host_directory_names,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._names import registry_name_findings, shown
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import (
    parse_registry_name,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._request import Answer, ask


class Pair(NamedTuple):
    """A client pair as it lies in the host directory."""

    name: str
    certificate: bytes
    private_key: bytes

    @property
    def leaf(self) -> Certificate | None:
        """The facts of its first certificate, where they can be read."""
        try:
            return read_certificates(normalise(self.certificate.decode("utf-8", "replace")))[0]
        except InvalidCertificate:
            return None


def found_registries(root: str) -> tuple[list[str], list[Finding]]:
    """The registries that have a host directory, and the directories that no client ever looks into."""
    names = {name: registry_name_findings(name, shown(name)) for name in host_directory_names(root)}
    passed_over = [finding for findings in names.values() for finding in findings]
    return [name for name, findings in names.items() if not findings], passed_over


def measure(root: str, name: str, *, request: str, timeout: float, now: datetime) -> dict[str, Any]:
    """Ask the registry once per pair, and once without a certificate where there is no pair.

    With a fault in the directory nothing is sent, as the real client does. A registry without a host directory is
    asked once, with the system's roots.
    """
    path = os.path.join(root, name)
    # A name that is none may lead anywhere: nothing is read there.
    findings = registry_name_findings(name, shown(name))
    directory = None if findings else read_host_directory(path)
    directory = directory or HostDirectory(path, 0, 0, 0, ())
    findings += client_faults(directory)
    pairs = [] if errors(findings) else _pairs(directory)
    requests = [] if errors(findings) else _requests(name, directory, pairs, request=request, timeout=timeout)
    return {
        "name": name,
        "path": path,
        "findings": [finding.as_data() for finding in findings],
        "client_pairs": [{"name": pair.name, **pair.leaf.as_data(now)} for pair in pairs if pair.leaf],
        "requests": requests,
    }


def _pairs(directory: HostDirectory) -> list[Pair]:
    keys = {file.stem: file.content for file in directory.of_suffix(".key")}
    return [Pair(file.stem, file.content or b"", keys[file.stem] or b"") for file in directory.of_suffix(".cert")]


def _requests(
    name: str, directory: HostDirectory, pairs: list[Pair], *, request: str, timeout: float
) -> list[dict[str, Any]]:
    registry = parse_registry_name(name)
    roots = [file.content or b"" for file in directory.of_suffix(".crt")]
    tried: list[Pair | None] = [*pairs] or [None]
    return [
        _row(
            pair,
            ask(
                registry,
                request,
                roots=roots,
                pair=None if pair is None else (pair.certificate, pair.private_key),
                timeout=timeout,
            ),
        )
        for pair in tried
    ]


def _row(pair: Pair | None, answer: Answer) -> dict[str, Any]:
    leaf = pair.leaf if pair else None
    return {
        "pair": pair.name if pair else None,
        "fingerprint": leaf.fingerprint if leaf else None,
        **answer._asdict(),
    }
