# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring planned host directories onto the disk: staged beside the old ones, then exchanged in one step each."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import time
from typing import Callable, Iterator, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import sync_directory
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import DIRECTORY_MODE, WantedFile

# No engine takes a hidden name for a host directory, since no registry name begins with a dot.
_STAGE_PREFIX = ".fleet-certs-d."
_ASIDE = "..old"
_LOCK_SECONDS = 60
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_EXCHANGE_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP)

PlanMaker = Callable[[], Sequence[Plan]]


class RootBusy(OSError):
    """Another run works below the same root."""


def carry_out(root: str, make_plans: PlanMaker) -> Sequence[Plan]:
    """Make the plans below the locked root and carry them out, all or none; an OSError leaves all as before.

    A run that was killed leaves hidden directories behind, which the next one removes first.
    """
    with _existing(root), _locked(root):
        _remove_leftovers(root)
        plans = make_plans()
        changing = [each for each in plans if each.changed]
        try:
            _exchange_all([_stage(root, each) for each in changing], changing)
        finally:
            # What was exchanged or taken back stays so: what can't be removed now, the next run removes.
            with contextlib.suppress(OSError):
                _remove_leftovers(root)
    return plans


@contextlib.contextmanager
def _existing(root: str) -> Iterator[None]:
    """The root with its parents; those made here go away again when the work in it fails."""
    missing = []
    path = root
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    os.makedirs(root, DIRECTORY_MODE, exist_ok=True)
    for path in missing:
        # makedirs obeys the umask, engines' users must be able to look in
        os.chmod(path, DIRECTORY_MODE)
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
                raise RootBusy(errno.EBUSY, "another run has worked here for a minute: try again later", root) from None
            time.sleep(0.1)
        else:
            return


def _remove_leftovers(root: str) -> None:
    """What a killed run left: an old directory that it had put aside goes back, all else goes away."""
    for name in sorted(os.listdir(root)):
        if name.startswith(_STAGE_PREFIX):
            path = os.path.join(root, name)
            home = os.path.join(root, name[len(_STAGE_PREFIX) : -len(_ASIDE)])
            if name.endswith(_ASIDE) and not os.path.lexists(home):
                os.rename(path, home)
            else:
                _remove(path)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)


def _stage(root: str, step: Plan) -> str:
    """Build the new directory, whole and on the disk, under a hidden name beside the old one."""
    # A hash, because prefix and name together may be longer than a file's name can be.
    stage = os.path.join(root, _STAGE_PREFIX + hashlib.sha256(step.directory.name.encode()).hexdigest()[:16])
    os.mkdir(stage, 0o700)
    for file in step.directory.files:
        _write(os.path.join(stage, file.name), file, step.owner)
    for name in step.carried:
        _carry(os.path.join(step.path, name), os.path.join(stage, name))
    os.chown(stage, *step.owner)
    os.chmod(stage, DIRECTORY_MODE)
    sync_directory(stage)
    return stage


def _write(path: str, file: WantedFile, owner: Owner) -> None:
    """The mode is right from the first byte; the umask can only narrow it, until the last word."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, file.mode)
        stream.write(file.content)
        stream.flush()
        os.fsync(descriptor)


def _carry(source: str, target: str) -> None:
    """Unmanaged entries stay the very same files: linked, not copied."""
    if os.path.isdir(source) and not os.path.islink(source):
        shutil.copytree(source, target, symlinks=True, copy_function=_link)
    else:
        _link(source, target)


def _link(source: str, target: str) -> None:
    os.link(source, target, follow_symlinks=False)


def _exchange_all(stages: Sequence[str], plans: Sequence[Plan]) -> None:
    done: list[tuple[str, Plan]] = []
    try:
        for stage, step in zip(stages, plans):
            _put(stage, step)
            done.append((stage, step))
    except BaseException:
        for stage, step in reversed(done):
            with contextlib.suppress(OSError):
                _take_back(stage, step)
        raise
    for step in plans[:1]:
        sync_directory(os.path.dirname(step.path))


def _put(stage: str, step: Plan) -> None:
    if step.exists:
        _exchange(stage, step.path)
    else:
        os.rename(stage, step.path)


def _take_back(stage: str, step: Plan) -> None:
    if step.exists:
        _exchange(stage, step.path)
    else:
        os.rename(step.path, stage)


def _exchange(stage: str, path: str) -> None:
    """Swap the two names in one step where the file system can, else in two renames."""
    try:
        _rename_exchange(stage, path)
    except OSError as error:
        if error.errno not in _EXCHANGE_UNSUPPORTED:
            raise
        aside = os.path.join(os.path.dirname(stage), _STAGE_PREFIX + os.path.basename(path) + _ASIDE)
        os.rename(path, aside)
        os.rename(stage, path)
        os.rename(aside, stage)


def _rename_exchange(stage: str, path: str) -> None:
    """renameat2(2) with RENAME_EXCHANGE; Python has no call for it. Old C libraries lack it: ENOSYS."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), path)
    if renameat2(_AT_FDCWD, os.fsencode(stage), _AT_FDCWD, os.fsencode(path), _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
