# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single files and directories on the disk: read without harm, written to last."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time

_NO_FILE = (errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENOTDIR)
_HELD_SECONDS = 2
# Some twenty times the roots of all public CAs: whoever runs a node's program must not need the memory for more.
LARGEST = 4 * 1024 * 1024


class TooLarge(OSError):
    """The file holds more than LARGEST bytes."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.EFBIG, os.strerror(errno.EFBIG), path)


def sync_directory(directory: str) -> None:
    """Have the names in a directory on the disk, so that a crash can't undo a rename."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular_file(path: str) -> bytes | None:
    """The content behind a path, symlinks followed; None where no regular file is there.

    Non-blocking, so that a FIFO can't hang the run. Raises TooLarge, as any OSError but that nothing is there.
    """
    try:
        descriptor = _open_to_read(path)
    except OSError as error:
        if error.errno in _NO_FILE:
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise TooLarge(path)
    return content


def _open_to_read(path: str) -> int:
    """A run that exchanges the directory holds readers for a moment, which who does not block must sit out."""
    deadline = time.monotonic() + _HELD_SECONDS
    while True:
        try:
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)


def write_file(path: str, content: bytes, *, mode: int, user: int, group: int) -> None:
    """Write a new file, on the disk at the end; the mode is right from the first byte.

    The umask can only narrow it, until the last word.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchown(descriptor, user, group)
        os.fchmod(descriptor, mode)
        stream.write(content)
        stream.flush()
        os.fsync(descriptor)


def remove(path: str) -> None:
    """Remove whatever is there, a symlink itself and not what it leads to."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
