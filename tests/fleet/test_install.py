# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy would install works from an empty directory."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, PROJECT, Run, install_collection, run, tool


def test_the_archive_installs_and_runs_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with tarfile.open(install_collection(empty / "collections", archives=tmp_path)) as content:
        names = content.getnames()
    assert "plugins/modules/layout.py" in names
    assert {name.split("/")[0] for name in names} & {"tests", "lab", "molecule", "inventories"} == set()
    alone = {"ANSIBLE_COLLECTIONS_PATH": str(empty / "collections"), "PYTHONPATH": ""}
    for cwd, playbook in ((empty, "fleet.certs_d.site"), (site_folder(empty), "site.yml")):
        assert_verified(run(tool("ansible-playbook"), playbook, "-i", INVENTORY, cwd=cwd, **alone))


def test_the_checkout_runs_from_inside_its_playbooks() -> None:
    link = PROJECT / "playbooks" / "collections" / "ansible_collections" / "fleet" / "certs_d"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink():
        link.symlink_to("../../../..")
    site = run(
        *(tool("ansible-playbook"), "site.yml", "-i", INVENTORY),
        cwd=PROJECT / "playbooks",
        ANSIBLE_COLLECTIONS_PATH="/nowhere",
        PYTHONPATH="",
    )
    assert_verified(site)


def site_folder(empty: Path) -> Path:
    return empty / "collections" / "ansible_collections" / "fleet" / "certs_d" / "playbooks"


def assert_verified(site: Run) -> None:
    assert site.status == 0, site.output
    assert "3 of 3 hosts verified" in site.output
    assert not re.search(r"changed=[1-9]", site.output), site.output
