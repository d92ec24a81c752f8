# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PKI tree on the controller: what of it is meant for one host."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import LARGEST
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding, errors
from ansible_collections.fleet.certs_d.plugins.module_utils._names import (
    directory_name_findings,
    file_name_findings,
    shown,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise
from ansible_collections.fleet.certs_d.plugins.plugin_utils._layout import CaRoot, ClientPair, Registry, registry

_SUFFIXES = (".crt", ".cert", ".key")
_LEVELS = ("all", "groups", "hosts")
# Ansible Vault writes four bytes and some line ends for one; what is in it is measured when it has been decrypted.
_LARGEST_FILE = 5 * LARGEST


class Unreadable(Exception):
    """The reason why a file of the tree can't be read; never its content."""

    code = "unreadable"


class VaultLocked(Unreadable):
    """The file is encrypted with Ansible Vault, and no secret at hand opens it."""

    code = "vault-locked"


class Place(NamedTuple):
    """A host in its inventory: its name, its groups from the least to the most special, and who else is there.

    `known` are the names of all hosts and groups by level; none where they are not at hand.
    """

    host: str
    groups: Sequence[str] = ()
    known: Mapping[str, Container[str]] = MappingProxyType({})


def read_tree(
    root: str, place: Place, *, read_text: Callable[[str], str]
) -> tuple[tuple[Registry, ...], list[Finding]]:
    """Read what the tree holds for a host: `all`, then its groups, then itself, the later replacing files by name.

    A registry of which no file is meant for the host is not part of its layout. `read_text` gives the content of
    a file, or raises Unreadable with the reason.
    """
    if not os.path.isdir(root):
        return (), [Finding("tree-missing", shown(root))]
    misnamed = [level for level in _LEVELS if os.path.isdir(os.path.join(root, level))]
    if misnamed:
        detail = "this is the folder of one registry: the tree is the one above it"
        return (), [Finding("misplaced", shown(os.path.join(root, level)), detail) for level in misnamed]
    registries: list[Registry] = []
    findings: list[Finding] = []
    for directory in _registry_directories(root, findings):
        name = os.path.basename(directory)
        findings += directory_name_findings(name, shown(directory))
        try:
            files = _files_of_host(directory, place.groups, place.host)
            findings += [*_misplaced(directory), *_unknown(directory, place)]
        except OSError as error:
            findings.append(_unreadable(error, directory))
            continue
        found, faults = _Reader(read_text).read(name, files)
        findings += faults
        if files:
            registries.append(found)
    if not registries and not errors(findings):
        findings.append(Finding("tree-empty", shown(root), place.host))
    return tuple(registries), findings


class _Reader:
    """Turns the files of one registry into its model, and notes what is wrong with them."""

    def __init__(self, read_text: Callable[[str], str]) -> None:
        self._read_text = read_text
        self._findings: list[Finding] = []

    def read(self, name: str, files: dict[str, str]) -> tuple[Registry, list[Finding]]:
        contents = {file: self._content(file, path) for file, path in files.items()}
        roots = [
            CaRoot(name=_stem(file), content=content, source=shown(files[file]))
            for file, content in contents.items()
            if file.endswith(".crt") and content is not None
        ]
        stems = dict.fromkeys(_stem(file) for file in files if not file.endswith(".crt"))
        return registry(name, roots, [self._pair(stem, files, contents) for stem in stems]), self._findings

    def _pair(self, stem: str, files: dict[str, str], contents: dict[str, str | None]) -> ClientPair:
        certificate, key = f"{stem}.cert", f"{stem}.key"
        if key not in files:
            self._findings.append(Finding("key-missing", shown(files[certificate])))
        if certificate not in files:
            self._findings.append(Finding("certificate-missing", shown(files[key])))
        return ClientPair(
            name=stem,
            certificate=contents.get(certificate) or "",
            private_key=contents.get(key) or "",
            certificate_source=shown(files.get(certificate, "")),
            key_source=shown(files.get(key, "")),
        )

    def _content(self, file: str, path: str) -> str | None:
        """None where engines, or we, could not read the file; a finding then says so."""
        self._findings += file_name_findings(_stem(file), _suffix(file), shown(path))
        obstacle = _obstacle(path)
        if obstacle:
            self._findings.append(obstacle)
            return None
        try:
            return normalise(self._read_text(path))
        except Unreadable as error:
            self._findings.append(Finding(error.code, shown(path), str(error)))
            return None


def _obstacle(path: str) -> Finding | None:
    """Why a file is not even opened."""
    try:
        status = os.stat(path)
    except OSError as error:
        if os.path.islink(path) and not isinstance(error, PermissionError):
            return Finding("not-a-file", shown(path), "a symlink that leads nowhere")
        return _unreadable(error, path)
    if not stat.S_ISREG(status.st_mode):
        return Finding("not-a-file", shown(path))
    return Finding("too-large", shown(path)) if status.st_size > _LARGEST_FILE else None


def _files_of_host(directory: str, groups: Sequence[str], host: str) -> dict[str, str]:
    """The path of each file that is meant for the host, by file name."""
    levels = ["all", *(os.path.join("groups", group) for group in groups if _is_folder_name(group))]
    if _is_folder_name(host):
        levels.append(os.path.join("hosts", host))
    files: dict[str, str] = {}
    for level in levels:
        files.update(_material(os.path.join(directory, level)))
    return dict(sorted(files.items(), key=lambda item: os.fsencode(item[0])))


def _is_folder_name(name: str) -> bool:
    """A host or group may have any name; one that is no folder name has no level and leads nowhere else."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def _registry_directories(root: str, findings: list[Finding]) -> list[str]:
    try:
        return [path for path in (os.path.join(root, name) for name in _listing(root)) if os.path.isdir(path)]
    except OSError as error:
        findings.append(_unreadable(error, root))
        return []


def _unreadable(error: OSError, directory: str) -> Finding:
    return Finding("unreadable", shown(str(error.filename or directory)), error.strerror or "")


def _misplaced(directory: str) -> Iterator[Finding]:
    """Files beside the levels instead of in them, and levels that do not exist: nobody would ever get them."""
    places = ["", *(level for level in _LEVELS[1:] if os.path.isdir(os.path.join(directory, level)))]
    for place in places:
        for name in _material(os.path.join(directory, place)):
            yield Finding("misplaced", shown(os.path.join(directory, place, name)))
    for name in _listing(directory):
        path = os.path.join(directory, name)
        # A folder that is no level, or a level that is no folder.
        if os.path.isdir(path) != (name in _LEVELS) and not _suffix(name):
            yield Finding("misplaced", shown(path))
    for_all = os.path.join(directory, "groups", "all")
    if os.path.isdir(for_all):
        yield Finding("misplaced", shown(for_all), "the level all is for every host")


def _unknown(directory: str, place: Place) -> Iterator[Finding]:
    """Folders of hosts and groups that the inventory does not know: misspelt, or left from long ago."""
    for level, names in place.known.items():
        folder = os.path.join(directory, level)
        for name in _listing(folder) if os.path.isdir(folder) else []:
            path = os.path.join(folder, name)
            if name not in names and os.path.isdir(path):
                yield Finding("level-unknown", shown(path))


def _material(directory: str) -> dict[str, str]:
    """Path by name of all that engines would look into, hidden files too, because engines read them."""
    if not os.path.isdir(directory):
        return {}
    names = [name for name in os.listdir(directory) if _suffix(name)]
    return {name: os.path.join(directory, name) for name in sorted(names, key=os.fsencode)}


def _listing(directory: str) -> list[str]:
    return sorted((name for name in os.listdir(directory) if not name.startswith(".")), key=os.fsencode)


def _suffix(name: str) -> str:
    return next((suffix for suffix in _SUFFIXES if name.endswith(suffix)), "")


def _stem(name: str) -> str:
    return name.removesuffix(_suffix(name))
