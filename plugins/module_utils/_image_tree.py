# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An image as the static files of a v1 registry: built, planned and written."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import struct
import tarfile
import tempfile
from typing import Any, Mapping, NamedTuple, Sequence

_REPOSITORY = re.compile(r"(?:[a-z0-9_]{4,30}/)?[a-z0-9_.-]+")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_FILE_NAME = re.compile(r"(?!\.\.?$)[^/\0]+")
_EPOCH = "1970-01-01T00:00:00Z"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# e_machine of ELF, in the words of Go's GOARCH.
_ARCHITECTURES = {3: "386", 21: "ppc64le", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}
_DYNAMIC_LOADER = 3

Tree = Mapping[str, bytes]


class InvalidImage(ValueError):
    """The reason why no image can be made of what was given, or no tree be read."""


class _Entry(tarfile.TarInfo):
    """An entry whose header is the same with every Python: 3.8 fills the device numbers of files, 3.9 does not."""

    def tobuf(self, *args: Any, **kwargs: Any) -> bytes:
        header = bytearray(super().tobuf(*args, **kwargs))
        header[329:345] = b"0000000\0" * 2
        header[148:156] = b" " * 8
        header[148:155] = b"%06o\0" % sum(header)
        return bytes(header)


class Image(NamedTuple):
    """A one-layer image of v1: its id, its description and the tar archive of its layer."""

    id: str
    description: bytes
    layer: bytes

    @property
    def layer_digest(self) -> str:
        """The digest of the layer, with its algorithm."""
        return f"sha256:{hashlib.sha256(self.layer).hexdigest()}"


def check_names(*, repository: str, tag: str) -> None:
    """Raise InvalidImage unless v1 takes both names."""
    if not _REPOSITORY.fullmatch(repository) or set(os.path.basename(repository)) <= {"."}:
        raise InvalidImage(
            f"{repository!r} is no v1 repository: use NAME or NAMESPACE/NAME of lower-case letters, digits, "
            "'_', '-' and '.', with a namespace of 4 to 30 letters, digits and '_'"
        )
    if not _TAG.fullmatch(tag):
        raise InvalidImage(f"{tag!r} is no tag: use up to 128 letters, digits, '_', '.' and '-'")


def image_of_executable(content: bytes, *, name: str, applets: Sequence[str]) -> Image:
    """The image that holds one static executable in /bin, and a link to it per applet."""
    architecture = _architecture_of_static_executable(content)
    layer = _layer(content, name=name, applets=applets)
    config = {"Cmd": [f"/bin/{'sh' if 'sh' in applets else name}"], "Env": [_PATH]}
    description = {
        "architecture": architecture,
        "config": config,
        "container_config": config,
        "created": _EPOCH,
        "docker_version": "1.3.3",
        "os": "linux",
        "Size": len(content),
    }
    image_id = hashlib.sha256(_json(description) + hashlib.sha256(layer).digest()).hexdigest()
    return Image(image_id, _json({"id": image_id, **description}), layer)


def _architecture_of_static_executable(content: bytes) -> str:
    try:
        return _read_elf(content)
    except (struct.error, IndexError):
        raise InvalidImage("it is a damaged ELF executable") from None


def _read_elf(content: bytes) -> str:
    if content[:4] != b"\x7fELF":
        raise InvalidImage("it is not an ELF executable")
    wide, order = content[4] == 2, "<" if content[5] == 1 else ">"
    (machine,) = struct.unpack_from(order + "H", content, 18)
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), content, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", content, 54 if wide else 42)
    for index in range(count):
        (kind,) = struct.unpack_from(order + "I", content, table + index * size)
        if kind == _DYNAMIC_LOADER:
            raise InvalidImage("it is linked dynamically and would not run alone: install a static build of it")
    if machine not in _ARCHITECTURES:
        raise InvalidImage(f"its architecture (ELF machine {machine}) is not known")
    return _ARCHITECTURES[machine]


