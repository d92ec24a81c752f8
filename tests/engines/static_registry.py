# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role's registry of static files: what is put into its tree, and what it has logged."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import secrets
import tarfile
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.tests.engines.registry import HOST, MANIFEST, Answer, Registry, image_of
from ansible_collections.fleet.certs_d.tests.fleet.running import ENGINES, PROJECT, run, ssh, tool

NAME = "registry.lab:5500"
PLAYBOOK = Path(__file__).with_name("static_registry.yml")
_ROOT = "/srv/static-registry"
_LOGS = tuple(f"/var/log/apache2/certs-d-registry.lab_5500_{kind}.log" for kind in ("access", "error"))
_SOURCE = "/srv/image-source"
_INDEX = "application/vnd.oci.image.index.v1+json"


class StaticRegistry:
    """A second registry on the host of the first, which knows the same clients."""

    def __init__(self, clients: Registry) -> None:
        self.clients = clients

    def put(self, repository: str, archive: bytes) -> dict[str, Any]:
        """Put the image of an archive into the tree; what the module tells of it."""
        ssh(ENGINES, HOST, f"base64 -d > {_SOURCE}", given=base64.b64encode(archive).decode()).good()
        arguments = {"path": _ROOT, "repository": repository, "source": _SOURCE}
        said = run(
            tool("ansible"),
            *(HOST, "-i", ENGINES, "-m", "fleet.certs_d.image_tree", "-a", json.dumps(arguments)),
            ANSIBLE_COLLECTIONS_PATH=str(PROJECT.parents[2]),
        ).good()
        told, _end = json.JSONDecoder().raw_decode(said, said.index(" => {") + len(" => "))
        return dict(told)

    def new_image(self) -> str:
        """The repository of an image for two platforms that nobody has, not a single blob of it."""
        name = secrets.token_hex(8)
        archive, _digests = archive_of_platforms(name)
        self.put(name, archive)
        return name

    def forget_log(self) -> None:
        """What is logged from now on is told by `log`."""
        ssh(ENGINES, HOST, f"truncate --size 0 {' '.join(_LOGS)}").good()

    def log(self) -> list[Answer]:
        """What was answered, in the order of time."""
        return self.clients.answers_in(*_LOGS)


def saved(host: str, command: str) -> bytes:
    """The archive that a command on a node writes to its standard output."""
    return base64.b64decode(ssh(ENGINES, host, f"set -o pipefail; {{ {command}; }} | base64").good())


def archive_of_platforms(marker: str) -> tuple[bytes, dict[str, str]]:
    """An OCI archive whose image is for two platforms, and the digest of the config of each; `index` is the whole."""
    images = {
        architecture: image_of(f"{marker}-{architecture}", architecture=architecture)
        for architecture in ("amd64", "arm64")
    }
    index = _json(
        schemaVersion=2,
        mediaType=_INDEX,
        manifests=[
            {**_described(image.manifest, MANIFEST), "platform": {"os": "linux", "architecture": architecture}}
            for architecture, image in images.items()
        ],
    )
    blobs = [index, *(blob for image in images.values() for blob in (image.layer, image.config, image.manifest))]
    entry = _json(schemaVersion=2, manifests=[_described(index, _INDEX)])
    files = {"oci-layout": _json(imageLayoutVersion="1.0.0"), "index.json": entry}
    files.update({f"blobs/sha256/{_hex(blob)}": blob for blob in blobs})
    digests = {architecture: f"sha256:{_hex(image.config)}" for architecture, image in images.items()}
    return _tar(files), {**digests, "index": f"sha256:{_hex(index)}"}


def _tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _described(blob: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "size": len(blob), "digest": f"sha256:{_hex(blob)}"}


def _hex(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def _json(**data: Any) -> bytes:
    return json.dumps(data).encode()
