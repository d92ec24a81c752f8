# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role lays on RHEL, as it is kept: `python tests/tools/rhel_snapshots.py --write` makes it anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.tools.rhel_snapshots import KEPT, render, texts

GATE = Path(__file__).parents[4] / "roles/registry/files"


def test_the_snapshots_are_what_the_role_lays(tmp_path: Path) -> None:
    render(tmp_path)
    assert texts(tmp_path) == texts(KEPT)


@pytest.mark.parametrize(("path", "text"), texts(KEPT).items(), ids=str)
def test_nothing_of_debian_s_layout_is_left(path: str, text: str) -> None:
    assert [word for word in ("apache2", "www-data", "sites-enabled", "/usr/local") if word in path + text] == []


@pytest.mark.parametrize("file", ["cert.cgi", "gate.sh"])
def test_the_gate_s_clock_is_one_that_the_bash_of_rhel_8_has(file: str) -> None:
    assert "EPOCHSECONDS" not in (GATE / file).read_text().replace("# EPOCHSECONDS", "")
