# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pulls, each of an image that the engine does not have, and real pushes of one that it has."""

from __future__ import annotations

from typing import NamedTuple

from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES as KINDS
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, Run, ssh


class Client(NamedTuple):
    """A program that pulls: the engine whose host directories it reads, how it forgets and how it pulls `$image`, and
    how it pushes that as `$new`."""

    engine: str
    forget: str
    pull: str
    push: str = "false"


_DIRECTORIES = f"--hosts-dir {KINDS['containerd'].root}"
_DOCKERFILE = r"FROM %s\nLABEL pulled=yes\n"
CLIENTS = {
    "docker pull": Client(
        "docker",
        'docker image rm --force "$image"',
        'docker pull "$image"',
        'docker tag "$image" "$new" && docker push "$new"',
    ),
    # BuildKit keeps the certificates of a repository for minutes: it must be one that it has not seen.
    "docker build": Client("docker", "true", f"""printf '{_DOCKERFILE}' "$image" | docker build --no-cache -"""),
    "ctr": Client(
        "containerd",
        'ctr images remove --sync "$image"',
        f'ctr images pull {_DIRECTORIES} "$image"',
        f'ctr images tag "$image" "$new" && ctr images push {_DIRECTORIES} "$new"',
    ),
    "podman": Client(
        "containers",
        'podman image rm --force "$image"',
        'podman pull "$image"',
        'podman tag "$image" "$new" && podman push "$new"',
    ),
    "skopeo": Client(
        "containers",
        "rm -rf /tmp/pulled",
        'skopeo copy "docker://$image" dir:/tmp/pulled',
        'skopeo copy dir:/tmp/pulled "docker://$new"',
    ),
}


def pull(host: str, client: str, image: str) -> Run:
    """Whether it worked, and the engine's words."""
    program = CLIENTS[client]
    return ssh(ENGINES, host, f"image='{image}'; {program.forget} > /dev/null 2>&1; {program.pull}")


def push(host: str, client: str, image: str, new: str) -> Run:
    """Push an image that the engine has under a new name."""
    return ssh(ENGINES, host, f"image='{image}' new='{new}'; {CLIENTS[client].push}")
