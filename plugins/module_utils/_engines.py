# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container engines: where each looks for host directories, and what it makes of them."""

from __future__ import annotations

import os
from typing import NamedTuple

DEFAULT_DIRECTORY = "_default"
_IPV6 = (
    "of an IPv6 literal containerd 2 and docker 28.5 with the containerd image store try pair after pair; older ones "
    "present the first pair that fits"
)


class Engine(NamedTuple):
    """What tells one kind of engine from another; the way to a laid host directory is the same for all.

    `user_root` lies below the home directory of a user whose engine runs rootless, None where none is read.
    `later_roots` are looked into where `root` has no host directory of a registry: the first that has one wins.
    `hosts_toml` tells when a host directory gets that file: never, always, or for the fallback alone.
    `keeps_fallback` is None where it depends on the engine's version, `fallback` tells on what.
    """

    name: str
    root: str
    user_root: str | None
    later_roots: tuple[str, ...]
    hosts_toml: str
    keeps_fallback: bool | None
    fallback: str

    def places(self, registry: str, root: str) -> list[str]:
        """The directories in which the engine looks for the registry's certificates; the first that exists wins."""
        host, colon, port = registry.rpartition(":")
        spelled = [f"{host}_{port}_"] if colon and self.hosts_toml != "never" and not port.endswith("]") else []
        further = self.later_roots if root == self.root else ()
        return [os.path.join(root, name) for name in [*spelled, registry]] + [
            os.path.join(each, registry) for each in further
        ]

    def writes_hosts_toml(self, registry: str, *, fallback: bool) -> bool:
        """Whether the host directory of this registry gets a hosts.toml.

        `_default` has no URL to write there. Of an IPv6 literal containerd 1.6 and 1.7 can't read it, so that it is
        written only where nothing else will do.
        """
        wanted = fallback or (self.hosts_toml == "always" and not _is_ipv6(registry))
        return wanted and self.hosts_toml != "never" and registry != DEFAULT_DIRECTORY

    def fallback_of(self, registry: str) -> tuple[bool | None, str]:
        """Whether the engine tries pair after pair of this registry, and which of its versions do."""
        if self.keeps_fallback is not False and registry == DEFAULT_DIRECTORY:
            return False, "_default names no registry, which hosts.toml would have to"
        if self.keeps_fallback is not False and _is_ipv6(registry):
            return None, _IPV6
        return self.keeps_fallback, self.fallback


def _is_ipv6(registry: str) -> bool:
    return registry.startswith("[")


# docker: https://docs.docker.com/engine/security/certificates/ (1.2.0 and later), rootless ~/.config/docker.
# containers: podman, skopeo, buildah, CRI-O: containers-certs.d(5).
# containerd: https://github.com/containerd/containerd/blob/main/docs/hosts.md (1.6 and later; docker's root since 2.2).
ENGINES = {
    engine.name: engine
    for engine in (
        Engine(
            "docker",
            "/etc/docker/certs.d",
            ".config/docker/certs.d",
            (),
            "fallback",
            None,
            "dockerd with the containerd image store tries pair after pair (docker 28.5 and later); with the classic "
            "store it presents the first pair that fits",
        ),
        Engine(
            "containers",
            "/etc/containers/certs.d",
            ".config/containers/certs.d",
            ("/etc/docker/certs.d",),
            "never",
            False,
            "podman, skopeo, buildah and CRI-O present the first pair that fits, and no other",
        ),
        Engine(
            "containerd",
            "/etc/containerd/certs.d",
            None,
            ("/etc/docker/certs.d",),
            "always",
            True,
            "containerd tries pair after pair (1.6 and later)",
        ),
    )
}


def root_of(engine: Engine, path: str | None, home: str | None) -> str:
    """The root that is meant: the path where one is given, else the engine's own in that home or of the system."""
    if path is not None:
        return path
    return engine.root if home is None else os.path.join(home, engine.user_root or "")
