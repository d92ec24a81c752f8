# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of acting as another user, with real accounts of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils import _user
from ansible_collections.fleet.certs_d.plugins.module_utils._user import Account, NoSuchUser, account, as_user

# As root the tests become somebody else, as anybody else they stay themselves.
OTHER = account("nobody") if os.geteuid() == 0 else account(None)


def test_an_account_is_found_by_name_or_is_the_own_one() -> None:
    assert account("root").user == 0
    assert account(None).user == os.geteuid()


def test_an_unknown_user_is_told() -> None:
    with pytest.raises(NoSuchUser, match="no user n0b0dy"):
        account("n0b0dy")


def test_the_work_is_done_by_that_user_and_its_groups() -> None:
    assert as_user(OTHER, lambda: [os.getuid(), os.geteuid(), os.getgid(), os.getegid()]) == [
        OTHER.user,
        OTHER.user,
        OTHER.group,
        OTHER.group,
    ]


def test_this_process_stays_who_it_is() -> None:
    before = os.getresuid(), os.getresgid(), os.getgroups()
    as_user(OTHER, lambda: None)
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


def test_what_that_user_may_not_do_fails_with_the_path(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    def work() -> Any:
        if OTHER.user == os.geteuid() and OTHER.user != 0:
            raise PermissionError(13, "Permission denied", str(tmp_path / "x"))
        return (tmp_path / "x").write_text("")

    with pytest.raises(PermissionError) as caught:
        as_user(OTHER, work)
    assert caught.value.filename == str(tmp_path / "x")


def test_another_fault_is_told_by_its_kind_alone() -> None:
    def work() -> NoReturn:
        raise ValueError("secret")

    if OTHER.user == os.geteuid():
        with pytest.raises(ValueError, match="secret"):
            as_user(OTHER, work)
    else:
        with pytest.raises(OSError, match="ValueError in the process of nobody") as caught:
            as_user(OTHER, work)
        assert "secret" not in str(caught.value)


def test_nobody_but_root_becomes_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_user.os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError, match="only root can act as me"):
        as_user(Account("me", 1000, 1000, "/home/me"), lambda: None)
