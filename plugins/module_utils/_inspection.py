# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host directory as it lies there, in plain data for the controller: no private key leaves the node."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import Engine
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import (
    File,
    HostDirectory,
    host_directory_names,
    oddity,
    read_host_directory,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML
from ansible_collections.fleet.certs_d.plugins.module_utils._names import directory_name_findings
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import (
    certificates,
    extra_blocks,
    holds_private_key,
    is_cut_off,
    normalise,
)

_OTHERS = 0o077


def inspect_root(engine: Engine, root: str) -> list[dict[str, Any]]:
    """Every host directory below a root; what can't be read is a finding, not an error."""
    try:
        names = host_directory_names(root)
    except OSError as error:
        return [_unreadable(engine, root, os.path.basename(root), error)]
    return [_inspect(engine, root, name) for name in names]


def _inspect(engine: Engine, root: str, name: str) -> dict[str, Any]:
    path = os.path.join(root, name)
    try:
        directory = read_host_directory(path)
    except OSError as error:
        return _unreadable(engine, path, name, error)
    found = directory or HostDirectory(path, 0, 0, 0, ())
    findings = [*directory_name_findings(name, path), *_shadow(engine, root, name)]
    for file in found.files:
        findings += _file_findings(path, file)
    findings += _pair_findings(found)
    return {
        **_head(engine, path, name, findings),
        "mode": f"{found.mode:04o}",
        "owner": found.owner,
        "group": found.group,
        "symlink_to": found.link or None,
        "has_hosts_toml": any(file.name == HOSTS_TOML for file in found.files),
        "files": [_file_as_data(file) for file in found.files],
        "ca_certificates": _public(found.of_suffix(".crt"), "content"),
        "client_pairs": _public(found.of_suffix(".cert"), "certificate"),
    }


def _unreadable(engine: Engine, path: str, name: str, error: OSError) -> dict[str, Any]:
    place = os.fsdecode(error.filename or path)
    finding = Finding("directory-unreadable", place, error.strerror or "")
    return {
        **_head(engine, path, name, [finding]),
        "mode": None,
        "owner": None,
        "group": None,
        "symlink_to": None,
        "has_hosts_toml": False,
        "files": [],
        "ca_certificates": [],
        "client_pairs": [],
    }


def _head(engine: Engine, path: str, name: str, findings: list[Finding]) -> dict[str, Any]:
    return {"engine": engine.name, "name": name, "path": path, "findings": [list(finding) for finding in findings]}


def _shadow(engine: Engine, root: str, name: str) -> list[Finding]:
    """Whether the engine finds another directory of this registry first."""
    places = engine.places(name, root)
    own = os.path.join(root, name)
    winner = next((place for place in places if os.path.isdir(place)), own)
    return [] if winner == own else [Finding("shadowed", own, f"{engine.name} reads {winner}")]


def _file_findings(path: str, file: File) -> list[Finding]:
    place = os.path.join(path, file.name)
    odd = oddity(path, file)
    findings = [odd] if odd else []
    if not file.suffix or file.content is None:
        return findings
    if file.suffix != ".key":
        return findings + _certificate_findings(place, normalise(_text(file)))
    if os.stat(place).st_mode & _OTHERS:
        findings.append(Finding("key-readable", place))
    more = extra_blocks(normalise(_text(file)))
    return findings + ([Finding("key-blocks", place, ", ".join(more))] if more else [])


def _certificate_findings(place: str, text: str) -> list[Finding]:
    """What the controller can't see, since certificates alone travel."""
    findings = [Finding("key-exposed", place)] if holds_private_key(text) else []
    if not certificates(text):
        findings.append(Finding("certificate-junk", place))
    elif is_cut_off(text):
        findings.append(Finding("certificate-junk", place, "a block in it is cut off or indented"))
    return findings


def _pair_findings(directory: HostDirectory) -> list[Finding]:
    """What is wrong between the two halves, by the node's own OpenSSL."""
    certificates_by_stem = {file.stem: file for file in directory.of_suffix(".cert")}
    keys = {file.stem: file for file in directory.of_suffix(".key")}
    findings = []
    for stem, file in {**keys, **certificates_by_stem}.items():
        place = os.path.join(directory.path, file.name)
        key, certificate = keys.get(stem), certificates_by_stem.get(stem)
        if key is None:
            findings.append(Finding("key-missing", place))
        elif certificate is None:
            findings.append(Finding("certificate-missing", place))
        elif key.content is not None and certificate.content is not None:
            fault = pair_fault(certificate.content, key.content)
            # A damaged certificate is judged by the controller, which sees it.
            if fault and fault != "certificate-junk":
                findings.append(Finding(fault, os.path.join(directory.path, key.name)))
    return findings


def _public(files: list[File], field: str) -> list[dict[str, str]]:
    """The certificates of files and nothing else of them: what is not one may be a key."""
    found = [(file.stem, [block.text for block in certificates(normalise(_text(file)))]) for file in files]
    return [{"name": stem, field: "\n".join(blocks) + "\n"} for stem, blocks in found if blocks]


def _text(file: File) -> str:
    return (file.content or b"").decode("utf-8", "replace")


def _file_as_data(file: File) -> dict[str, Any]:
    return {"name": file.name, "mode": f"{file.mode:04o}", "owner": file.owner, "group": file.group}
