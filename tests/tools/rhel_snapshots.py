# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the registry role lays on RHEL, rendered by Ansible and kept in tests/unit/roles/registry/snapshots/RedHat.

Usage: python tests/tools/rhel_snapshots.py [--write]. Tells which files differ from what is kept, or writes them all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1] / "unit/roles/registry"
CASES = _TESTS / "rhel_cases.yml"
KEPT = _TESTS / "snapshots/RedHat"
_PLAYBOOK = _TESTS / "rhel_render.yml"


def render(into: Path) -> None:
    """Have Ansible render every case below the folder."""
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", "localhost,", "-e", f"into={into}", _PLAYBOOK]
    quiet = {**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=quiet)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def texts(folder: Path) -> dict[str, str]:
    """Every file of a folder, by the path that it has on the host."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {f"/{path.relative_to(folder)}": path.read_text(encoding="utf-8") for path in files}


def main() -> int:
    """Exit status 1 when what is kept is not what the role lays."""
    with tempfile.TemporaryDirectory() as folder:
        render(Path(folder))
        if "--write" in sys.argv[1:]:
            shutil.rmtree(KEPT, ignore_errors=True)
            shutil.copytree(folder, KEPT)
        rendered, kept = texts(Path(folder)), texts(KEPT)
    differing = sorted(path for path in {*rendered, *kept} if rendered.get(path) != kept.get(path))
    sys.stdout.writelines(f"{path} differs\n" for path in differing)
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
