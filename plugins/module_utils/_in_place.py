# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host directory that can't be renamed: a mount point, or a part of a container's image.

Its files are replaced one by one, each whole: the best that such a directory has. A client that reads meanwhile may
find halves of two pairs, and fails that once.
"""

from __future__ import annotations

import contextlib
import os
from typing import Iterable, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._disk import remove, sync_directory, write_file
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import File, HostDirectory
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import STAGE_PREFIX, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import DIRECTORY_MODE


def lay_in_place(step: Plan) -> None:
    """Have the directory hold what is wanted and what is carried, and nothing else."""
    files = [File(file.name, file.content, file.mode, *step.owner) for file in step.directory.files]
    _replace(step.path, files, keep=step.carried)
    os.chown(step.path, *step.owner)
    os.chmod(step.path, DIRECTORY_MODE)


def restore_in_place(found: HostDirectory) -> None:
    """Have the directory hold the files again that were found in it; what else lay there is left alone."""
    files = [file for file in found.files if file.content is not None and not file.is_link]
    _replace(found.path, files, keep=[file.name for file in found.files])
    os.chown(found.path, found.owner, found.group)
    os.chmod(found.path, found.mode)


def _replace(path: str, files: Sequence[File], *, keep: Iterable[str]) -> None:
    """All new files are on the disk, under names that engines pass over, before the first one takes its place."""
    aside = {os.path.join(path, f"{STAGE_PREFIX}{number}"): file for number, file in enumerate(files)}
    try:
        for temporary, file in aside.items():
            # A killed run may have left one.
            _forget(temporary)
            write_file(temporary, file.content or b"", mode=file.mode, user=file.owner, group=file.group)
        for temporary, file in aside.items():
            os.rename(temporary, os.path.join(path, file.name))
    finally:
        for temporary in aside:
            _forget(temporary)
    for name in set(os.listdir(path)) - {file.name for file in files} - set(keep):
        remove(os.path.join(path, name))
    sync_directory(path)


def _forget(temporary: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
