# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as tests need them: small, made from a marker, as the files of a layout or of what `docker save` writes."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._image_source import image_at
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    TAR_LAYER,
    Image,
    digest_of,
)

Descriptor = dict[str, Any]
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
AMD64, ARM64 = 62, 183
LOAD, INTERPRETER = 1, 3


def elf(machine: int = AMD64, segment: int = LOAD) -> bytes:
    """A 64-bit little-endian ELF header with one program header."""
    header = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return header + struct.pack("<I", segment) + bytes(52)


def archive(files: Mapping[str, bytes], extra: Iterable[tarfile.TarInfo] = ()) -> bytes:
    """A tar archive of these files, and of other entries behind them."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
        for entry in extra:
            made.addfile(entry)
    return stream.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    """An entry without content."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def layer(marker: str) -> bytes:
    """A layer that has one file."""
    return archive({"marker": marker.encode()})


class Layout:
    """The files of an OCI layout, which grow with each image that is made in it."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self.list()

    def add(self, content: bytes, media_type: str, **further: Any) -> Descriptor:
        """A blob."""
        digest = digest_of(content)
        self.files[f"blobs/{digest.replace(':', '/')}"] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content), **further}

    def image(
        self,
        *markers: str,
        architecture: str = "amd64",
        media_type: str = OCI_MANIFEST,
        layer_type: str = "",
        config_type: str = "",
        **further: Any,
    ) -> Descriptor:
        """A manifest with a layer per marker; of docker's kind all of it is docker's, if nothing else is asked for."""
        is_docker = media_type == DOCKER_MANIFEST
        layer_type = layer_type or (DOCKER_LAYER if is_docker else TAR_LAYER)
        config_type = config_type or (DOCKER_CONFIG if is_docker else OCI_CONFIG)
        contents = [layer(each) for each in markers]
        config = {
            "architecture": architecture,
            "os": "linux",
            "created": "2024-02-03T04:05:06.789Z",
            "config": {"Cmd": ["/bin/true"], "Labels": {"marker": "-".join(markers)}},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(each) for each in contents]},
        }
        stored = [gzip.compress(each, mtime=0) if layer_type.endswith("gzip") else each for each in contents]
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "config": self.add(json.dumps(config).encode(), config_type),
            "layers": [self.add(each, layer_type) for each in stored],
        }
        return self.add(json.dumps(manifest, indent=1).encode(), media_type, **further)

    def index(self, *children: Descriptor, media_type: str = OCI_INDEX, **further: Any) -> Descriptor:
        """An index of manifests."""
        data = {"schemaVersion": 2, "mediaType": media_type, "manifests": children}
        return self.add(json.dumps(data, indent=2).encode(), media_type, **further)

    def list(self, *images: Descriptor) -> Layout:
        """What the layout says that it holds."""
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": images}).encode()
        return self

    def remove(self, descriptor: Descriptor) -> None:
        """Have the descriptor and not its bytes."""
        del self.files[f"blobs/{descriptor['digest'].replace(':', '/')}"]

    def damage(self, descriptor: Descriptor, content: bytes) -> None:
        """Have other bytes than the descriptor says."""
        self.files[f"blobs/{descriptor['digest'].replace(':', '/')}"] = content


def platform(architecture: str, **further: str) -> dict[str, Any]:
    """A platform as a descriptor has it."""
    return {"platform": {"os": "linux", "architecture": architecture, **further}}


def named(name: str) -> dict[str, Any]:
    """A name as a descriptor has it."""
    return {"annotations": {"org.opencontainers.image.ref.name": name}}


def multi_platform(layout: Layout, marker: str) -> Descriptor:
    """An index of two platforms, one of them docker's, with an attestation, and an index in it."""
    arm = layout.image(f"{marker}-arm", architecture="arm64", media_type=DOCKER_MANIFEST, **platform("arm64"))
    amd = layout.image(f"{marker}-amd", f"{marker}-top", layer_type=f"{TAR_LAYER}+gzip", **platform("amd64"))
    attestation = layout.image(f"{marker}-said", layer_type="application/vnd.in-toto+json", **platform("unknown"))
    attestation["platform"]["os"] = "unknown"
    return layout.index(arm, layout.index(amd), attestation)


def lay(path: Path, files: Mapping[str, bytes]) -> Path:
    """The files in a directory."""
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def pack(
    path: Path, files: Mapping[str, bytes], extra: Iterable[tarfile.TarInfo] = (), *, zipped: bool = False
) -> Path:
    """The files in an archive."""
    content = archive(files, extra)
    path.write_bytes(gzip.compress(content) if zipped else content)
    return path


def saved(path: Path, markers: Sequence[str], **changes: Any) -> Path:
    """What docker before 25 saves, with the layer that comes twice as a link."""
    files: dict[str, bytes] = {}
    links, names, seen = [], [], {}
    for number, marker in enumerate(markers):
        name = hashlib.sha256(f"{number}".encode()).hexdigest()
        names.append(f"{name}/layer.tar")
        if marker in seen:
            links.append(entry(f"{name}/layer.tar", tarfile.SYMTYPE, f"../{seen[marker]}/layer.tar"))
        else:
            seen[marker] = name
            files[f"{name}/layer.tar"] = layer(marker)
    diff_ids = [digest_of(layer(each)) for each in markers]
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    content = json.dumps(config).encode()
    config_name = f"{digest_of(content).split(':')[1]}.json"
    files[config_name] = content
    listed = {"Config": config_name, "RepoTags": ["busybox:1"], "Layers": names}
    files["manifest.json"] = json.dumps([{**listed, **changes}]).encode()
    return pack(path, files, links)


def image_of(path: Path, *markers: str, **options: Any) -> Image:
    """An image with a layer per marker, which is read from the disk."""
    layout = Layout()
    layout.list(layout.image(*markers, **options))
    return image_at(str(lay(path, layout.files)), reference=None)
