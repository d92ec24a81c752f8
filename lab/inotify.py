# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine's limit of inotify instances: every systemd takes some, and containers have it in common."""

from __future__ import annotations

import os
from pathlib import Path

_SETTING = "fs.inotify.max_user_instances"
_LIMIT = Path("/proc/sys", *_SETTING.split("."))
# Measured: systemd takes five, logind and dbus one each.
_OF_ONE_HOST = 7


def shortage() -> str:
    """Why no further host can start, and what to do; empty where there are instances left."""
    try:
        limit = int(_LIMIT.read_text(encoding="ascii"))
    except OSError:
        return ""
    return describe(taken(), limit)


def describe(instances: int, limit: int) -> str:
    """The sentence for this many of so many."""
    if limit - instances >= _OF_ONE_HOST:
        return ""
    return (
        f"{instances} of this machine's {limit} inotify instances are taken, and a host needs {_OF_ONE_HOST}: "
        f"`make clean` in another checkout, or `sysctl {_SETTING}={4 * limit}`"
    )


def taken(proc: Path = Path("/proc")) -> int:
    """The instances of all processes that may be looked at."""
    return sum(map(_is_instance, proc.glob("[0-9]*/fd/*")))


def _is_instance(descriptor: Path) -> bool:
    try:
        return os.readlink(descriptor) == "anon_inode:inotify"
    except OSError:
        # Closed meanwhile, or not ours to see.
        return False
