# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host directory of certs.d as it lies on the disk, and as a client reads it."""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import holds_certificate
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._disk import TooLarge, read_regular_file
from ansible_collections.fleet.certs_d.plugins.module_utils._findings import Finding
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise

SUFFIXES = (".crt", ".cert", ".key")
# What ansible.builtin.copy and its like lay beside their target while they work.
_LEFTOVER_PREFIX = ".ansible_tmp"


class File(NamedTuple):
    """One entry of a host directory; `content` is None where `obstacle` is the code of why it was not read.

    The mode is that of the entry itself, the content is what stands behind it: clients follow symlinks.
    """

    name: str
    content: bytes | None
    mode: int
    owner: int
    group: int
    is_link: bool = False
    obstacle: str = ""

    @property
    def suffix(self) -> str:
        """The suffix that makes a client look into the file, empty where none does; case matters."""
        return next((suffix for suffix in SUFFIXES if self.name.endswith(suffix)), "")

    @property
    def stem(self) -> str:
        """The name without that suffix."""
        return self.name[: len(self.name) - len(self.suffix)]


class HostDirectory(NamedTuple):
    """All entries of one host directory, in the order of the bytes of their names; `link` is where a symlink leads."""

    path: str
    mode: int
    owner: int
    group: int
    files: tuple[File, ...]
    link: str = ""

    def of_suffix(self, suffix: str) -> list[File]:
        """The entries that end so, in the order in which a client reads them."""
        return [file for file in self.files if file.suffix == suffix]


def read_host_directory(path: str) -> HostDirectory | None:
    """Read a host directory whole, with one look at each entry; None where there is none.

    A symlink that leads nowhere is a directory with nothing in it, in the way of a real one.
    """
    link = os.readlink(path) if os.path.islink(path) else ""
    try:
        status = os.stat(path)
        names = sorted(os.listdir(path), key=os.fsencode)
    except FileNotFoundError:
        return HostDirectory(path, 0, 0, 0, (), link) if link else None
    read = (_read_file(path, name) for name in names)
    files = tuple(file for file in read if file is not None)
    return HostDirectory(path, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, files, link)


def host_directory_names(root: str) -> list[str]:
    """The names of all host directories below a certs.d root, hidden ones left out, in byte order."""
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return []
    visible = [name for name in names if not name.startswith(".") and os.path.isdir(os.path.join(root, name))]
    return sorted(visible, key=os.fsencode)


def oddity(path: str, file: File) -> Finding | None:
    """What a reader would overlook in an entry that engines read, for the entry alone."""
    if not file.suffix:
        return None
    place = os.path.join(path, file.name)
    if file.obstacle:
        return Finding(file.obstacle, place)
    if file.name.startswith(_LEFTOVER_PREFIX):
        return Finding("leftover", place)
    return Finding("hidden-file", place) if file.name.startswith(".") else None


def engine_faults(directory: HostDirectory) -> list[Finding]:
    """Everything that makes one engine or another give up before its first request; which one is no matter of the node.

    Engines read the whole directory first: one bad pair anywhere stops every request, even when an earlier pair is
    sound.
    """
    files = {file.name: file for file in directory.files}
    findings: list[Finding] = []
    for file in directory.files:
        if file.suffix:
            findings += _faults_of_file(directory.path, file, files)
        elif file.name == HOSTS_TOML and file.obstacle not in ("", "dangling-link"):
            findings.append(Finding(file.obstacle, os.path.join(directory.path, file.name)))
    return findings


def _faults_of_file(path: str, file: File, files: dict[str, File]) -> list[Finding]:
    place = os.path.join(path, file.name)
    if file.content is None:
        return [Finding(file.obstacle, place)]
    if file.suffix == ".key":
        return [] if file.stem + ".cert" in files else [Finding("certificate-missing", place)]
    if file.suffix == ".crt":
        is_root = holds_certificate(normalise(file.content.decode("utf-8", "replace")))
        return [] if is_root else [Finding("certificate-junk", place)]
    key = files.get(file.stem + ".key")
    if key is None:
        return [Finding("key-missing", place)]
    fault = None if key.content is None else pair_fault(file.content, key.content)
    return [Finding(fault, place)] if fault else []


def _read_file(directory: str, name: str) -> File | None:
    """None where the entry has gone since it was listed: somebody is exchanging files."""
    path = os.path.join(directory, name)
    try:
        status = os.lstat(path)
        content, obstacle = _content(path)
    except FileNotFoundError:
        return None
    return File(
        name,
        content,
        stat.S_IMODE(status.st_mode),
        status.st_uid,
        status.st_gid,
        is_link=stat.S_ISLNK(status.st_mode),
        obstacle=obstacle,
    )


def _content(path: str) -> tuple[bytes | None, str]:
    """The content, or None and the code of the finding that says why."""
    try:
        content = read_regular_file(path)
    except TooLarge:
        return None, "too-large"
    if content is not None:
        return content, ""
    return None, "not-a-file" if os.path.exists(path) else "dangling-link"
