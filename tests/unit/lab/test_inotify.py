# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limit of inotify instances is counted and named."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from lab.inotify import describe, shortage, taken


def test_where_a_host_has_what_it_needs_there_is_nothing_to_say() -> None:
    assert describe(121, 128) == ""


def test_a_shortage_is_told_with_what_to_do() -> None:
    assert "122 of this machine's 128" in describe(122, 128)
    assert "`sysctl fs.inotify.max_user_instances=512`" in describe(122, 128)


def test_an_instance_more_is_one_more(tmp_path: Path) -> None:
    (tmp_path / "1").symlink_to("/proc/self")
    before = taken(tmp_path)
    instance = ctypes.CDLL(None, use_errno=True).inotify_init()
    if instance == -1:
        # All of them are taken, by labs for example, and who would bring up a host is to hear of it.
        assert ctypes.get_errno() == errno.EMFILE
        assert shortage()
        return
    try:
        assert taken(tmp_path) == before + 1
    finally:
        os.close(instance)


def test_a_process_that_may_not_be_looked_at_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "1" / "fd").mkdir(parents=True)
    (tmp_path / "1" / "fd" / "0").write_text("not a link")
    assert taken(tmp_path) == 0
