# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of images on the disk: read, and changed so that whoever looks at it meanwhile finds nothing half done."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from typing import IO, Collection, Iterable, Iterator

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import remove, sync_directory
from ansible_collections.fleet.certs_d.plugins.module_utils._image_files import pieces
from ansible_collections.fleet.certs_d.plugins.module_utils._image_tree import Found, Plan, State
from ansible_collections.fleet.certs_d.plugins.module_utils._oci_image import DOCUMENT_LIMIT, BlobReader, InvalidImage
from ansible_collections.fleet.certs_d.plugins.module_utils._tree_entries import (
    BLOB,
    TEMPORARY_PREFIX,
    TOPS,
    V1_LAYER,
    Blob,
    Entry,
    Link,
    Text,
    blob_path,
    rank,
)

_FILE_MODE, _DIRECTORY_MODE = 0o644, 0o755


def read_tree(root: str, *, verify: Collection[str]) -> Found:
    """What lies in the tree. Blobs are taken for what they are called, but for these, which are read."""
    fingerprints: dict[str, str] = {}
    texts: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    ages: dict[str, float] = {}
    now = time.time()
    for path in _paths(root):
        place = os.path.join(root, path)
        blob = BLOB.fullmatch(path)
        ages[path] = now - os.lstat(place).st_mtime
        if os.path.islink(place):
            fingerprints[path] = f"-> {os.readlink(place)}"
        elif os.path.isfile(place):
            sizes[path] = os.path.getsize(place)
            fingerprints[path] = blob["digest"] if blob and blob["digest"] not in verify else _digest(place)
            if not blob and not V1_LAYER.fullmatch(path) and sizes[path] <= DOCUMENT_LIMIT:
                texts[path] = _content(place)
    return Found(fingerprints, texts, sizes, ages)


def _paths(root: str) -> Iterator[str]:
    """The entries of ours, links included, whatever else may lie beside them."""
    for top in TOPS:
        for folder, directories, files in os.walk(os.path.join(root, top)):
            linked = (each for each in directories if os.path.islink(os.path.join(folder, each)))
            for name in [*files, *linked]:
                path = os.path.relpath(os.path.join(folder, name), root)
                if rank(path) is not None:
                    yield path


def _digest(path: str) -> str:
    found = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in pieces(stream):
            found.update(piece)
    return f"sha256:{found.hexdigest()}"


