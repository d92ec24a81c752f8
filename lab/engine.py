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
_DAEMONS = ("dockerd", "containerd")


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
    """The machine's running engine, else the lab's own; None where nothing runs, is stored or is to be started."""
    for engine in (_RUNNING, _OWN):
        if engine.answers():
            return engine
    if not (start or _DATA.exists()):
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
        for process in _own_processes(*_DAEMONS):
            os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + _START_SECONDS
        while _own_processes(*_DAEMONS) and time.monotonic() < deadline:
            time.sleep(0.2)
        _remove(_RUN)
        _remove(_DATA)


def _start_own() -> None:
    with step("starting the lab's own dockerd"):
        _remove_stale_files()
        _DATA.mkdir(parents=True, exist_ok=True)
        _RUN.mkdir(parents=True, exist_ok=True)
        log = _DATA / "dockerd.log"
        with log.open("wb") as said:
            daemon = subprocess.Popen(
                _daemon(), stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
            )
        deadline = time.monotonic() + _START_SECONDS
        while not _OWN.answers():
            if daemon.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
                raise LabError(f"the lab's own dockerd does not answer; the end of {log}:\n" + "\n".join(last))
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
    """Process ids and sockets of dead daemons would keep today's from starting.

    The rest stays while containers of a killed daemon live: without it the new daemon would start each a second time.
    """
    if not _own_processes(*_DAEMONS, "containerd-shim-runc-v2"):
        _remove(_RUN)
    for daemon, file in zip(_DAEMONS, ("docker.pid", "exec/containerd/containerd.pid"), strict=True):
        if not _own_processes(daemon):
            (_RUN / file).unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """What a killed daemon had mounted keeps its folder busy."""
    for mount in reversed(mounts_below(folder, Path("/proc/self/mounts").read_text(encoding="utf-8"))):
        run(["umount", "--lazy", mount])
    if folder.exists():
        shutil.rmtree(folder)


def mounts_below(folder: Path, mounts: str) -> list[str]:
    """The mount points below a folder, in the order in which they were mounted."""
    points = [line.split(" ")[1] for line in mounts.splitlines()]
    return [point for point in points if Path(point).is_relative_to(folder)]


def _own_processes(*names: str) -> list[int]:
    """The lab's own processes of these names, told by their own paths."""
    own = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name in names and any(f"{_RUN}/" in word for word in words):
            own.append(int(process.parent.name))
    return own
