# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting as another user: root never writes into somebody's home itself, where symlinks may lead anywhere."""

from __future__ import annotations

import errno
import json
import os
import pwd
from typing import Any, Callable, NamedTuple, NoReturn


class Account(NamedTuple):
    """A user of this node."""

    name: str
    user: int
    group: int
    home: str


class NoSuchUser(ValueError):
    """The node does not know the user."""


def account(name: str | None) -> Account:
    """The user of this name, by default the one who runs this."""
    try:
        entry = pwd.getpwuid(os.geteuid()) if name is None else pwd.getpwnam(name)
    except KeyError:
        raise NoSuchUser(f"the node has no user {name or os.geteuid()}") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir)


def as_user(user: Account, work: Callable[[], Any]) -> Any:
    """What `work` returns when the user does it, as plain data of JSON; its OSError is raised here.

    Root forks a process that becomes the user for good, and believes nothing but JSON from it.
    """
    if user.user == os.geteuid():
        return work()
    if os.geteuid() != 0:
        raise PermissionError(errno.EPERM, f"only root can act as {user.name}", user.home)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _become_and_tell(user, work, writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    answer = json.loads(told) if told else {"error": [errno.ECHILD, "the process ended without a word", user.home]}
    if "error" in answer:
        raise OSError(*answer["error"])
    return answer["result"]


def _become_and_tell(user: Account, work: Callable[[], Any], writing: int) -> NoReturn:
    """Runs in the fork, which must not return into the module."""
    try:
        os.initgroups(user.name, user.group)
        os.setgid(user.group)
        os.setuid(user.user)
        answer = {"result": work()}
    except OSError as error:
        answer = {"error": [error.errno, error.strerror or str(error), os.fsdecode(error.filename or user.home)]}
    except BaseException as error:  # pylint: disable=broad-except
        answer = {"error": [errno.ECHILD, f"{type(error).__name__} in the process of {user.name}", user.home]}
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        json.dump(answer, stream)
    os._exit(0)
