# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of tests/tools with the module_utils that it imports, as a node's own Python runs it."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.tests.fleet.running import PROJECT, OnHost

PLACE = "/srv/swaps.pyz"
START = f"python3 -S -E {PLACE}"
_SWAPS = PROJECT / "tests" / "tools" / "swaps.py"
_MODULE_UTILS = PROJECT / "plugins" / "module_utils"


def files() -> dict[str, str]:
    """The program as `__main__.py`, beside it the collection as far as nodes need it."""
    parts = ("ansible_collections", "fleet", "certs_d", "plugins", "module_utils")
    packages = ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
    return {
        "__main__.py": _SWAPS.read_text(),
        **{f"{package}/__init__.py": "" for package in packages},
        **{f"{packages[-1]}/{file.name}": file.read_text() for file in _MODULE_UTILS.glob("_*.py")},
    }


def lay_out(folder: Path) -> Path:
    """The program as a folder that Python runs."""
    for name, text in files().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def ship(on: OnHost, host: str) -> None:
    """The program as one file on a host."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in files().items():
            bundle.writestr(name, text)
    on(host, f"base64 -d > {PLACE}", given=base64.b64encode(archive.getvalue()).decode())


def job(root: str | Path, *states: list[dict[str, Any]], count: int = 1, **terms: Any) -> str:
    """The text of a job; by default one deployment of one state."""
    default = {"way": "swap", "pause": 0, "readers": []}
    return json.dumps({**default, "root": str(root), "states": states, "count": count, **terms})
