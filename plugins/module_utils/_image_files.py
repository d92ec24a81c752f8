# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an image's source, a directory or a tar archive, each read from its first byte to its last.

Nothing is unpacked: names of foreign origin never become paths on the disk, and no file is held as a whole unless it
is a document.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import posixpath
import stat
import tarfile
import zlib
from typing import IO, Collection, Iterable, Iterator, NamedTuple, Protocol, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import DOCUMENT_LIMIT, InvalidImage

PIECE = 1024 * 1024
_MOST_ENTRIES = 100_000
_MOST_DOCUMENTS = 16 * DOCUMENT_LIMIT
_DEEPEST = 16
_MOST_HOPS = 8
_GZIP = b"\x1f\x8b"
_UNREADABLE = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_DAMAGE = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, OverflowError)


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, none at the end."""


class Files(Protocol):
    """What both kinds of source can tell."""

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with names that nobody need ask for."""

    def fault(self, name: str) -> str:
        """Why there is no such file, empty where there is one; the rest may then be asked."""

    def size(self, name: str) -> int:
        """Its bytes."""

    def digest(self, name: str) -> str:
        """The digest of its bytes."""

    def document(self, name: str) -> bytes | None:
        """All of its bytes, if they can be those of a JSON document that is not too large."""

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        """These files, one after the other in the order of the source; one that is there twice may come once."""


def files_at(path: str) -> Files:
    """The files of a source of whichever kind; InvalidImage where it can't be read to its end."""
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        return Directory(path)
    if stat.S_ISREG(mode):
        return Archive(path)
    raise InvalidImage("it is neither a directory nor an archive")


def pieces(stream: Readable) -> Iterator[bytes]:
    """The bytes of a stream."""
    while True:
        piece = stream.read(PIECE)
        if not piece:
            return
        yield piece


def _inner_name(name: str) -> str:
    """The name as the archive's root sees it; it begins with `..` where it leads out of it."""
    return posixpath.normpath(name).lstrip("/") if name.startswith("/") else posixpath.normpath(name)


def _leads_out(name: str) -> bool:
    return name.startswith("/") or "\0" in name or _inner_name(name).split("/")[0] == ".."


class _Entry(NamedTuple):
    """What was seen of a file when it was read, once."""

    size: int
    digest: str
    document: bytes | None


class Directory:
    """An unpacked layout. Files are looked at when they are asked for: many images may share it."""

    def __init__(self, path: str) -> None:
        self.problems: Sequence[str] = ()
        self._path = path
        self._root = os.path.realpath(path)
        self._entries: dict[str, _Entry] = {}

    def fault(self, name: str) -> str:
        if _leads_out(name):
            return "leads out of the directory"
        path = self._place(name)
        real = os.path.realpath(path)
        if not real.startswith(os.path.join(self._root, "")):
            return "is a link that leads out of the directory"
        if not os.path.lexists(real):
            return "is missing"
        return "" if os.path.isfile(real) else "is no file"

    def size(self, name: str) -> int:
        return self._entry(name).size

    def digest(self, name: str) -> str:
        return self._entry(name).digest

    def document(self, name: str) -> bytes | None:
        return self._entry(name).document

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        for name in names:
            with open(self._place(name), "rb") as stream:
                yield name, pieces(stream)

    def _entry(self, name: str) -> _Entry:
        """What is told of a file is all of one reading: it may change meanwhile."""
        if name not in self._entries:
            with open(self._place(name), "rb") as stream:
                self._entries[name] = _look_at(pieces(stream))
        return self._entries[name]

    def _place(self, name: str) -> str:
        return os.path.join(self._path, name)


class Archive:
    """A tar archive, gzipped or not. It is read once for what it holds, and once more for the blobs that are wanted.

    So a gzipped one needs no room on the disk for what it would unpack to.
    """

    def __init__(self, path: str) -> None:
        self._problems: list[str] = []
        self._path = path
        self._entries: dict[str, _Entry] = {}
        self._links: dict[str, str] = {}
        self._documents = 0
        for member, stream in _members(path):
            self._note(member, stream)

    @property
    def problems(self) -> Sequence[str]:
        return self._problems

    def _note(self, member: tarfile.TarInfo, stream: Iterable[bytes]) -> None:
        name = _inner_name(member.name)
        reason = _entry_fault(member)
        if reason:
            self._problems.append(f"{member.name!r} {reason}: make the archive anew with the tool that made it")
        elif member.issym():
            self._links[name] = _inner_name(posixpath.join(posixpath.dirname(name), member.linkname))
        elif member.islnk():
            self._links[name] = _inner_name(member.linkname)
        elif member.isreg():
            self._note_file(name, stream)

    def _note_file(self, name: str, stream: Iterable[bytes]) -> None:
        entry = _look_at(stream)
        if name in self._entries and self._entries[name].digest != entry.digest:
            self._problems.append(f"{name!r} is there twice, with different content: make the archive anew")
        self._entries[name] = entry
        self._documents += len(entry.document or b"")
        if self._documents > _MOST_DOCUMENTS:
            raise InvalidImage(f"it holds more than {_MOST_DOCUMENTS} bytes of JSON, which no image has")

    def fault(self, name: str) -> str:
        if _leads_out(name):
            return "leads out of the archive"
        return "" if self._place(name) in self._entries else "is missing"

    def size(self, name: str) -> int:
        return self._entries[self._place(name)].size

    def digest(self, name: str) -> str:
        return self._entries[self._place(name)].digest

    def document(self, name: str) -> bytes | None:
        return self._entries[self._place(name)].document

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        wanted = {self._place(each): each for each in names}
        for member, stream in _members(self._path) if wanted else ():
            name = wanted.pop(_inner_name(member.name), None) if member.isreg() else None
            if name is not None:
                yield name, stream
            if not wanted:
                return

    def _place(self, name: str) -> str:
        """The name of the entry that has the bytes: old archives link layers that are the same."""
        name = _inner_name(name)
        for _hop in range(_MOST_HOPS):
            if name not in self._links:
                break
            name = self._links[name]
        return name


