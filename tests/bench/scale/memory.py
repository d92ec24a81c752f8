# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of a run hold in memory, sampled while it runs."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SECONDS = 1.0
_KILO = 1024
_PROC = Path("/proc")


class Peaks:
    """The largest seen so far, in bytes: of the program itself, and of it with all its children at one time.

    What processes share is counted once (PSS): a fork shares most of its memory with the program it was forked from.
    """

    def __init__(self) -> None:
        self.program = 0
        self.together = 0

    def look(self, of: int) -> None:
        """Take a sample of the children of a process, and of theirs."""
        below = descendants(of)
        self.together = max(self.together, sum(_kilobytes(pid, "smaps_rollup", "Pss") for pid in below) * _KILO)
        self.program = max([self.program, *(_kilobytes(pid, "status", "VmHWM") * _KILO for pid in below[:1])])


@contextmanager
def watched() -> Iterator[Peaks]:
    """Sample the children of this process, of which the first is the program, until the block ends."""
    peaks, ended = Peaks(), threading.Event()

    def watch() -> None:
        while not ended.wait(_SECONDS):
            peaks.look(os.getpid())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        ended.set()
        watcher.join()


def descendants(pid: int) -> list[int]:
    """The processes below one, parents before their children; those that end meanwhile may be missing."""
    found = [pid]
    for each in found:
        for tasks in (_PROC / str(each) / "task").glob("*/children"):
            found += [int(child) for child in _text(tasks).split()]
    return found[1:]


def _kilobytes(pid: int, file: str, field: str) -> int:
    told = re.search(rf"^{field}:\s+(\d+) kB", _text(_PROC / str(pid) / file), re.MULTILINE)
    return int(told[1]) if told else 0


def _text(path: Path) -> str:
    """Empty where the process has ended."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
