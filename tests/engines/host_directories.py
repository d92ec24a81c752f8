# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laying a host directory for an engine."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence

from ansible_collections.fleet.certs_d.tests.engines.registry import Registry
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, ssh

ROOTS = {
    "docker": "/etc/docker/certs.d",
    "containers": "/etc/containers/certs.d",
    "containerd": "/etc/containerd/certs.d",
}
READERS_OF_HOSTS_TOML = ("docker", "containerd")


def lay_by_hand(host: str, engine: str, registry: Registry, pairs: Sequence[str], *, fallback: bool, name: str) -> str:
    """Lay the host directory `name` of an engine anew, with these pairs in their order, and return its path."""
    stems = [f"{10 * place}-{pair}" for place, pair in enumerate(pairs, 1)]
    files = {"ca.crt": registry.ca}
    for stem, pair in zip(stems, pairs, strict=True):
        issued = registry.pair(pair)
        files |= {f"{stem}.cert": issued.certificate, f"{stem}.key": issued.private_key}
    if fallback and engine in READERS_OF_HOSTS_TOML:
        files["hosts.toml"] = hosts_toml(name, stems)
    folder = f"{ROOTS[engine]}/{name}"
    lay_files(host, folder, files)
    return folder


def hosts_toml(name: str, stems: Sequence[str]) -> str:
    """A host table per pair, each another name for the same registry by its fragment; the last pair is the server's.

    Without `push` in the tables it is the last pair that pushes: a push is not tried again with the next one.
    """
    tables = [
        f'\n[host."https://{name}#{stem}"]\n'
        '  capabilities = ["pull", "resolve"]\n'
        '  ca = ["ca.crt"]\n'
        f'  client = [["{stem}.cert", "{stem}.key"]]\n'
        for stem in stems[:-1]
    ]
    last = f'server = "https://{name}"\nca = ["ca.crt"]\nclient = [["{stems[-1]}.cert", "{stems[-1]}.key"]]\n'
    return last + "".join(tables)


def lay_files(host: str, folder: str, files: Mapping[str, str]) -> None:
    """A directory of these files and no other."""
    line = f"rm -rf '{folder}' && mkdir -p '{folder}' && tar -xC '{folder}'"
    ssh(ENGINES, host, line, given=_archive(files)).good()


def _archive(files: Mapping[str, str]) -> bytes:
    """The files as a tar archive, keys for their owner alone."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as content:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            entry.mode = 0o600 if name.endswith(".key") else 0o644
            content.addfile(entry, io.BytesIO(text.encode()))
    return stream.getvalue()
