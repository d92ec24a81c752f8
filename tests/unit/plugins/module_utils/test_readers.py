# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of holding readers: who comes while a pair is replaced finds the new one, and no other file is touched."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _swap
from ansible_collections.fleet.certs_d.plugins.module_utils._disk import read_regular_file
from ansible_collections.fleet.certs_d.tests.unit.laid import WANTED, directory, run

OLD, NEW = (directory({"ca": age}, {"10": (f"{age} pair", f"{age} pair")}) for age in ("old", "new"))


def meet(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> threading.Thread:
    """Have `work` begin just before the exchange, in a thread."""
    exchange, thread = _swap._rename_exchange, threading.Thread(target=work)

    def later(stage: str, path: str) -> None:
        thread.start()
        # Long enough for the thread to come to the door.
        thread.join(0.1)
        exchange(stage, path)

    monkeypatch.setattr(_swap, "_rename_exchange", later)
    return thread


def test_who_opens_the_certificate_before_the_exchange_and_the_key_after_it_gets_one_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(OLD, root=tmp_path)
    read: list[str] = []

    def engine() -> None:
        read.extend((tmp_path / OLD.name / f"10.{half}").read_text() for half in ("cert", "key"))

    reader = meet(monkeypatch, engine)
    run(NEW, root=tmp_path)
    reader.join()
    assert read == ["new pair", "new pair"]


def test_who_reads_through_the_old_directory_gets_one_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(OLD, root=tmp_path)
    descriptor = os.open(tmp_path / OLD.name, os.O_RDONLY)
    read: list[bytes] = []

    def engine() -> None:
        for half in ("cert", "key"):
            file = os.open(f"10.{half}", os.O_RDONLY, dir_fd=descriptor)
            read.append(os.read(file, 100))
            os.close(file)

    reader = meet(monkeypatch, engine)
    run(NEW, root=tmp_path)
    reader.join()
    os.close(descriptor)
    assert read == [b"new pair", b"new pair"]


def test_a_reader_that_does_not_block_sits_the_exchange_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(OLD, root=tmp_path)
    read: list[bytes | None] = []
    path = str(tmp_path / OLD.name / "10.cert")
    reader = meet(monkeypatch, lambda: read.append(read_regular_file(path)))
    run(NEW, root=tmp_path)
    reader.join()
    assert read == [b"new pair"]


@pytest.mark.parametrize("tie", [os.link, os.symlink])
def test_a_file_with_a_name_elsewhere_keeps_its_content(tmp_path: Path, tie: Callable[[Path, Path], None]) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("old pair")
    folder = tmp_path / "certs.d" / OLD.name
    run(OLD, root=folder.parent)
    (folder / "10.cert").unlink()
    tie(elsewhere, folder / "10.cert")
    run(NEW, root=folder.parent)
    assert (folder / "10.cert").read_text() == "new pair"
    assert elsewhere.read_text() == "old pair"


def test_who_may_read_the_old_key_alone_never_gets_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(OLD, root=tmp_path)
    key = tmp_path / OLD.name / "10.key"
    key.chmod(0o644)
    read: list[str] = []
    reader = meet(monkeypatch, lambda: read.append(key.read_text()))
    run(NEW, root=tmp_path)
    reader.join()
    assert read == ["old pair"]
    assert key.read_text() == "new pair"


def test_a_certificate_that_somebody_keeps_open_is_replaced_all_the_same(tmp_path: Path) -> None:
    run(OLD, root=tmp_path)
    with (tmp_path / OLD.name / "10.cert").open() as kept:
        run(NEW, root=tmp_path)
        assert kept.read() == "old pair"
    assert (tmp_path / OLD.name / "10.cert").read_text() == "new pair"


def test_readers_are_not_held_where_a_name_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has listed it fails, so nobody may be kept between the listing and the reading."""
    run(directory({}, {"10": ("old pair", "old pair"), "20": ("more", "more")}), root=tmp_path)
    read: list[str] = []
    reader = meet(monkeypatch, lambda: read.append((tmp_path / OLD.name / "10.cert").read_text()))
    run(NEW, root=tmp_path, purge=True)
    reader.join()
    assert read == ["old pair"]


def test_a_change_that_fails_lets_readers_have_the_old_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(OLD, root=tmp_path)
    read: list[str] = []
    exchange = _swap._rename_exchange
    reader = meet(monkeypatch, lambda: read.append((tmp_path / OLD.name / "10.cert").read_text()))
    meeting = _swap._rename_exchange

    def fail(stage: str, path: str) -> None:
        meeting(stage, path)
        exchange(stage, path)
        raise PermissionError(errno.EPERM, "no", path)

    monkeypatch.setattr(_swap, "_rename_exchange", fail)
    with pytest.raises(PermissionError):
        run(NEW, root=tmp_path)
    reader.join()
    assert read == ["old pair"]
    assert (tmp_path / WANTED.name / "10.cert").read_text() == "old pair"
