# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands and measuring them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.bench.samples import Sample

_KILO = 1024


class RunFailed(Exception):
    """A command did not end well; holds what it said."""


def measure(commands: Sequence[Sequence[str]], *, environment: Mapping[str, str], log: Path) -> Sample:
    """Run commands side by side; what they cost together until the last one has ended, its waited-for children too.

    The peak is that of the largest process: the kernel tells no sum.
    """
    with log.open("wb") as said:
        started = time.monotonic()
        running = [
            subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            for command in commands
        ]
        ended = [os.wait4(process.pid, 0) for process in running]
        wall = time.monotonic() - started
    for process, (_pid, status, _usage) in zip(running, ended, strict=True):
        process.returncode = os.waitstatus_to_exitcode(status)
    if any(process.returncode for process in running):
        raise RunFailed(f"{' '.join(commands[0])} …\n{log.read_text(encoding='utf-8', errors='replace')}")
    usages = [usage for _pid, _status, usage in ended]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return Sample(wall, cpu, max(usage.ru_maxrss for usage in usages) * _KILO)
