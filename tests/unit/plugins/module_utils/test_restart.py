# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what a running engine does not see by itself."""

from __future__ import annotations

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._restart import restart_reason

OLD = "Docker version 20.10.24+dfsg1, build 297e128"
NEW = "Docker version 26.1.5+dfsg1, build a72d7cd"


@pytest.mark.parametrize(
    ("version", "created", "words"),
    [
        (OLD, True, "does not see a new host directory"),
        (OLD, False, None),
        (NEW, True, None),
        (NEW, False, "goes on with the old certificates"),
        ("", True, None),
    ],
)
def test_only_builds_of_dockerd_want_a_restart(version: str, created: bool, words: str | None) -> None:
    reason = restart_reason(version, created=created)
    assert (words is None) == (reason is None)
    assert (words or "") in (reason or "")