def _content(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def remove_leftovers(root: str) -> None:
    """What a killed run was writing."""
    for top in TOPS:
        for folder, directories, files in os.walk(os.path.join(root, top)):
            for name in [*directories, *files]:
                if name.startswith(TEMPORARY_PREFIX):
                    remove(os.path.join(folder, name))


def blobs_of_tree(root: str, state: State, *, others: BlobReader) -> BlobReader:
    """What reads the blobs that follow from what the tree has already, and then the others."""

    def read(digests: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        for digest in state.made.keys() & digests:
            yield digest, [state.made[digest]]
        for digest in state.moved.keys() & digests:
            with open(os.path.join(root, state.moved[digest]), "rb") as stream:
                yield digest, pieces(stream)
        yield from others([each for each in digests if each not in state.made and each not in state.moved])

    return read


def carry_out(root: str, plan: Plan, read: BlobReader) -> None:
    """Change the tree. What was added for a change that fails goes away again; nothing leads to it yet."""
    _Change(root).carry_out(plan, read)


class _Change:
    """A change of the tree below a root: what it has made so far, and the directories whose names must last."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._unsynced: set[str] = set()

    def carry_out(self, plan: Plan, read: BlobReader) -> None:
        """First what is new, then the names that lead to it, then what nothing leads to any more."""
        with contextlib.ExitStack() as undone:
            self._add_blobs(plan.blobs, read, undone)
            for path, entry in plan.content.items():
                if not isinstance(entry, Blob):
                    with self._undoable(path, undone):
                        self._put(path, entry)
            self._sync()
            undone.pop_all()
        self._release(plan.released)
        for path, name in plan.names.items():
            if name:
                self._put(path, name)
            else:
                self._take(path)
        self._sync()
        for path in plan.garbage:
            self._take(path)
        self._sync()

    def _add_blobs(self, digests: Collection[str], read: BlobReader, undone: contextlib.ExitStack) -> None:
        written = set()
        for digest, stream in read(digests):
            with self._undoable(blob_path(digest), undone):
                self._put_blob(digest, stream)
            written.add(digest)
        if written != set(digests):
            gone = ", ".join(sorted(set(digests) - written))
            raise InvalidImage(f"{gone}: gone since the image was checked, try again")

    @contextlib.contextmanager
    def _undoable(self, path: str, undone: contextlib.ExitStack) -> Iterator[None]:
        """Have what is new at this path go away again, if a later step fails.

        What was replaced can't come back, and may lead to all that came before it: that stays, too.
        """
        was_there = os.path.lexists(self._place(path))
        if not was_there:
            undone.callback(self._undo, path)
        yield
        if was_there:
            undone.pop_all()

    def _undo(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._place(path))
        with contextlib.suppress(OSError):
            self._prune(os.path.dirname(path))

    def _put(self, path: str, entry: Entry) -> None:
        with self._beside(path) as temporary:
            if isinstance(entry, Link):
                os.symlink(entry.target, temporary)
            elif isinstance(entry, Text):
                with _new_file(temporary) as stream:
                    stream.write(entry.content)

    def _put_blob(self, digest: str, content: Iterable[bytes]) -> None:
        found = hashlib.sha256()
        with self._beside(blob_path(digest)) as temporary:
            with _new_file(temporary) as stream:
                for piece in content:
                    found.update(piece)
                    stream.write(piece)
            if f"sha256:{found.hexdigest()}" != digest:
                raise InvalidImage(f"{digest} has changed since the image was checked: try again")

    @contextlib.contextmanager
    def _beside(self, path: str) -> Iterator[str]:
        """A hidden name, whose file or link takes the place at `path` once it is whole."""
        folder = os.path.dirname(path)
        self._make_directory(folder)
        # One name is enough, since nobody else works below the root.
        temporary = self._place(os.path.join(folder, f"{TEMPORARY_PREFIX}new"))
        try:
            yield temporary
            os.replace(temporary, self._place(path))
        except BaseException:
            with contextlib.suppress(OSError):
                remove(temporary)
            raise
        self._unsynced.add(folder)

    def _make_directory(self, path: str) -> None:
        if not os.path.isdir(self._place(path)):
            with self._beside(path) as temporary:
                os.mkdir(temporary)
                # mkdir obeys the umask, the web server must be able to look in
                os.chmod(temporary, _DIRECTORY_MODE)

    def _take(self, path: str) -> None:
        os.unlink(self._place(path))
        self._unsynced.add(os.path.dirname(path))
        self._prune(os.path.dirname(path))

    def _release(self, paths: Iterable[str]) -> None:
        """What is garbage from now on is so old: before the names go, so that none is taken for older."""
        now = time.time()
        for path in paths:
            os.utime(self._place(path), (now, now), follow_symlinks=False)

    def _prune(self, path: str) -> None:
        """Remove directories that have become empty."""
        while path and not os.listdir(self._place(path)):
            os.rmdir(self._place(path))
            self._unsynced.discard(path)
            path = os.path.dirname(path)
            self._unsynced.add(path)

    def _sync(self) -> None:
        """Have on the disk what was done, so that a crash can't leave what comes after it alone."""
        for path in sorted(self._unsynced):
            sync_directory(self._place(path))
        self._unsynced.clear()

    def _place(self, path: str) -> str:
        return os.path.join(self._root, path)


@contextlib.contextmanager
def _new_file(path: str) -> Iterator[IO[bytes]]:
    """A file that is on the disk at the end, for everybody to read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fchmod(descriptor, _FILE_MODE)
        os.fsync(descriptor)
