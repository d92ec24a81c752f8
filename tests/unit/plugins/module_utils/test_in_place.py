# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of host directories that can't be renamed: their files are replaced, each whole."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _disk, _swap
from ansible_collections.fleet.certs_d.tests.unit.laid import WANTED, deployment, directory, run, tree

OLD = directory({"ca": "old root"}, {"10-old": ("old certificate", "old secret"), "gone": ("certificate", "secret")})


@pytest.fixture(autouse=True)
def bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laid once, the directory refuses to be renamed, as one of an image's lower layer does."""
    run(OLD, root=tmp_path)
    rename = os.rename

    def refuse(source: str, target: str) -> None:
        if str(tmp_path / OLD.name) in (source, target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        rename(source, target)

    def lack(stage: str, path: str) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)

    monkeypatch.setattr(_swap, "_rename_exchange", lack)
    monkeypatch.setattr(_swap.os, "rename", refuse)


def test_the_directory_holds_what_is_wanted_and_the_result_says_how(tmp_path: Path) -> None:
    (tmp_path / OLD.name / "README").write_text("by hand")
    inode = (tmp_path / OLD.name).stat().st_ino
    ((_engine, done),) = deployment(WANTED, root=tmp_path).done
    assert done.way == "file by file"
    assert (tmp_path / OLD.name).stat().st_ino == inode
    expected = {file.name: (file.mode, file.content) for file in WANTED.files}
    carried = {"README", "gone.cert", "gone.key"}
    found = tree(tmp_path / OLD.name)
    assert {name: found[name] for name in found if name not in carried} == expected
    assert carried < set(found)
    assert os.listdir(tmp_path) == [OLD.name]


def test_purged_files_go_away(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path, purge=True)
    assert set(tree(tmp_path / OLD.name)) == {file.name for file in WANTED.files}


def test_owner_and_mode_of_the_directory_are_put_right(tmp_path: Path) -> None:
    (tmp_path / OLD.name).chmod(0o700)
    run(WANTED, root=tmp_path)
    assert stat.S_IMODE((tmp_path / OLD.name).stat().st_mode) == 0o755


def test_a_disk_that_is_full_meanwhile_leaves_the_old_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(tmp_path)
    fsync = os.fsync

    def full(descriptor: int) -> None:
        if ".fleet-certs-d.3" in os.readlink(f"/proc/self/fd/{descriptor}"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(_disk.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        run(WANTED, root=tmp_path)
    assert tree(tmp_path) == before


def test_what_was_replaced_before_a_failure_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tree(tmp_path)
    (tmp_path / "b.lab").write_text("a file stands where the directory belongs")
    with pytest.raises(OSError, match=r"b\.lab"):
        run(WANTED, directory({"ca": "root"}, {}, name="b.lab"), root=tmp_path)
    (tmp_path / "b.lab").unlink()
    after = tree(tmp_path)
    assert {name: after[name] for name in before} == before


def test_what_a_killed_run_left_in_it_goes_away(tmp_path: Path) -> None:
    (tmp_path / OLD.name / ".fleet-certs-d.0").write_text("half")
    run(OLD, root=tmp_path)
    assert ".fleet-certs-d.0" not in os.listdir(tmp_path / OLD.name)
