# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change host directories with the collection's own code, beside readers that load them as engines do.

Usage: swaps.py < job. Runs on a node's own Python, with the collection's module_utils and nothing else.

The job is JSON: `root`, `states` (each a list of host directories), `count`, `way` (`swap`; `exchange` for the same
without holding readers; `copy` for replacing file by file as ansible.builtin.copy does), `pause` (seconds between two
changes) and `readers` (`path`, `descriptor`). State after state is laid, `count` times.

Prints JSON: `ways` counts how the changes came to be visible, `readers` has for each its `reads` and its `faults` by
kind. A fault of a read that took longer than readers are waited for is `slow`.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils import _swap
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._deployment import Target, Terms, deploy
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._plan import Owner
from ansible_collections.fleet.certs_d.plugins.module_utils._readers import READ_SECONDS
from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory, WantedPair, WantedRoots

_MOST_SECONDS = 300
# A reader that never rests has its processor taken away in the midst of a read, which no engine has at its pulls.
_REST_SECONDS = 0.0005

Pair = tuple[bytes, bytes]


class Watch:
    """What a read takes of its own: all seconds but those spent at doors, and the wait for a processor.

    Waiting at a door is what readers are meant to do; a processor that comes late after it is not.
    """

    def __init__(self) -> None:
        self.doors = 0.0
        self._started = time.monotonic()
        self._waited = _waited_for_a_processor()

    def open(self, path: str, directory: int | None) -> int:
        """A descriptor of the file, once its door is open."""
        came = time.monotonic()
        try:
            return os.open(path, os.O_RDONLY, dir_fd=directory)
        finally:
            self.doors += time.monotonic() - came

    def seconds(self) -> float:
        """So far."""
        own = time.monotonic() - self._started - self.doors
        return own + _waited_for_a_processor() - self._waited


def main() -> None:
    """Read the job, do it, tell what was seen."""
    job = json.load(sys.stdin)
    ended = mmap.mmap(-1, 1)
    states = [[wanted_directory(each) for each in state] for state in job["states"]]
    readers = {way: _start(way, os.path.join(job["root"], states[0][0].name), ended) for way in job["readers"]}
    ways: Counter[str] = Counter()
    started = time.monotonic()
    change = _copy if job["way"] == "copy" else _deploy
    if job["way"] == "exchange":
        _swap.readers_held = lambda _steps: contextlib.nullcontext()
    try:
        for number in range(job["count"]):
            if time.monotonic() > started + _MOST_SECONDS:
                raise TimeoutError("the changes took too long")
            ways.update(change(job["root"], states[number % len(states)]))
            time.sleep(job["pause"])
    finally:
        seconds = time.monotonic() - started
        ended[0] = 1
        told = {way: _end(*reader) for way, reader in readers.items()}
    json.dump({"ways": ways, "seconds": seconds, "readers": told}, sys.stdout)


def wanted_directory(data: dict) -> WantedDirectory:
    """A host directory of the job: its `name`, the `roots` by name, the `pairs` by name, or `absent`."""
    return WantedDirectory(
        data["name"],
        tuple(WantedRoots(name, content, ()) for name, content in data.get("roots", {}).items()),
        tuple(WantedPair(name, certificate, (), key) for name, (certificate, key) in data.get("pairs", {}).items()),
        is_present=not data.get("absent", False),
    )


def _deploy(root: str, state: list[WantedDirectory]) -> list[str]:
    terms = Terms(Owner(os.geteuid(), os.getegid()))
    return [done.way for _engine, done in deploy(state, [Target(ENGINES["docker"], root)], terms).done]


def _copy(root: str, state: list[WantedDirectory]) -> list[str]:
    for directory in state:
        path = os.path.join(root, directory.name)
        os.makedirs(path, exist_ok=True)
        for file in directory.files:
            temporary = os.path.join(path, f".ansible_tmp{os.getpid()}{file.name}")
            with open(temporary, "wb") as stream:
                stream.write(file.content)
                os.fsync(stream.fileno())
            os.rename(temporary, os.path.join(path, file.name))
    return ["copy"] * len(state)


def _start(way: str, path: str, ended: mmap.mmap) -> tuple[int, int]:
    """A process that reads until the flag is raised; returns its id and where it tells what it saw."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    try:
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            json.dump(_read_on(way, path, ended), stream)
    finally:
        # The fork must not go on with the parent's work.
        os._exit(0)


def _end(child: int, reading: int) -> dict:
    with os.fdopen(reading) as stream:
        told = stream.read()
    os.waitpid(child, 0)
    return json.loads(told)


def _read_on(way: str, path: str, ended: mmap.mmap) -> dict:
    read = {"path": read_by_path, "descriptor": read_by_descriptor}[way]
    faults: Counter[str] = Counter()
    known: dict[Pair, str | None] = {}
    reads = 0
    deadline = time.monotonic() + _MOST_SECONDS
    while not os.path.isdir(path) and not ended[0]:
        time.sleep(0.001)
    while not ended[0] and time.monotonic() < deadline:
        reads += 1
        time.sleep(_REST_SECONDS)
        watch = Watch()
        try:
            pairs = read(path, watch)
        except FileNotFoundError:
            found = ["missing"]
        else:
            known.update((pair, pair_fault(*pair)) for pair in pairs if pair not in known)
            found = [fault for fault in map(known.get, pairs) if fault]
        if found and watch.seconds() > READ_SECONDS:
            found = ["slow"]
        faults.update(found)
    return {"reads": reads, "faults": faults}


def _waited_for_a_processor() -> float:
    """The seconds that this process was ready to run and did not."""
    with open("/proc/self/schedstat") as stream:
        return int(stream.read().split()[1]) / 1e9


def read_by_path(path: str, watch: Watch) -> list[Pair]:
    """The pairs as Go programs load them: os.ReadDir, then os.ReadFile of each path, certificate before key."""
    names = sorted(os.listdir(path))
    return _pairs(names, lambda name: _content(watch.open(os.path.join(path, name), None)))


def read_by_descriptor(path: str, watch: Watch) -> list[Pair]:
    """The pairs of one and the same directory, whatever its name leads to meanwhile."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    with contextlib.ExitStack() as held:
        held.callback(os.close, descriptor)
        names = sorted(os.listdir(descriptor))
        return _pairs(names, lambda name: _content(watch.open(name, descriptor)))


def _pairs(names: Sequence[str], content: Callable[[str], bytes]) -> list[Pair]:
    """What engines do with a listing: every half must have its other half."""
    pairs = []
    for name in names:
        stem, suffix = os.path.splitext(name)
        other = {".cert": ".key", ".key": ".cert"}.get(suffix)
        if other and stem + other not in names:
            raise FileNotFoundError(stem + other)
        if suffix == ".cert":
            pairs.append((content(name), content(stem + other)))
        elif suffix == ".crt":
            content(name)
    return pairs


def _content(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
