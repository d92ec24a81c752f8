# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the plan: what is compared, what the diff tells, and that no key stands in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import read_host_directory
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner, Plan, plan
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory
from ansible_collections.fleet.certs_d.tests.unit.laid import ME, WANTED, directory, run
from ansible_collections.fleet.certs_d.tests.unit.material import Issued


def planned(wanted: WantedDirectory, root: Path, *, owner: Owner = ME, purge: bool = False) -> Plan:
    path = str(root / wanted.name)
    return plan(wanted, read_host_directory(path), path=path, owner=owner, purge_files=purge)


def test_no_word_of_a_key_stands_in_plan_findings_or_diff(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "10-old.key").write_text("other secret")
    (plan,) = run(WANTED, root=tmp_path, check=True)
    assert plan.changed
    assert "10-old.key 0600" in plan.diff["before"]
    assert "not the one that is wanted" in plan.diff["before"]
    assert "secret" not in str(plan.diff) + str(plan.findings)


def test_what_lies_there_as_wanted_is_no_change(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    found = planned(WANTED, tmp_path)
    assert not found.changed
    assert found.diff == {}


@pytest.mark.parametrize("name", ["ca.crt", "10-old.cert", "10-old.key", "."])
def test_another_mode_is_a_change(tmp_path: Path, name: str) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / name).chmod(0o700)
    assert planned(WANTED, tmp_path).changed


@pytest.mark.parametrize("owner", [Owner(ME.user + 1, ME.group), Owner(ME.user, ME.group + 1)])
def test_another_owner_or_group_is_a_change(tmp_path: Path, owner: Owner) -> None:
    run(WANTED, root=tmp_path)
    assert planned(WANTED, tmp_path, owner=owner).changed


def test_the_diff_tells_certificates_by_subject_fingerprint_and_date(
    tmp_path: Path, client: Issued, other: Issued
) -> None:
    run(directory({}, {"10": (client.certificate, "key")}), root=tmp_path)
    diff = planned(directory({}, {"10": (other.certificate, "key")}), tmp_path).diff
    assert "10.cert 0644" in diff["before"]
    assert "CN=client sha256 " in diff["before"]
    assert "CN=other sha256 " in diff["after"]
    assert f"until {other.x509.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}" in diff["after"]
    assert "BEGIN" not in str(diff)


def test_the_same_certificate_in_other_words_is_a_change_that_the_diff_shows(tmp_path: Path, client: Issued) -> None:
    run(directory({}, {"10": (client.certificate + "# by hand\n", "key")}), root=tmp_path)
    found = planned(directory({}, {"10": (client.certificate, "key")}), tmp_path)
    assert found.changed
    assert "spelled otherwise" in found.diff["before"]
    assert "spelled otherwise" not in found.diff["after"]


def test_unmanaged_files_stay_unless_they_are_purged(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "README").write_text("by hand")
    kept, purged = planned(WANTED, tmp_path), planned(WANTED, tmp_path, purge=True)
    assert (kept.changed, kept.carried, [finding.code for finding in kept.findings]) == (
        False,
        ("README",),
        ["unmanaged"],
    )
    assert (purged.changed, purged.carried, purged.findings) == (True, (), ())
    assert "README" in purged.diff["before"]
    assert "README" not in purged.diff["after"]


def test_a_directory_that_is_not_there_is_a_change_even_with_nothing_in_it(tmp_path: Path) -> None:
    nothing = directory({}, {})
    assert planned(nothing, tmp_path).changed
    run(nothing, root=tmp_path)
    assert os.listdir(tmp_path / nothing.name) == []
    assert not planned(nothing, tmp_path).changed
