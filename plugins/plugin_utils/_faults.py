# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which findings of a host directory stop whom: measured with the real programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML

# Who reads a host directory: the loop of the document (docker 1.2.0 to 1.3.3), dockerd with the classic image store
# (1.4 and later), containers/image (podman, skopeo, buildah, CRI-O), and the resolver of containerd, which dockerd has,
# too, with the containerd image store (28.5 and later).
_ALL = frozenset({"documented", "classic", "containers", "containerd"})
_DOCKER_STYLE = _ALL - {"containerd"}
# By the finding's code and the suffix of the file it speaks of; what stands in no row stops nobody.
_STOPPED: dict[tuple[str, str], frozenset[str]] = {
    ("key-missing", ".cert"): _ALL,
    ("certificate-missing", ".key"): _DOCKER_STYLE,
    ("not-a-file", ".crt"): _DOCKER_STYLE,
    ("not-a-file", ".cert"): _DOCKER_STYLE,
    # Of a `.key` that has no `.cert` beside it containerd's resolver never hears: _effective knows what lies there.
    ("not-a-file", ".key"): _ALL,
    ("dangling-link", ".crt"): _ALL - {"containers"},
    ("dangling-link", ".cert"): _ALL,
    ("dangling-link", ".key"): _ALL,
    ("certificate-junk", ".crt"): frozenset({"containerd"}),
    ("not-a-file", HOSTS_TOML): frozenset({"containerd"}),
    # What was too large to be read is taken for junk.
    ("too-large", ".crt"): frozenset({"containerd"}),
    ("too-large", HOSTS_TOML): frozenset({"containerd"}),
}
# Whatever else is wrong with a pair stops everybody; of a CA root nothing else does.
_PAIR_SUFFIXES = (".cert", ".key")


def faults_for(reader: str, findings: Iterable[Mapping[str, Any]], among: Iterable[str] | None = None) -> list[str]:
    """The sentences of those findings that keep the reader from sending anything.

    `among` are the names of the files that the reader opens, by default all.
    """
    opened = None if among is None else set(among)
    return [
        finding["message"]
        for finding in findings
        if finding["severity"] == "error"
        and (opened is None or file_of(finding) in opened or not _suffix(finding))
        and reader in _stopped(finding)
    ]


def _stopped(finding: Mapping[str, Any]) -> frozenset[str]:
    suffix = _suffix(finding)
    otherwise = _ALL if suffix in _PAIR_SUFFIXES or not suffix else frozenset()
    return _STOPPED.get((finding["code"], suffix), otherwise)


def file_of(finding: Mapping[str, Any]) -> str:
    """The name of the file that the finding speaks of."""
    return str(finding["place"]).rpartition("/")[2]


def _suffix(finding: Mapping[str, Any]) -> str:
    """The suffix of the file; empty where the finding speaks of the registry's name or of the directory."""
    name = "" if finding["code"] == "registry-name" else file_of(finding)
    return next((suffix for suffix in (".crt", *_PAIR_SUFFIXES, HOSTS_TOML) if name.endswith(suffix)), "")
