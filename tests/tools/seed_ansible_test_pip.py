# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give ansible-test the pip that it would download from a host of its own, from the configured package index.

ansible-test looks into a cache for a get-pip script before it downloads one. The script laid there installs the same
version of pip from a wheel beside it. Exit status 0 when every version that this ansible-test names is there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ansible_test._internal import python_requirements

CACHE = Path.home() / ".ansible" / "test" / "cache"
SCRIPT = """import runpy, sys
sys.path.insert(0, {wheel!r})
sys.argv = ["pip", "install", "--disable-pip-version-check", "--no-deps", {wheel!r}]
runpy.run_module("pip", run_name="__main__")
"""


def main() -> int:
    """Lay a script per pip version."""
    source = Path(python_requirements.__file__).read_text(encoding="utf-8")
    versions = sorted(set(re.findall(r"\bpip='([\d.]+)'", source)))
    CACHE.mkdir(parents=True, exist_ok=True)
    for version in versions:
        lay(version)
    print(f"ansible-test has pip {', '.join(versions) or 'of no version'}")
    return 0 if versions else 1


def lay(version: str) -> None:
    """The wheel first, so that no script stands there without its wheel."""
    script = CACHE / f"get_pip_{version.replace('.', '_')}.py"
    if not script.exists():
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(CACHE)]
        subprocess.run([*download, f"pip=={version}"], check=True)
        script.write_text(SCRIPT.format(wheel=str(CACHE / f"pip-{version}-py3-none-any.whl")), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
