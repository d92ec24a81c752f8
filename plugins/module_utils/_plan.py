# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must change in a host directory: a pure function of what is wanted and what was found."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import File, HostDirectory
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import DIRECTORY_MODE, WantedDirectory, WantedFile


class Owner(NamedTuple):
    """The user and the group that directory and files belong to."""

    user: int
    group: int


class Plan(NamedTuple):
    """The way from the found to the wanted host directory; `carried` are the unmanaged entries that stay."""

    path: str
    directory: WantedDirectory
    owner: Owner
    exists: bool
    changed: bool
    carried: tuple[str, ...]
    findings: tuple[Finding, ...]
    diff: dict[str, Any]


def plan(wanted: WantedDirectory, found: HostDirectory | None, *, path: str, owner: Owner, purge_files: bool) -> Plan:
    """Compare the two, entry by entry."""
    names = {file.name for file in wanted.files}
    unmanaged = [file for file in (found.files if found else ()) if file.name not in names]
    carried = () if purge_files else tuple(file.name for file in unmanaged)
    findings = tuple(Finding("unmanaged", os.path.join(path, name)) for name in carried)
    before = _found_lines(wanted, found)
    after = _wanted_lines(wanted, owner, [file for file in unmanaged if file.name in carried])
    changed = found is None or before != after
    diff = {"before_header": path, "after_header": path, "before": _text(before), "after": _text(after)}
    return Plan(path, wanted, owner, found is not None, changed, carried, findings, diff)


def _text(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _found_lines(wanted: WantedDirectory, found: HostDirectory | None) -> list[str]:
    if found is None:
        return []
    contents = {file.name: file.content for file in wanted.files}
    return [
        _line(".", found.mode, found.owner, found.group, "host directory"),
        *(_found_line(file, contents.get(file.name)) for file in found.files),
    ]


def _wanted_lines(wanted: WantedDirectory, owner: Owner, carried: list[File]) -> list[str]:
    lines = {file.name: _wanted_line(file, owner) for file in wanted.files}
    lines.update((file.name, _found_line(file, None)) for file in carried)
    head = _line(".", DIRECTORY_MODE, owner.user, owner.group, "host directory")
    return [head, *(lines[name] for name in sorted(lines, key=os.fsencode))]


def _wanted_line(file: WantedFile, owner: Owner) -> str:
    return _line(file.name, file.mode, owner.user, owner.group, _meaning(file.name, file.content))


def _found_line(file: File, wanted: bytes | None) -> str:
    meaning = _meaning(file.name, file.content)
    if wanted is not None and file.content != wanted and meaning == _meaning(file.name, wanted):
        meaning += ", spelled otherwise" if not file.name.endswith(".key") else ", not the one that is wanted"
    return _line(file.name, file.mode, file.owner, file.group, meaning)


def _line(name: str, mode: int, user: int, group: int, meaning: str) -> str:
    return f"{name} {mode:04o} {user}:{group} {meaning}"


def _meaning(name: str, content: bytes | None) -> str:
    """What the file holds, in words that never quote it: names, fingerprints and dates."""
    if content is None:
        return "no regular file"
    if name.endswith(".key"):
        return "private key"
    if not name.endswith((".crt", ".cert")):
        return "not read by engines"
    try:
        found = read_certificates(normalise(content.decode("utf-8", "replace")))
    except InvalidCertificate:
        return "no certificate"
    return "; ".join(
        f"{each.subject} sha256 {each.fingerprint} until {each.not_after:%Y-%m-%dT%H:%M:%SZ}" for each in found
    )
