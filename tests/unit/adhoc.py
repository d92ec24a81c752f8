# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task of this collection in a real run of Ansible, the node being this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from ansible_collections.fleet.certs_d.tests.unit.programs import program


def adhoc(
    module: str, folder: Path, *options: str, environment: dict[str, str] | None = None, **arguments: Any
) -> dict[str, Any]:
    """The task's result, under `failed` whether the host did, and under `output` what a user sees at -vvvv."""
    command = [program("ansible"), "node", "-i", "node,", "-c", "local", "-vvvv"]
    command += ["-e", f"ansible_python_interpreter={sys.executable}", *options]
    command += ["-m", f"fleet.certs_d.{module}"]
    command += ["-a", json.dumps(arguments)]
    surroundings = {**os.environ, "ANSIBLE_NOCOLOR": "1", **(environment or {})}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=surroundings)
    output = run.stdout + run.stderr
    assert "PRIVATE KEY" not in output
    told = re.search(r"^node \| \w+!? => (\{$.*?^\})$", run.stdout, re.MULTILINE | re.DOTALL)
    assert told, output
    return {**json.loads(told[1]), "failed": run.returncode != 0, "output": output}