def _layer(content: bytes, *, name: str, applets: Sequence[str]) -> bytes:
    """A tar archive of nothing but the arguments: no times, no owners, names in order."""
    for applet in applets:
        if not _FILE_NAME.fullmatch(applet):
            raise InvalidImage(f"its applet {applet!r} is no file name")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for directory, mode in (("bin", 0o755), ("etc", 0o755)):
            archive.addfile(_entry(directory, mode=mode, kind=tarfile.DIRTYPE))
        _add_file(archive, f"bin/{name}", content, mode=0o755)
        for applet in sorted(set(applets) - {name}):
            archive.addfile(_entry(f"bin/{applet}", mode=0o755, kind=tarfile.LNKTYPE, target=f"bin/{name}"))
        _add_file(archive, "etc/group", b"root:x:0:\n", mode=0o644)
        _add_file(archive, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", mode=0o644)
        for directory, mode in (("root", 0o700), ("tmp", 0o1777)):
            archive.addfile(_entry(directory, mode=mode, kind=tarfile.DIRTYPE))
    return stream.getvalue()


def _add_file(archive: tarfile.TarFile, name: str, content: bytes, *, mode: int) -> None:
    entry = _entry(name, mode=mode, kind=tarfile.REGTYPE)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _entry(name: str, *, mode: int, kind: bytes, target: str = "") -> tarfile.TarInfo:
    entry = _Entry(name)
    entry.mode, entry.type, entry.linkname = mode, kind, target
    return entry


def wanted_files(image: Image, *, repository: str, tag: str, tags: Mapping[str, str]) -> dict[str, bytes]:
    """The files of the tree by their path, in the order in which they may appear before a client's eyes.

    `tags` are those that the repository has already: they stay.
    """
    all_tags = {**tags, tag: image.id}
    folder = f"v1/images/{image.id}"
    files = {
        f"{folder}/layer": image.layer,
        f"{folder}/json": image.description,
        f"{folder}/ancestry": _json([image.id]),
    }
    for spelling in _spellings(repository):
        files[f"v1/repositories/{spelling}/images"] = _json([{"id": each} for each in sorted(set(all_tags.values()))])
        files[f"v1/repositories/{spelling}/tags"] = _json(all_tags)
    files["v1/_ping"] = _json(True)
    return files


def _spellings(repository: str) -> Sequence[str]:
    """Old clients ask for `images` of a one-part name as it is, and for its `tags` below `library`."""
    return (repository,) if "/" in repository else (repository, f"library/{repository}")


def read_tags(root: str, repository: str) -> dict[str, str]:
    """The image ids by tag that the tree holds for a repository."""
    path = os.path.join(root, "v1/repositories", repository, "tags")
    try:
        with open(path, "rb") as stream:
            tags = json.loads(stream.read().decode())
    except FileNotFoundError:
        return {}
    except ValueError:
        tags = None
    if not isinstance(tags, dict) or not all(isinstance(each, str) for each in tags.values()):
        raise InvalidImage(f"{path} is not a JSON object of image ids by tag: remove it, the next run makes it anew")
    return tags


def read_digests(root: str, names: Sequence[str]) -> dict[str, str]:
    """The SHA-256 of those of the named files that exist."""
    found = {}
    for name in names:
        path = os.path.join(root, name)
        if os.path.isfile(path):
            with open(path, "rb") as stream:
                found[name] = hashlib.sha256(stream.read()).hexdigest()
    return found


def digests(files: Tree) -> dict[str, str]:
    """The SHA-256 of each file."""
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def listing(found: Mapping[str, str]) -> str:
    """Names and digests as lines, for a diff."""
    return "".join(f"{name} sha256:{digest}\n" for name, digest in sorted(found.items()))


def write_files(root: str, files: Tree) -> None:
    """Write each file beside its place, under a hidden name that no registry serves, and rename it."""
    for name, content in files.items():
        path = os.path.join(root, name)
        _make_directories(os.path.dirname(path))
        _replace(path, content)


def _make_directories(path: str) -> None:
    if not os.path.isdir(path):
        _make_directories(os.path.dirname(path))
        os.mkdir(path)
        # mkdir obeys the umask, the web server must be able to look in
        os.chmod(path, 0o755)


def _replace(path: str, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".certs_d.", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(descriptor, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
