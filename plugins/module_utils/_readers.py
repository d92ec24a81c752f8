# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that read a host directory while it is exchanged.

An engine opens the certificate by its path, then the key by its path. An exchange between the two hands it halves of
two pairs, even if it is made in one step. So those who come are held at the door of the old certificate (a lease,
fcntl(2)) while those who are inside finish, and find the new pair there when they are let in.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import stat
import time
from typing import Iterator, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import SUFFIXES
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Plan

# From the listing to the last key an engine needs less than a millisecond; more where others have the processor.
READ_SECONDS = 0.05
_TRIES = 50


@contextlib.contextmanager
def readers_held(steps: Sequence[Plan]) -> Iterator[None]:
    """Hold readers of the steps' old pairs while the block makes the new ones visible.

    Where no lease can be had (another file system, a file that is kept open) the block runs all the same.
    """
    steps = [step for step in steps if step.exists and step.directory.is_present and _keeps_all_names(step)]
    with contextlib.ExitStack() as doors:
        certificates = _lease(steps, ".cert", doors)
        if certificates:
            time.sleep(READ_SECONDS)
        keys = _lease(steps, ".key", doors) if certificates else []
        yield
        # Those at the doors have the old files open, which nobody else can reach any more.
        for descriptor, content in keys + certificates:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, content, 0)


def _keeps_all_names(step: Plan) -> bool:
    """A reader who has listed a name that is gone then fails: holding him would only make more of them."""
    names = {file.name for file in step.directory.files} | set(step.carried)
    with contextlib.suppress(OSError):
        return all(name in names for name in os.listdir(step.path) if name.endswith(SUFFIXES))
    return False


def _lease(steps: Sequence[Plan], suffix: str, doors: contextlib.ExitStack) -> list[tuple[int, bytes]]:
    """The leased files of this suffix, each with what it will hold."""
    leased = []
    for step in steps:
        for file in step.directory.files:
            if file.name.endswith(suffix):
                descriptor = _door(os.path.join(step.path, file.name), (file.mode, *step.owner))
                if descriptor is not None:
                    doors.callback(os.close, descriptor)
                    leased.append((descriptor, file.content))
    return leased


def _door(path: str, access: tuple[int, int, int]) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not (_may_hold(os.fstat(descriptor), access) and _take_lease(descriptor)):
        os.close(descriptor)
        return None
    return descriptor


def _may_hold(status: os.stat_result, access: tuple[int, int, int]) -> bool:
    """What has another name elsewhere must not change with ours, and who may read an old key may not read the new."""
    is_only_here = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
    return is_only_here and (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == access


def _take_lease(descriptor: int) -> bool:
    """A lease can't be had in the moment in which somebody reads the file."""
    # The kernel tells of a reader by SIGIO, which would end the process; this signal is ignored by default.
    fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
    for _try in range(_TRIES):
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            if error.errno != errno.EAGAIN:
                return False
            time.sleep(0.001)
        else:
            return True
    return False
