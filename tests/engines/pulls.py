# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pulls, each of an image that the engine does not have."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.fleet.certs_d.tests.engines.host_directories import ROOTS
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, Run, ssh


class Client(NamedTuple):
    """A program that pulls: the engine whose host directories it reads, how it forgets and how it pulls `$image`."""

    engine: str
    forget: str
    pull: str


_DIRECTORIES = f"--hosts-dir {ROOTS['containerd']}"
_DOCKERFILE = r"FROM %s\nLABEL pulled=yes\n"
CLIENTS = {
    "docker pull": Client("docker", 'docker image rm --force "$image"', 'docker pull "$image"'),
    # BuildKit keeps the certificates of a repository for minutes: it must be one that it has not seen.
    "docker build": Client("docker", "true", f"""printf '{_DOCKERFILE}' "$image" | docker build --no-cache -"""),
    "ctr": Client("containerd", 'ctr images remove --sync "$image"', f'ctr images pull {_DIRECTORIES} "$image"'),
    "podman": Client("containers", 'podman image rm --force "$image"', 'podman pull "$image"'),
    "skopeo": Client("containers", "rm -rf /tmp/pulled", 'skopeo copy "docker://$image" dir:/tmp/pulled'),
}


def pull(host: str, client: str, image: str) -> Run:
    """Whether it worked, and the engine's words."""
    program = CLIENTS[client]
    return ssh(ENGINES, host, f"image='{image}'; {program.forget} > /dev/null 2>&1; {program.pull}")


def push(host: str, client: str, image: str, new: str) -> Run:
    """Push an image that the engine has under a new name."""
    program, option = ("ctr images", _DIRECTORIES) if client == "ctr" else ("docker", "")
    return ssh(ENGINES, host, f"{program} tag '{image}' '{new}' && {program} push {option} '{new}'")
