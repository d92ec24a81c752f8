# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From what is found to what is wanted: steps, findings and a diff that quotes no key."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils import _hosts_toml as hosts_toml
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    TIME_FORMAT,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import File, HostDirectory, oddity
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import DIRECTORY_MODE, WantedDirectory, WantedFile

# No engine takes a hidden name for a host directory, since no registry name begins with a dot.
STAGE_PREFIX = ".fleet-certs-d."


class Owner(NamedTuple):
    """The user and the group that directory and files belong to."""

    user: int
    group: int


class Plan(NamedTuple):
    """The way from the found to the wanted host directory; `carried` are the unmanaged entries that stay.

    The diff is empty where nothing changes: most runs change nothing, and need read no certificate for it.
    """

    path: str
    directory: WantedDirectory
    owner: Owner
    found: HostDirectory | None
    changed: bool
    carried: tuple[str, ...]
    findings: tuple[Finding, ...]
    diff: dict[str, Any]

    @property
    def exists(self) -> bool:
        """Whether there is something in the way of what is wanted."""
        return self.found is not None

    @property
    def root(self) -> str:
        """The directory that holds the host directory."""
        return os.path.dirname(self.path)


def plan(wanted: WantedDirectory, found: HostDirectory | None, *, path: str, owner: Owner, purge_files: bool) -> Plan:
    """Compare the two, entry by entry."""
    unmanaged = _unmanaged(wanted, found)
    carried = [] if purge_files else [file for file in unmanaged if not _is_ours(file)]
    changed = not _is_as_wanted(wanted, found, owner, carried)
    return Plan(
        path=path,
        directory=wanted,
        owner=owner,
        found=found,
        changed=changed,
        carried=tuple(file.name for file in carried),
        findings=tuple(_findings(path, found, carried)),
        diff=_diff(path, wanted, found, owner, carried) if changed else {},
    )


def _unmanaged(wanted: WantedDirectory, found: HostDirectory | None) -> list[File]:
    """What lies there beside the wanted files. What lies behind a symlink is somebody else's and stays there."""
    if found is None or found.link or not wanted.is_present:
        return []
    names = {file.name for file in wanted.files}
    return [file for file in found.files if file.name not in names]


def _is_ours(file: File) -> bool:
    """What this collection has made and wants no more: the rest of a killed run, a hosts.toml without the fallback."""
    made = file.name == hosts_toml.NAME and (file.content or b"").startswith(hosts_toml.MARK.encode())
    return made or file.name.startswith(STAGE_PREFIX)


def _findings(path: str, found: HostDirectory | None, carried: list[File]) -> list[Finding]:
    linked = [Finding("linked-directory", path, f"to {found.link}")] if found and found.link else []
    return linked + [oddity(path, file) or _unmanaged_finding(path, file) for file in carried]


def _unmanaged_finding(path: str, file: File) -> Finding:
    return Finding("unmanaged", os.path.join(path, file.name), "engines read it" if file.suffix else "")


def _is_as_wanted(wanted: WantedDirectory, found: HostDirectory | None, owner: Owner, carried: list[File]) -> bool:
    if found is None or not wanted.is_present:
        return found is None and not wanted.is_present
    files = [*(File(file.name, file.content, file.mode, *owner) for file in wanted.files), *carried]
    in_order = tuple(sorted(files, key=lambda file: os.fsencode(file.name)))
    return found == HostDirectory(found.path, DIRECTORY_MODE, *owner, in_order)


def _diff(
    path: str, wanted: WantedDirectory, found: HostDirectory | None, owner: Owner, carried: list[File]
) -> dict[str, str]:
    before = _found_lines(wanted, found)
    after = _wanted_lines(wanted, owner, carried) if wanted.is_present else []
    return {"before_header": path, "after_header": path, "before": _text(before), "after": _text(after)}


def _text(lines: list[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _found_lines(wanted: WantedDirectory, found: HostDirectory | None) -> list[str]:
    if found is None:
        return []
    if found.link:
        return [f". symlink to {found.link}"]
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
    meaning = "too large to be read" if file.obstacle == "too-large" else _meaning(file.name, file.content)
    if file.is_link:
        meaning += ", behind a symlink"
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
        return "which client pair comes after which" if name == hosts_toml.NAME else "not read by engines"
    try:
        found = read_certificates(normalise(content.decode("utf-8", "replace")))
    except InvalidCertificate:
        return "no certificate"
    return "; ".join(
        f"{each.subject} sha256 {each.fingerprint} until {each.not_after.strftime(TIME_FORMAT)}" for each in found
    )
