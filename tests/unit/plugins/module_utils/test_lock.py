# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A root below which one run works at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _lock
from ansible_collections.fleet.certs_d.plugins.module_utils._lock import RootBusy, root_alone


def test_the_root_is_made_for_everybody_to_look_into(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with root_alone(str(tmp_path / "a" / "b")):
            pass
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*")} == {0o755}


def test_a_root_that_was_made_goes_away_when_the_work_fails(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="failed"), root_alone(str(tmp_path / "a" / "b")):
        raise OSError("failed")
    assert not (tmp_path / "a").exists()


def test_two_runs_do_not_work_in_one_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lock, "_LOCK_SECONDS", 0)
    with (
        root_alone(str(tmp_path / "a")),
        root_alone(str(tmp_path / "b")),
        pytest.raises(RootBusy, match="another run"),
        root_alone(str(tmp_path / "a")),
    ):
        pass
    with root_alone(str(tmp_path / "a")):
        pass
