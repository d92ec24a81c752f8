# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the engines of a node, with the code that the module runs there."""

from __future__ import annotations

import base64
import functools
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, REGISTRY, ssh

UNKNOWN = "fleet-certs-d/none:none"
_PROGRAM = Path(__file__).with_name("node_asking.py")
_FOLDER = "/root/asking"
# Images and blobs of every engine, one per line.
_KEPT = """
docker image ls --all --quiet --no-trunc
podman image ls --all --quiet --no-trunc 2> /dev/null
for namespace in default moby; do ctr -n $namespace images ls -q; ctr -n $namespace content ls -q; done
ls /var/lib/docker/image/overlay2/distribution/*/* 2> /dev/null
"""


class Client(NamedTuple):
    """A program that is asked: the engine whose host directories it reads, and what must be missing for it."""

    engine: str
    without: tuple[str, ...] = ()


CLIENTS = {
    "docker": Client("docker"),
    "skopeo": Client("containers"),
    "podman": Client("containers", without=("skopeo",)),
    "ctr": Client("containerd"),
}


class Told(NamedTuple):
    """What the engine's answer tells; the seconds are those of all that was done."""

    client: str | None
    status: int | None
    error: str
    why: str | None
    store: str | None
    seconds: float


def ask(
    host: str,
    client: str,
    path: str,
    *,
    image: str = UNKNOWN,
    name: str = REGISTRY,
    timeout: float = 20,
    without: Sequence[str] = (),
    hangs: int = 0,
) -> Told:
    """Ask the node's engine that reads this host directory."""
    _ship(host)
    question = {
        "engine": CLIENTS[client].engine,
        "registry": name,
        "image": image,
        "path": path,
        "timeout": timeout,
        "without": [*CLIENTS[client].without, *without],
        "hangs": hangs,
    }
    line = f"PYTHONDONTWRITEBYTECODE=1 PYTHONPATH={_FOLDER} python3 {_FOLDER}/{_PROGRAM.name}"
    told = json.loads(ssh(ENGINES, host, line, given=json.dumps(question)).good())
    asked: dict[str, Any] = told["asked"] or {"client": None, "status": None, "error": None}
    return Told(
        asked["client"], asked["status"], asked["error"] or "", told["asked_why"], told["store"], told["seconds"]
    )


def kept(host: str) -> set[str]:
    """All that the engines of a node have stored."""
    return set(ssh(ENGINES, host, _KEPT).output.split())


@functools.cache
def _ship(host: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(_PROGRAM, _PROGRAM.name)
        for file in (PROJECT / "plugins/module_utils").glob("*.py"):
            archive.add(file, f"ansible_collections/fleet/certs_d/plugins/module_utils/{file.name}")
    given = base64.b64encode(content.getvalue()).decode()
    line = f"rm -rf {_FOLDER}; mkdir {_FOLDER}; base64 --decode | tar --extract --gzip --directory {_FOLDER}"
    ssh(ENGINES, host, line, given=given).good()
