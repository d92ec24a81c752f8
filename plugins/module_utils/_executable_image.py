# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of one static executable: the same on any host and at any time."""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import struct
import tarfile
from typing import Any, Collection, Iterable, Iterator, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import pieces
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import (
    Image,
    InvalidImage,
    config_of,
    digest_of,
    manifest_of,
)

_FILE_NAME = re.compile(r"(?!\.\.?$)[^/\0]+")
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# e_machine of ELF, in the words of Go's GOARCH.
_ARCHITECTURES = {3: "386", 21: "ppc64le", 22: "s390x", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv64"}
_DYNAMIC_LOADER = 3


class _Entry(tarfile.TarInfo):
    """An entry whose header is the same with every Python: 3.8 fills the device numbers of files, 3.9 does not."""

    def tobuf(self, *args: Any, **kwargs: Any) -> bytes:
        header = bytearray(super().tobuf(*args, **kwargs))
        header[329:345] = b"0000000\0" * 2
        header[148:156] = b" " * 8
        header[148:155] = b"%06o\0" % sum(header)
        return bytes(header)


def image_of_executable(path: str, *, applets: Sequence[str]) -> Image:
    """The image that holds the executable at this path in /bin, and a link to it per applet."""
    name = os.path.basename(path)
    architecture = check_executable(path)
    _check_file_names(path, applets)
    digest, size = _measured(_layer(path, name, applets))
    settings = {"Cmd": [f"/bin/{'sh' if 'sh' in applets else name}"], "Env": [_PATH]}
    config = config_of(architecture=architecture, system="linux", settings=settings, layers=[digest])
    manifest = manifest_of(config, [(digest, size)])

    def read(digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        blobs: dict[str, Iterable[bytes]] = {digest_of(config): [config], digest: _layer(path, name, applets)}
        for each in digests:
            yield each, blobs[each]

    sizes = {digest: size, digest_of(config): len(config)}
    return Image(manifest.digest, {manifest.digest: manifest}, sizes, {digest_of(config): config}, read)


def check_executable(path: str) -> str:
    """The architecture of a static executable; InvalidImage where it is none, which then need not be run."""
    with open(path, "rb") as stream:
        if not os.fstat(stream.fileno()).st_size:
            raise InvalidImage(f"{path}: it is empty")
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            try:
                return _read_elf(content)
            except InvalidImage as reason:
                raise InvalidImage(f"{path}: {reason}") from None
            except (struct.error, IndexError):
                raise InvalidImage(f"{path}: it is a damaged ELF executable") from None


def _check_file_names(path: str, applets: Sequence[str]) -> None:
    wrong = [f"its applet {applet!r} is no file name" for applet in applets if not _FILE_NAME.fullmatch(applet)]
    if wrong:
        raise InvalidImage(f"{path}: {', '.join(wrong)}")


def _read_elf(content: mmap.mmap) -> str:
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


def _measured(stream: Iterable[bytes]) -> tuple[str, int]:
    """Digest and size of bytes that are not kept."""
    found, size = hashlib.sha256(), 0
    for piece in stream:
        found.update(piece)
        size += len(piece)
    return f"sha256:{found.hexdigest()}", size


def _layer(path: str, name: str, applets: Sequence[str]) -> Iterator[bytes]:
    """A tar archive of nothing but the arguments: no times, no owners, names in order."""
    size = 0
    for piece in _entries(path, name, applets):
        size += len(piece)
        yield piece
    # Two blocks of zeros end an archive, and more fill its last record.
    yield bytes(2 * tarfile.BLOCKSIZE + -(size + 2 * tarfile.BLOCKSIZE) % tarfile.RECORDSIZE)


def _entries(path: str, name: str, applets: Sequence[str]) -> Iterator[bytes]:
    for directory, mode in (("bin", 0o755), ("etc", 0o755)):
        yield _header(directory, mode=mode, kind=tarfile.DIRTYPE)
    with open(path, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        yield _header(f"bin/{name}", mode=0o755, kind=tarfile.REGTYPE, size=size)
        yield from pieces(stream)
        yield bytes(-size % tarfile.BLOCKSIZE)
    for applet in sorted(set(applets) - {name}):
        yield _header(f"bin/{applet}", mode=0o755, kind=tarfile.LNKTYPE, target=f"bin/{name}")
    yield from _small_file("etc/group", b"root:x:0:\n")
    yield from _small_file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    for directory, mode in (("root", 0o700), ("tmp", 0o1777)):
        yield _header(directory, mode=mode, kind=tarfile.DIRTYPE)


def _small_file(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, mode=0o644, kind=tarfile.REGTYPE, size=len(content))
    yield content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _header(name: str, *, mode: int, kind: bytes, target: str = "", size: int = 0) -> bytes:
    entry = _Entry(name)
    entry.mode, entry.type, entry.linkname, entry.size = mode, kind, target, size
    return entry.tobuf(tarfile.USTAR_FORMAT)