def _entry_fault(member: tarfile.TarInfo) -> str:
    """Why an entry has no place in the archive of an image."""
    name = member.name
    if _leads_out(name):
        return "leads out of the archive"
    if len(_inner_name(name).split("/")) > _DEEPEST:
        return f"lies deeper than {_DEEPEST} directories"
    if member.issym() and _leads_out(_joined(name, member.linkname)):
        return f"is a link that leads out of the archive, to {member.linkname!r}"
    if member.islnk() and _leads_out(member.linkname):
        return f"is a link that leads out of the archive, to {member.linkname!r}"
    if member.issparse() or not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
        return "is a device, a pipe or another special file"
    return ""


def _joined(name: str, target: str) -> str:
    return posixpath.join(posixpath.dirname(_inner_name(name)), target)


def _look_at(stream: Iterable[bytes]) -> _Entry:
    """Size and digest; and the bytes as long as they may become a document."""
    found, size, document = hashlib.sha256(), 0, bytearray()
    may_be_document = True
    for piece in stream:
        if not size:
            may_be_document = piece.lstrip()[:1] in (b"{", b"[")
        size += len(piece)
        found.update(piece)
        may_be_document = may_be_document and size <= DOCUMENT_LIMIT
        if may_be_document:
            document += piece
    return _Entry(size, f"sha256:{found.hexdigest()}", bytes(document) if may_be_document and size else None)


def _members(path: str) -> Iterator[tuple[tarfile.TarInfo, Iterable[bytes]]]:
    """The entries of an archive with their bytes; InvalidImage where it is damaged or ends too early."""
    place = "at its beginning"
    with open(path, "rb") as raw, contextlib.ExitStack() as held:
        tape = _Tape(_decompressed(raw, held))
        with _damage_told(place):
            archive = held.enter_context(tarfile.open(fileobj=tape, mode="r:"))  # type: ignore[call-overload]
        for _number in range(_MOST_ENTRIES):
            with _damage_told(place):
                member = archive.next()
                if member is None:
                    tape.finish()
                    return
            place = f"after the entry {member.name!r}"
            yield member, _content(archive, member)
    raise InvalidImage(f"it has more than {_MOST_ENTRIES} entries, which no image has")


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    with _damage_told(f"within the entry {member.name!r}"):
        stream = archive.extractfile(member) if member.isreg() else None
        yield from pieces(stream) if stream else ()


@contextlib.contextmanager
def _damage_told(place: str) -> Iterator[None]:
    try:
        yield
    except InvalidImage:
        raise
    except _DAMAGE as error:
        raise InvalidImage(f"it is damaged or cut off {place} ({error}): copy it anew") from None


def _decompressed(raw: IO[bytes], held: contextlib.ExitStack) -> Readable:
    magic = raw.read(6)
    raw.seek(0)
    for beginning, name in _UNREADABLE.items():
        if magic.startswith(beginning):
            raise InvalidImage(f"it is compressed with {name}: unpack it, or compress it with gzip")
    if magic.startswith(_GZIP):
        return held.enter_context(gzip.GzipFile(fileobj=raw))
    return raw


class _Tape:
    """What tarfile reads from: only forward, and never much at once.

    A header may say that gigabytes of names follow it, and tarfile would fetch them all in one piece. And tarfile
    takes anything that is no header for the archive's end.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._position = 0
        self._last = b""

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> None:
        while self._position < position and self.read(min(PIECE, position - self._position)):
            pass
        if self._position > position:
            raise tarfile.ReadError("an entry begins within another one")

    def read(self, size: int) -> bytes:
        if size > PIECE:
            raise tarfile.ReadError("a header that is too long")
        self._last = self._stream.read(size)
        self._position += len(self._last)
        return self._last

    def finish(self) -> None:
        """Make sure that this is the end, and that a compressed stream's own checksum is right."""
        if len(self._last) != tarfile.BLOCKSIZE or self._last.strip(b"\0"):
            raise tarfile.ReadError("there is neither an entry nor the archive's end")
        for _piece in pieces(self._stream):
            pass
