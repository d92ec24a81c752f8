# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the search for the Pythons of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.tests.tools.pythons import interpreters


@pytest.mark.parametrize("root", ["elsewhere", ""])
def test_those_of_pyenv_are_found_wherever_it_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    python = tmp_path / (root or ".pyenv") / "versions/3.9.18/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to("/bin/true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / root) if root else "")
    assert interpreters([9]) == {"3.9": str(python)}
