# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small tree of images, laid as the registry serves it: store/, v1/ and v2/."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import NamedTuple

MANIFEST = "vnd.oci.image.manifest.v1+json"


class Image(NamedTuple):
    """What an image of one layer is found by."""

    name: str
    layer: bytes
    manifest: bytes
    v1_id: str

    @property
    def layer_digest(self) -> str:
        return digest(self.layer)

    @property
    def manifest_digest(self) -> str:
        return digest(self.manifest)


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def lay_image(root: Path, name: str, layer: bytes, *, parent: str = "") -> Image:
    """Lay an image as `latest` of a repository, for v1 and v2; in v1 it may have a parent."""
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"application/{MANIFEST}",
            "config": _described(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [_described(layer, "application/vnd.oci.image.layer.v1.tar")],
        }
    ).encode()
    image = Image(name, layer, manifest, hashlib.sha256(name.encode() + layer).hexdigest())
    for blob in (config, layer):
        _write(root / "store/blobs" / digest(blob), blob)
        _link(root / "v2" / name / "blobs" / digest(blob), root / "store/blobs" / digest(blob))
    stored = root / "store/manifests" / MANIFEST / digest(manifest)
    _write(stored, manifest)
    for reference in ("latest", digest(manifest)):
        _link(root / "v2" / name / "manifests" / reference, stored)
    _write(root / "v2" / name / "tags/list", json.dumps({"name": name, "tags": ["latest"]}).encode())
    repositories = {*_catalog(root), name}
    _write(root / "v2/_catalog", json.dumps({"repositories": sorted(repositories)}).encode())
    _lay_v1(root, image, parent)
    return image


def _lay_v1(root: Path, image: Image, parent: str) -> None:
    _write(root / "v1/_ping", b"true")
    for spelling in (image.name,) if "/" in image.name else (image.name, f"library/{image.name}"):
        _write(root / "v1/repositories" / spelling / "images", json.dumps([{"id": image.v1_id}]).encode())
        _write(root / "v1/repositories" / spelling / "tags", json.dumps({"latest": image.v1_id}).encode())
    folder = root / "v1/images" / image.v1_id
    _write(folder / "json", json.dumps({"id": image.v1_id}).encode())
    _write(folder / "ancestry", json.dumps([image.v1_id, *filter(None, [parent])]).encode())
    _link(folder / "layer", root / "store/blobs" / image.layer_digest)


def _catalog(root: Path) -> list[str]:
    catalog = root / "v2/_catalog"
    return list(json.loads(catalog.read_text())["repositories"]) if catalog.exists() else []


def _described(blob: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(blob), "digest": digest(blob)}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(os.path.relpath(target, path.parent))
