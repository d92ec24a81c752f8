# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that is measured on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path


def describe() -> str:
    """One line: processor, memory, system, Python, ansible-core, and how busy it was."""
    processor = re.search(r"^model name\s*: (.+)$", _text("/proc/cpuinfo"), re.MULTILINE)
    kilobytes = re.search(r"^MemTotal:\s*(\d+)", _text("/proc/meminfo"), re.MULTILINE)
    return "; ".join(
        [
            f"{os.cpu_count()} cores ({processor[1] if processor else platform.machine()})",
            f"{int(kilobytes[1]) / 2**20 if kilobytes else 0:.0f} GiB",
            f"Debian {_text('/etc/debian_version').strip()}",
            f"Python {platform.python_version()}",
            f"ansible-core {importlib.metadata.version('ansible-core')}",
            f"cryptography {importlib.metadata.version('cryptography')}",
            f"load at the end {os.getloadavg()[2]:.1f} over 15 minutes",
        ]
    )


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
