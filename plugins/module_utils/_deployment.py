# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Host directories below one root: read, plan, and unless it is a dry run swap."""

from __future__ import annotations

import os
from typing import Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import read_host_directory
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan, plan
from ansible_collections.fleet.certs_d.plugins.module_utils._swap import carry_out
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory


def deploy(
    wanted: Sequence[WantedDirectory], *, root: str, owner: Owner, purge_files: bool, dry_run: bool
) -> Sequence[Plan]:
    """Bring the wanted host directories below the root, all or none; an OSError leaves all as before."""

    def make_plans() -> list[Plan]:
        paths = [os.path.join(root, directory.name) for directory in wanted]
        return [
            plan(directory, read_host_directory(path), path=path, owner=owner, purge_files=purge_files)
            for directory, path in zip(wanted, paths)
        ]

    return make_plans() if dry_run or not wanted else carry_out(root, make_plans)
