# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host directories for tests: what is wanted, how it is laid, and what lies on the disk then."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import Deployment, Target, Terms, deploy
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, WantedPair, WantedRoots

ME = Owner(os.geteuid(), os.getegid())
PLAIN = Terms(ME)


def directory(
    roots: dict[str, str], pairs: dict[str, tuple[str, str]], name: str = "registry.lab:5000"
) -> WantedDirectory:
    """A host directory of contents that need not be certificates."""
    return WantedDirectory(
        name,
        tuple(WantedRoots(stem, content, ()) for stem, content in roots.items()),
        tuple(WantedPair(stem, certificate, (), key) for stem, (certificate, key) in pairs.items()),
    )


def run(*wanted: WantedDirectory, root: Path, purge: bool = False, check: bool = False) -> list[Plan]:
    """Lay the directories below the root."""
    return lay(*wanted, root=root, terms=Terms(ME, purge="files" if purge else "none", dry_run=check))


def lay(*wanted: WantedDirectory, root: Path, terms: Terms = PLAIN, engine: str = "docker") -> list[Plan]:
    """The same by other terms, for another engine."""
    return [done.plan for _engine, done in deployment(*wanted, root=root, terms=terms, engine=engine).done]


def deployment(*wanted: WantedDirectory, root: Path, terms: Terms = PLAIN, engine: str = "docker") -> Deployment:
    """All that such a deployment tells."""
    return deploy(wanted, [Target(ENGINES[engine], str(root))], terms)


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each file below the root."""
    files = [path for path in root.rglob("*") if not path.is_dir()]
    return {str(path.relative_to(root)): (stat.S_IMODE(path.lstat().st_mode), path.read_bytes()) for path in files}


WANTED = directory({"ca": "root"}, {"10-old": ("certificate", "secret"), "20-new": ("certificate 2", "secret 2")})


def huge(path: Path) -> None:
    """A file as large as two gigabytes that takes no room on the disk."""
    path.touch()
    os.truncate(path, 2**31)
