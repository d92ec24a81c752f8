# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of files of key material."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.plugin_utils import _key_files as files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert files.read_file(str(tmp_path / "none")) == b""


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize("wanted", [0o600, 0o644])
def test_a_file_gets_its_mode_whatever_the_umask(tmp_path: Path, wanted: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.write_file(str(tmp_path / "key"), b"x", mode=wanted)
    finally:
        os.umask(before)
    assert mode(tmp_path / "key") == wanted


def test_a_key_is_never_open_to_others_not_even_while_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    fsync = os.fsync

    def look(descriptor: int) -> None:
        seen.extend(mode(path) for path in tmp_path.iterdir())
        fsync(descriptor)

    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "key").chmod(0o600)
    opened: list[int] = []
    os_open = os.open

    def watch(path: str, flags: int, *arguments: int) -> int:
        descriptor = os_open(path, flags, *arguments)
        opened.extend(mode(each) for each in tmp_path.iterdir())
        return descriptor

    monkeypatch.setattr(os, "fsync", look)
    monkeypatch.setattr(os, "open", watch)
    files.write_file(str(tmp_path / "key"), b"new", mode=0o600)
    assert set(seen) == set(opened) == {0o600}


def test_a_leftover_of_a_killed_run_is_replaced_and_nothing_stays(tmp_path: Path) -> None:
    (tmp_path / ".key.tmp").write_bytes(b"left over")
    (tmp_path / ".key.tmp").chmod(0o666)
    files.write_file(str(tmp_path / "key"), b"new", mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
    assert mode(tmp_path / "key") == 0o600


def test_a_symlink_in_the_way_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"untouched")
    (tmp_path / "key").symlink_to("target")
    (tmp_path / ".key.tmp").symlink_to("target")
    files.write_file(str(tmp_path / "key"), b"new", mode=0o600)
    assert (tmp_path / "target").read_bytes() == b"untouched"
    assert not (tmp_path / "key").is_symlink()


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(b"old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        files.write_file(str(tmp_path / "key"), b"new", mode=0o600)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("key", b"old")]


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "authority").mkdir(mode=0o750)
    files.make_folders(str(tmp_path / "authority"), mode=0o700)
    files.make_folders(str(tmp_path / "a" / "b"), mode=0o700)
    assert (mode(tmp_path / "authority"), mode(tmp_path / "a" / "b")) == (0o750, 0o700)
