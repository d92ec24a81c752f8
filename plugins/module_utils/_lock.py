# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root below which one run works at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from typing import Iterator

ROOT_MODE = 0o755
_LOCK_SECONDS = 60


class RootBusy(OSError):
    """Another run works below the same root."""


@contextlib.contextmanager
def root_alone(root: str) -> Iterator[None]:
    """The root, made with its parents where it is missing, and no other run in it."""
    with _existing(root), _locked(root):
        yield


@contextlib.contextmanager
def _existing(root: str) -> Iterator[None]:
    """The root with its parents; those made here go away again when the work in it fails."""
    missing = []
    path = root
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    os.makedirs(root, ROOT_MODE, exist_ok=True)
    for path in missing:
        # makedirs obeys the umask, whoever reads what lies there must be able to look in
        os.chmod(path, ROOT_MODE)
    try:
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                os.rmdir(path)
        raise


@contextlib.contextmanager
def _locked(root: str) -> Iterator[None]:
    """The lock is the directory itself: no lock file is left behind, and it ends with the process."""
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _wait_for_lock(descriptor, root)
        yield
    finally:
        os.close(descriptor)


def _wait_for_lock(descriptor: int, root: str) -> None:
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise RootBusy(
                    errno.EAGAIN, "another run has worked here for a minute: try again later", root
                ) from None
            time.sleep(0.1)
        else:
            return
