# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the swap: whole or not at all, and what a killed run leaves goes away."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _lock, _swap
from ansible_collections.fleet.certs_d.tests.unit.laid import WANTED, directory, run, tree


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        run(WANTED, root=tmp_path / "docker" / "certs.d")
    finally:
        os.umask(old)
    modes = {name: mode for name, (mode, _content) in tree(tmp_path / "docker" / "certs.d" / WANTED.name).items()}
    assert modes == {
        "ca.crt": 0o644,
        "10-old.cert": 0o644,
        "10-old.key": 0o600,
        "20-new.cert": 0o644,
        "20-new.key": 0o600,
    }
    assert stat.S_IMODE((tmp_path / "docker").stat().st_mode) == 0o755


def test_what_a_killed_run_left_goes_away(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    stage = tmp_path / f".fleet-certs-d.{WANTED.name}"
    stage.mkdir()
    (stage / "10-old.key").write_text("half")
    run(WANTED, root=tmp_path)
    assert os.listdir(tmp_path) == [WANTED.name]


def test_an_old_directory_that_a_killed_run_put_aside_comes_back(tmp_path: Path) -> None:
    run(WANTED, root=tmp_path)
    (tmp_path / WANTED.name / "README").write_text("by hand")
    (tmp_path / WANTED.name).rename(tmp_path / f".fleet-certs-d.{WANTED.name}..old")
    run(WANTED, root=tmp_path)
    assert (tmp_path / WANTED.name / "README").read_text() == "by hand"


def test_a_failure_in_one_registry_leaves_all_as_before(tmp_path: Path) -> None:
    good = directory({"ca": "root"}, {}, name="a.lab:5000")
    (tmp_path / "b.lab:5000").write_text("a file stands where the directory belongs")
    with pytest.raises(OSError, match=r"b\.lab"):
        run(good, directory({"ca": "root"}, {}, name="b.lab:5000"), root=tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["b.lab:5000"]


def test_a_failed_first_install_leaves_no_root_behind(tmp_path: Path) -> None:
    too_long = directory({"n" * 300: "root"}, {})
    with pytest.raises(OSError, match="too long"):
        run(too_long, root=tmp_path / "docker" / "certs.d")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_never_sees_a_mixed_directory(tmp_path: Path) -> None:
    """The certificate names its key: a reader that opens the directory once must find the two halves together."""
    states = [directory({}, {"10": (f"pair {number}", f"pair {number}")}) for number in range(2)]
    run(states[0], root=tmp_path)
    path, mixed, reads, done = tmp_path / WANTED.name, [], [0], threading.Event()

    def read() -> None:
        while not done.is_set():
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            halves = []
            for name in ("10.cert", "10.key"):
                try:
                    file = os.open(name, os.O_RDONLY, dir_fd=descriptor)
                except FileNotFoundError:
                    # the old directory is being removed after the exchange; a client that came that late looks again
                    break
                halves.append(os.read(file, 100))
                os.close(file)
            os.close(descriptor)
            reads[0] += 1
            if len(set(halves)) > 1:
                mixed.append(halves)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        run(states[(number + 1) % 2], root=tmp_path)
    done.set()
    reader.join()
    assert reads[0] > 100
    assert mixed == []


def test_an_interrupted_exchange_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("a.lab:5000", "b.lab:5000")
    run(*(directory({"ca": "old"}, {}, name=name) for name in names), root=tmp_path)
    exchange = _swap._rename_exchange

    def interrupt(stage: str, path: str) -> None:
        if path.endswith(names[1]):
            raise KeyboardInterrupt
        exchange(stage, path)

    monkeypatch.setattr(_swap, "_rename_exchange", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(*(directory({"ca": "new"}, {}, name=name) for name in names), root=tmp_path)
    assert sorted(os.listdir(tmp_path)) == list(names)
    assert [(tmp_path / name / "ca.crt").read_text() for name in names] == ["old", "old"]


def test_two_renames_take_the_place_of_an_exchange_that_the_file_system_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(stage: str, path: str) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)

    monkeypatch.setattr(_swap, "_rename_exchange", lack)
    run(directory({"ca": "old"}, {}), root=tmp_path)
    run(directory({"ca": "new"}, {}), root=tmp_path)
    assert os.listdir(tmp_path) == [WANTED.name]
    assert (tmp_path / WANTED.name / "ca.crt").read_text() == "new"


def test_a_name_as_long_as_a_file_name_can_be_is_deployed(tmp_path: Path) -> None:
    long = ".".join(["a" * 49] * 5)
    run(directory({"ca": "root"}, {}, name=long), root=tmp_path)
    run(directory({"ca": "new"}, {}, name=long), root=tmp_path)
    assert os.listdir(tmp_path) == [long]


@contextmanager
def working(root: Path) -> Iterator[None]:
    """Another run that works below the root."""
    descriptor = os.open(root, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    second = threading.Thread(target=run, args=[WANTED], kwargs={"root": tmp_path})
    with working(tmp_path):
        second.start()
        time.sleep(0.3)
        assert os.listdir(tmp_path) == []
    second.join()
    assert os.listdir(tmp_path) == [WANTED.name]


def test_a_run_that_has_waited_long_enough_says_that_another_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_lock, "_LOCK_SECONDS", 0)
    with working(tmp_path), pytest.raises(_lock.RootBusy, match="another run"):
        run(WANTED, root=tmp_path)
    assert os.listdir(tmp_path) == []
