# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy would install works from an empty directory, and asks nobody for it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.fleet.certs_d.tests.fleet.newcomer import LAID, Galaxy, Newcomer
from ansible_collections.fleet.certs_d.tests.fleet.running import INVENTORY, PROJECT, OnHost, Run, address, run, tool

VERSION = yaml.safe_load((PROJECT / "galaxy.yml").read_text())["version"]
ACTIONS = "ansible_collections.fleet.certs_d.plugins.action"
MAKER = PROJECT / "tests/tools/install_page.py"
TRANSCRIPT = INVENTORY / ".lab/install_transcript.json"
SOURCES = ["fleet-certs_d-*.tar.gz", "git+file://$HOME/fleet.certs_d"]
# What a user of the collection has no use for, and a build from a checkout that was worked in must leave out, too.
LEFT_OUT = (".github", ".venv", ".cache", "inventories", "lab", "molecule", "playbooks/collections", "tests")


@pytest.fixture
def galaxy() -> Iterator[Galaxy]:
    with Galaxy().listening() as listening:
        yield listening


@pytest.fixture
def newcomer(tmp_path: Path, galaxy: Galaxy, on: OnHost) -> Iterator[Newcomer]:
    yield Newcomer(tmp_path / "home", galaxy)
    on("node1", f"rm -rf {LAID}")


@pytest.fixture
def settled(newcomer: Newcomer) -> Newcomer:
    """Has the collection from git, and what goes with it."""
    newcomer("ansible-galaxy collection install -r requirements.yml").good()
    newcomer.prepare()
    return newcomer


def test_an_archive_of_a_checkout_in_use_holds_what_users_need_and_nothing_else(newcomer: Newcomer) -> None:
    for folder in LEFT_OUT:
        (newcomer.checkout / folder).mkdir(parents=True, exist_ok=True)
        (newcomer.checkout / folder / "left.txt").write_text("of a run")
    (newcomer.checkout / "fleet-certs_d-0.0.1.tar.gz").write_bytes(b"an archive of before")
    newcomer("ansible-galaxy collection build ~/fleet.certs_d").good()
    (archive,) = newcomer.here.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = content.getnames()
    assert {name.split("/")[0] for name in names} == {
        *("CHANGELOG.md", "CONTRIBUTING.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md", "SECURITY.md"),
        *("changelogs", "docs", "meta", "playbooks", "plugins", "roles"),
    }
    assert [name for name in names if name.endswith("left.txt")] == []
    assert {"meta/ee-requirements.txt", "meta/execution-environment.yml", "meta/runtime.yml"} <= set(names)


@pytest.mark.parametrize("source", SOURCES)
def test_it_installs_without_galaxy_and_deploys_the_lab_by_name(newcomer: Newcomer, source: str) -> None:
    if "tar.gz" in source:
        newcomer("ansible-galaxy collection build ~/fleet.certs_d").good()
    newcomer(f"ansible-galaxy collection install {source}").good()
    assert newcomer.galaxy.asked == []
    assert_verified(newcomer(f"ansible-playbook fleet.certs_d.site -i {INVENTORY}"))


def test_a_collection_that_is_nowhere_is_asked_of_galaxy(newcomer: Newcomer) -> None:
    """That the server of these tests is the one that would be asked."""
    assert newcomer("ansible-galaxy collection install nobody.nothing").status != 0
    assert newcomer.galaxy.asked != []


def test_the_playbooks_of_an_installed_collection_run_from_inside_it(settled: Newcomer) -> None:
    inside = settled.home / ".ansible/collections/ansible_collections/fleet/certs_d/playbooks"
    assert_verified(settled(f"cd {inside} && ansible-playbook site.yml -i {INVENTORY}"))


def test_every_member_of_the_action_group_takes_the_options_that_all_of_them_have(settled: Newcomer) -> None:
    done = settled("ansible-playbook -i inventory.yml deploy.yml -v")
    results = re.findall(r"^(?:ok|changed): \[node1\] => (.+)$", done.good(), re.MULTILINE)
    assert [LAID in result for result in results] == [True, True, True]


def test_a_default_that_one_member_does_not_know_is_one_clear_error(settled: Newcomer) -> None:
    playbook = settled.here / "deploy.yml"
    playbook.write_text(playbook.read_text().replace("      path:", "      warn_days: 14\n      path:"))
    done = settled("ansible-playbook -i inventory.yml deploy.yml")
    assert done.status != 0
    assert "ok=2 " in done.output, "layout and layout_info know it"
    told = re.findall(r"Task failed: (Unsupported parameters for \(\S+\) module: .+?\.)", done.output)
    assert told == [f"Unsupported parameters for ({ACTIONS}.verify_fallback) module: warn_days."]


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


def test_the_page_on_installing_shows_what_really_happens(newcomer: Newcomer) -> None:
    commands = {
        "build": "ansible-galaxy collection build ~/fleet.certs_d",
        "install": f"ansible-galaxy collection install fleet-certs_d-{VERSION}.tar.gz",
        "git": "ansible-galaxy collection install --force git+file://$HOME/fleet.certs_d,main 2>&1 | tail -n 1",
        "requirements": "cat requirements.yml",
        "list": "ansible-doc --list fleet.certs_d",
        "pki": "find pki -type f | sort",
        "inventory": "cat inventory.yml",
        "playbook": "cat deploy.yml",
        "deploy": "ansible-playbook -i inventory.yml deploy.yml",
        "again": "ansible-playbook -i inventory.yml deploy.yml | tail -n 2",
        "verify": f"ansible-playbook -i inventory.yml fleet.certs_d.verify -e node_path={LAID}",
    }
    seen = {}
    for step, command in commands.items():
        if step == "pki":
            newcomer.prepare()
        seen[step] = f"$ {command}\n{told(newcomer, newcomer(command).good())}"
    assert newcomer.galaxy.asked == []
    TRANSCRIPT.write_text(json.dumps(seen))
    made = subprocess.run([sys.executable, MAKER, TRANSCRIPT], capture_output=True, text=True, check=True).stdout
    assert (PROJECT / "docs/install.md").read_text() == made, "python tests/tools/install_page.py --write"


def told(newcomer: Newcomer, output: str) -> str:
    """What was said, less what is another machine's or another day's."""
    output = output.replace(str(newcomer.home), "/home/me").replace(address(INVENTORY, "node1"), "192.0.2.11")
    return re.sub(r"(?m)\d+( +verified)$", r"89\1", re.sub(r"(?m) +$", "", output)).strip()


def assert_verified(site: Run) -> None:
    assert site.status == 0, site.output
    assert "3 of 3 hosts verified" in site.output
    assert not re.search(r"changed=[1-9]", site.output), site.output
