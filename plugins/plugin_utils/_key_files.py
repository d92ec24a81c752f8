# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of key material: whole or not at all, with their final mode from the first byte."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import sync_directory

CERTIFICATE_MODE = 0o644
KEY_MODE = 0o600
FOLDER_MODE = 0o755
AUTHORITY_MODE = 0o700


def read_file(path: str) -> bytes:
    """The content of a file, empty where there is none."""
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return b""


def write_file(path: str, content: bytes, *, mode: int) -> None:
    """Put a file in place in one step. Whoever calls holds the lock, so that a leftover is of a run that was killed."""
    write_files({path: content}, mode=mode)


def write_files(contents: Mapping[str, bytes], *, mode: int) -> None:
    """The same for several: none takes its place before all of them are on the disk."""
    staged = {os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.tmp"): path for path in contents}
    try:
        for temporary, path in staged.items():
            _stage(temporary, contents[path], mode)
            # What only the rename would find out, after that of another file.
            if os.path.isdir(path):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        for temporary, path in staged.items():
            os.rename(temporary, path)
    except BaseException:
        for temporary in staged:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        raise
    for directory in dict.fromkeys(os.path.dirname(path) for path in contents):
        sync_directory(directory)


def _stage(temporary: str, content: bytes, mode: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def make_folders(path: str, *, mode: int = FOLDER_MODE) -> None:
    """Make a folder and those above it, if need be; an existing one is left as it is."""
    os.makedirs(os.path.dirname(path) or ".", mode=FOLDER_MODE, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, mode)


def is_open_to_others(path: str) -> bool:
    """Whether anybody but the owner has any right to the file or folder."""
    try:
        return bool(stat.S_IMODE(os.stat(path).st_mode) & 0o077)
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def locked(directory: str) -> Iterator[None]:
    """Hold the lock of a folder: forks of one run, and two runs, wait for each other."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
