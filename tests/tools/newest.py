# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test once more, with the newest ansible-core that is pinned, on the newest Python of this machine.

Usage: newest.py DIRECTORY, which becomes a virtual environment. Exit status 0 when sanity and units are green. Where
no Python is newer than the running one it says NOT RUN, and why.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.tools.pythons import interpreters

# What requirements-run.txt takes the newest ansible-core for.
MINORS = (12, 13, 14)
COMMANDS = [
    "python tests/tools/seed_ansible_test_pip.py",
    "ansible-test sanity --color no --requirements --python {version}",
    "ansible-test units --color no --python {version}",
]


def main(directory: str) -> int:
    """Stop at the first that fails."""
    if sys.version_info[1] in MINORS:
        print("NOT RUN: the other gates did, with the same ansible-core")
        return 0
    found = interpreters(MINORS)
    if not found:
        print("NOT RUN: this machine has no Python 3.12 or later")
        return 0
    version, python = list(found.items())[-1]
    environment = {**os.environ, "PATH": f"{Path(directory).absolute()}/bin:{os.environ['PATH']}"}
    lay = f"tests/tools/make-venv {python} {directory} && python -m pip install --quiet --requirement requirements.txt"
    for command in [lay, "ansible --version", *COMMANDS]:
        line = command.format(version=version)
        print(f"+ {line}", flush=True)
        status = subprocess.run(line, shell=True, env=environment, check=False).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
