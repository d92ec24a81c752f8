# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pythons of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path


def interpreters(minors: Iterable[int]) -> dict[str, str]:
    """Those of 3.MINOR on the PATH, and those that pyenv keeps, by version."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found: dict[str, str] = {}
    for version in (f"3.{minor}" for minor in minors):
        kept = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
        path = str(kept[-1]) if kept else shutil.which(f"python{version}")
        if path and subprocess.run([path, "-c", "import ssl"], check=False, capture_output=True).returncode == 0:
            found[version] = path
    return found
