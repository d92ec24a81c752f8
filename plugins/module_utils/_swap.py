# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From plans to the disk: stage beside the old, then exchange in one step."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
import time
from typing import Callable, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import remove, sync_directory, write_file
from ansible_collections.fleet.certs_d.plugins.module_utils._in_place import lay_in_place, restore_in_place
from ansible_collections.fleet.certs_d.plugins.module_utils._lock import root_alone
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import STAGE_PREFIX, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._readers import READ_SECONDS, readers_held
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import DIRECTORY_MODE

_ASIDE = "..old"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_EXCHANGE_UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.EOPNOTSUPP)
# A host directory baked into a container's image, and a mount point.
_BOUND = (errno.EXDEV, errno.EBUSY)

# How a change came to be visible, from the best to the least.
ONE_STEP, TWO_RENAMES, IN_PLACE = "one step", "two renames", "file by file"

PlanMaker = Callable[[], Sequence[Plan]]


class Done(NamedTuple):
    """A plan and how it was carried out, empty where nothing was to be done."""

    plan: Plan
    way: str


def carry_out(roots: Sequence[str], make_plans: PlanMaker) -> list[Done]:
    """Make the plans below the locked roots and carry them out, all or none; an OSError leaves all as before.

    A run that was killed leaves hidden directories behind, which the next one removes first.
    """
    with contextlib.ExitStack() as held:
        for root in sorted(set(roots)):
            held.enter_context(root_alone(root))
        _remove_leftovers(roots)
        plans = make_plans()
        try:
            ways = _exchange_all([(_stage(each), each) for each in plans if each.changed])
        finally:
            # What was exchanged or taken back stays so: what can't be removed now, the next run removes.
            with contextlib.suppress(OSError):
                _remove_leftovers(roots)
    return [Done(each, ways.get(each.path, "")) for each in plans]


def _remove_leftovers(roots: Sequence[str]) -> None:
    """What a killed run left: an old directory that it had put aside goes back, all else goes away."""
    for root in roots:
        for name in sorted(os.listdir(root)):
            if name.startswith(STAGE_PREFIX):
                path = os.path.join(root, name)
                home = os.path.join(root, name[len(STAGE_PREFIX) : -len(_ASIDE)])
                if name.endswith(_ASIDE) and not os.path.lexists(home):
                    os.rename(path, home)
                else:
                    remove(path)


def _stage(step: Plan) -> str:
    """Build the new directory, whole and on the disk, under a hidden name beside the old one.

    A directory that is to go away needs the name alone, and a mount point can't be exchanged.
    """
    # A hash, because prefix and name together may be longer than a file's name can be.
    stage = os.path.join(step.root, STAGE_PREFIX + hashlib.sha256(step.directory.name.encode()).hexdigest()[:16])
    if not step.directory.is_present or os.path.ismount(step.path):
        return stage
    os.mkdir(stage, 0o700)
    for file in step.directory.files:
        path = os.path.join(stage, file.name)
        write_file(path, file.content, mode=file.mode, user=step.owner.user, group=step.owner.group)
    for name in step.carried:
        _carry(os.path.join(step.path, name), os.path.join(stage, name))
    os.chown(stage, *step.owner)
    os.chmod(stage, DIRECTORY_MODE)
    sync_directory(stage)
    return stage


def _carry(source: str, target: str) -> None:
    """Unmanaged entries stay the very same files: linked, not copied; their folders are made alike."""
    if os.path.islink(source) or not os.path.isdir(source):
        os.link(source, target, follow_symlinks=False)
        return
    os.mkdir(target, 0o700)
    for name in os.listdir(source):
        _carry(os.path.join(source, name), os.path.join(target, name))
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    shutil.copystat(source, target)


def _exchange_all(staged: Sequence[tuple[str, Plan]]) -> dict[str, str]:
    """How each path was changed; what was done before a failure is taken back."""
    with readers_held([step for _stage, step in staged]), contextlib.ExitStack() as done:
        ways = {}
        for stage, step in staged:
            ways[step.path], take_back = _put(stage, step)
            done.callback(_quietly, take_back)
        done.pop_all()
    for root in sorted({step.root for _stage, step in staged}):
        sync_directory(root)
    if any(step.exists for _stage, step in staged):
        # An engine that has opened the old directory to list it must not find it half removed.
        time.sleep(READ_SECONDS)
    return ways


def _quietly(take_back: Callable[[], object]) -> None:
    with contextlib.suppress(OSError):
        take_back()


def _put(stage: str, step: Plan) -> tuple[str, Callable[[], object]]:
    """Make the change visible; tells how, and what takes it back."""
    if not step.directory.is_present:
        os.rename(step.path, stage)
        return ONE_STEP, lambda: os.rename(stage, step.path)
    if not step.exists:
        os.rename(stage, step.path)
        return ONE_STEP, lambda: os.rename(step.path, stage)
    if not os.path.ismount(step.path):
        try:
            return _exchange(stage, step.path), lambda: _exchange(stage, step.path)
        except OSError as error:
            if error.errno not in _BOUND:
                raise
    return IN_PLACE, _put_in_place(step)


def _put_in_place(step: Plan) -> Callable[[], object]:
    def take_back() -> None:
        if step.found is not None:
            restore_in_place(step.found)

    try:
        lay_in_place(step)
    except BaseException:
        _quietly(take_back)
        raise
    return take_back


def _exchange(stage: str, path: str) -> str:
    """Swap the two names in one step where the file system can, else in two renames; tells which."""
    try:
        _rename_exchange(stage, path)
    except OSError as error:
        if error.errno not in _EXCHANGE_UNSUPPORTED:
            raise
        aside = os.path.join(os.path.dirname(stage), STAGE_PREFIX + os.path.basename(path) + _ASIDE)
        os.rename(path, aside)
        os.rename(stage, path)
        os.rename(aside, stage)
        return TWO_RENAMES
    return ONE_STEP


def _rename_exchange(stage: str, path: str) -> None:
    """renameat2(2) with RENAME_EXCHANGE; Python has no call for it. Old C libraries lack it: ENOSYS."""
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), path)
    if renameat2(_AT_FDCWD, os.fsencode(stage), _AT_FDCWD, os.fsencode(path), _RENAME_EXCHANGE) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
