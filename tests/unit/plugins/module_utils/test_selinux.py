# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the SELinux context. No machine of the tests has SELinux: its switch is a file of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _selinux
from ansible_collections.fleet.certs_d.plugins.module_utils._selinux import restore_contexts


class Restorecon:
    """What restorecon would say, and how it was called."""

    def __init__(self, status: int = 0, said: str = "", complaint: str = "") -> None:
        self.calls: list[list[str]] = []
        self._answer = (status, said, complaint)

    def __call__(self, command: Sequence[str]) -> tuple[int, str, str]:
        self.calls.append(list(command))
        return self._answer


@pytest.fixture
def switched_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "enforce").write_text("1")
    monkeypatch.setattr(_selinux, "_SWITCH", str(tmp_path / "enforce"))


def test_without_selinux_nothing_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_selinux, "_SWITCH", str(tmp_path / "enforce"))
    program = Restorecon()
    assert restore_contexts(["/x"], restorecon="/sbin/restorecon", run=program, dry_run=False) == []
    assert program.calls == []


@pytest.mark.usefixtures("switched_on")
def test_the_policys_context_is_restored_and_told() -> None:
    program = Restorecon(said="Relabeled /x from a to b\n")
    told = restore_contexts(["/x", "/y"], restorecon="/sbin/restorecon", run=program, dry_run=False)
    assert told == ["Relabeled /x from a to b"]
    assert program.calls == [["/sbin/restorecon", "-R", "-v", "/x", "/y"]]


@pytest.mark.usefixtures("switched_on")
def test_check_mode_only_asks() -> None:
    program = Restorecon(said="Would relabel /x from a to b\n")
    assert restore_contexts(["/x"], restorecon="/sbin/restorecon", run=program, dry_run=True)
    assert "-n" in program.calls[0]


@pytest.mark.usefixtures("switched_on")
def test_a_failure_is_told() -> None:
    program = Restorecon(status=255, complaint="no policy")
    with pytest.raises(OSError, match="no policy"):
        restore_contexts(["/x"], restorecon="/sbin/restorecon", run=program, dry_run=False)
