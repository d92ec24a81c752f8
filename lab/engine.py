# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The container engine: one that runs already, or the lab's own, which it starts and stops itself."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Literal, NamedTuple, overload

from lab.system import LabError, is_debian, need, run, step, succeeds

_RUN = Path("/run/certs-d-lab")
_DATA = Path("/var/lib/certs-d-lab")
_SOCKET = f"unix://{_RUN}/docker.sock"
_START_SECONDS = 60


class Engine(NamedTuple):
    """How to call the engine, and whether the lab started it."""

    command: tuple[str, ...]
    own: bool

    def __call__(self, *arguments: str, given: str | None = None, timeout: float = 600) -> str:
        """Run one command of the engine."""
        return run([*self.command, *arguments], given=given, timeout=timeout)

    def answers(self) -> bool:
        """Whether the daemon behind it works."""
        return succeeds([*self.command, "version"], timeout=15)


_RUNNING = Engine(("docker",), own=False)
_OWN = Engine(("docker", "--host", _SOCKET), own=True)


@overload
def find_engine(*, start: Literal[True]) -> Engine: ...


@overload
def find_engine(*, start: Literal[False]) -> Engine | None: ...


def find_engine(*, start: bool) -> Engine | None:
    """The machine's running engine, else the lab's own; None where neither runs and none is to be started."""
    for engine in (_RUNNING, _OWN):
        if engine.answers():
            return engine
    if not start:
        return None
    if os.geteuid() != 0 or not is_debian():
        raise LabError(
            "no container engine answers: install docker and start it (on Debian: apt-get install docker.io),"
            " or run as root on Debian, where the lab installs and starts its own"
        )
    need("docker", "dockerd", "iptables", packages=["docker.io", "iptables"])
    # The package starts its daemon by itself where a service manager runs.
    if _RUNNING.answers():
        return _RUNNING
    _start_own()
    return _OWN


def stop_own_engine(engine: Engine) -> None:
    """Stop the lab's own daemon and remove what it stored; an engine that ran before is left alone."""
    if not engine.own:
        return
    with step("stopping the lab's own engine"):
        for process in _own_processes():
            os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + _START_SECONDS
        while _own_processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        shutil.rmtree(_RUN, ignore_errors=True)
        shutil.rmtree(_DATA, ignore_errors=True)


def _start_own() -> None:
    with step("starting the lab's own dockerd"):
        _remove_stale_files()
        _DATA.mkdir(parents=True, exist_ok=True)
        _RUN.mkdir(parents=True, exist_ok=True)
        with (_DATA / "dockerd.log").open("ab") as log:
            subprocess.Popen(_daemon(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _START_SECONDS
        while not _OWN.answers():
            if time.monotonic() > deadline:
                raise LabError(f"dockerd does not answer: read {_DATA}/dockerd.log")
            time.sleep(0.3)


def _daemon() -> list[str]:
    return [
        "dockerd",
        f"--host={_SOCKET}",
        f"--data-root={_DATA}/data",
        f"--exec-root={_RUN}/exec",
        f"--pidfile={_RUN}/docker.pid",
    ]


def _remove_stale_files() -> None:
    """After a crash, process ids and sockets of yesterday would keep today's daemon from starting."""
    if not _own_processes():
        shutil.rmtree(_RUN, ignore_errors=True)


def _own_processes() -> list[int]:
    """dockerd and its containerd, told by their own paths."""
    own = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name in ("dockerd", "containerd") and any(str(_RUN) in word for word in words):
            own.append(int(process.parent.name))
    return own
