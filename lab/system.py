# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine: running commands, installing packages, telling progress."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_APT_LOCK_SECONDS = 300


class LabError(Exception):
    """Why there can be no lab, and what to do."""


def run(command: Sequence[str], *, given: str | None = None, timeout: float = 600) -> str:
    """The command's standard output; LabError with what it said where it fails."""
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError:
        raise LabError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(command[:4])} … did not end within {timeout:.0f} s") from None
    if done.returncode != 0:
        raise LabError(f"{' '.join(command[:6])} … failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


def succeeds(command: Sequence[str], *, timeout: float = 30) -> bool:
    """Whether the command ends well in time."""
    try:
        run(command, timeout=timeout)
    except LabError:
        return False
    return True


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One lab command at a time: two would start the same daemon, or one remove it under the other."""
    path = Path(tempfile.gettempdir()) / f"certs-d-lab-{os.geteuid()}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("lab: waiting for another lab command to end …", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """One line when the step begins, its seconds when it has ended."""
    started = time.monotonic()
    print(f"lab: {what} …", flush=True)
    yield
    print(f"lab: {what}: {time.monotonic() - started:.1f} s", flush=True)


def need(*programs: str, packages: Sequence[str]) -> None:
    """Have programs on the PATH: as root on Debian they are installed, elsewhere LabError tells what to install."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    if os.geteuid() != 0 or not is_debian():
        raise LabError(f"{', '.join(missing)} not found: install {' '.join(packages)}, or run as root on Debian")
    with step(f"installing {' '.join(packages)}"):
        apt_update()
        # A machine that has just started may be at its own updates.
        wait = f"--option=DPkg::Lock::Timeout={_APT_LOCK_SECONDS}"
        install = ["apt-get", "install", "-y", "--no-install-recommends", wait, *packages]
        run(["env", "DEBIAN_FRONTEND=noninteractive", *install], timeout=900)


def is_debian() -> bool:
    """Debian or one of its children."""
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


@functools.cache
def apt_update() -> None:
    """A source that can't be reached does no harm: installing tells what is missing."""
    succeeds(["apt-get", "update"], timeout=300)
