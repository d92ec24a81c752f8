# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SELinux context of what was laid, where SELinux is on."""

from __future__ import annotations

import os
from typing import Callable, Sequence

_SWITCH = "/sys/fs/selinux/enforce"

Run = Callable[[Sequence[str]], "tuple[int, str, str]"]


def restore_contexts(paths: Sequence[str], *, restorecon: str | None, run: Run, dry_run: bool) -> list[str]:
    """Give files the context that the policy has for them; what restorecon says that it did, or would do."""
    if not paths or restorecon is None or not os.path.exists(_SWITCH):
        return []
    status, said, complaint = run([restorecon, "-R", "-v", *(["-n"] if dry_run else []), *paths])
    if status != 0:
        raise OSError(status, complaint.strip() or "restorecon failed", paths[0])
    return said.splitlines()
