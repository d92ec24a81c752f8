# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment that is killed at any of its system calls: old or new, never between, and the next run converges.

Runs on this machine, on a real file system, as root: the fleet's nodes share its kernel.
"""

from __future__ import annotations

import compileall
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.fleet.certs_d.plugins.module_utils._wanted import WantedDirectory
from ansible_collections.fleet.certs_d.tests.soak.node_program import job, lay_out
from ansible_collections.fleet.certs_d.tests.unit.laid import directory, run
from lab.system import need

NAMES = ("a.lab:5000", "b.lab:5000")
NOTHING: list[dict[str, Any]] = []
OLD, NEW = (
    [
        {"name": name, "roots": {"ca": f"{age} root"}, "pairs": {"10": [f"{age} {name}", f"{age} key of {name}"]}}
        for name in NAMES
    ]
    for age in ("old", "new")
)
GONE = [{"name": name, "absent": True} for name in NAMES]
CHANGES = {"first install": (NOTHING, NEW), "change": (OLD, NEW), "removal": (OLD, GONE)}
EARLIER = 10
_CALL = re.compile(r"\d+ +(?P<name>\w+)\(")

Picture = dict[str, tuple[int, int, int, bytes]]


class Moment(NamedTuple):
    """A system call of a run: the how-manieth of its name, and whether the certs.d root stands in it."""

    name: str
    number: int
    touches: bool


class Bench(NamedTuple):
    """The program, and the root below which it works."""

    program: Path
    root: Path

    def trace(self, state: list[dict[str, Any]], *options: str) -> tuple[int, list[str]]:
        """Deploy a state under strace: how it ended and what strace saw."""
        log = self.root.parent.with_suffix(".trace")
        command = ["strace", "-f", "-y", "-o", log, *options, sys.executable, "-S", "-E"]
        given = job(self.root, state)
        # Nothing of this environment may change the number of calls from one run to the next.
        done = subprocess.run(
            [*command, self.program], input=given, text=True, capture_output=True, timeout=60, check=False, env={}
        )
        return done.returncode, log.read_text().splitlines()

    def another(self, number: int) -> Bench:
        """The same program below a root of its own."""
        return self._replace(root=self.root.parent.with_name(f"docker-{number}") / self.root.name)

    def lay(self, state: list[dict[str, Any]]) -> bool:
        """Deploy a state in this process; tells whether there was anything to do."""
        return any(plan.changed for plan in run(*map(wanted, state), root=self.root))

    def pictures(self) -> dict[str, Picture]:
        """Every host directory with all that engines see of it: names, modes, owners, bytes."""
        return {name: picture(self.root / name) for name in NAMES if (self.root / name).exists()}

    def start_from(self, state: list[dict[str, Any]]) -> None:
        """Nothing but this state, made by a run that was not disturbed, and a file that only the old directory has."""
        shutil.rmtree(self.root.parent, ignore_errors=True)
        if state:
            self.lay(state)
        for data in state:
            (self.root / data["name"] / "README").write_text("by hand")


def wanted(data: dict[str, Any]) -> WantedDirectory:
    pairs = {name: (certificate, key) for name, (certificate, key) in data.get("pairs", {}).items()}
    made = directory(data.get("roots", {}), pairs, name=data["name"])
    return made._replace(is_present=not data.get("absent", False))


def picture(folder: Path) -> Picture:
    entries = {".": folder} | {path.name: path for path in folder.iterdir()}
    found = {}
    for name, path in entries.items():
        status = path.lstat()
        found[name] = (status.st_mode, status.st_uid, status.st_gid, b"" if path.is_dir() else path.read_bytes())
    return found


def moments(lines: list[str], root: Path) -> list[Moment]:
    counted: Counter[str] = Counter()
    found = []
    for line in lines:
        if call := _CALL.match(line):
            counted[call["name"]] += 1
            found.append(Moment(call["name"], counted[call["name"]], str(root) in line))
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    need("strace", packages=["strace"])
    program = lay_out(tmp_path / "program")
    # With the environment's say no run would write compiled files, and each would take three times as long.
    compileall.compile_dir(program, quiet=1)
    return Bench(program, tmp_path / "docker" / "certs.d")


def killed(bench: Bench, moment: Moment, state: list[dict[str, Any]], *options: str) -> None:
    """Kill a deployment just before this call of it has any effect."""
    inject = f"inject={moment.name}:signal=KILL:when={moment.number}"
    # strace injects only into what it traces, so the call that an option injects into must be there, too.
    status, lines = bench.trace(state, "-e", f"trace={moment.name},renameat2", *options, "-e", inject)
    assert status == -signal.SIGKILL, lines[-3:]
    last = [line for line in lines if (call := _CALL.match(line)) and call["name"] == moment.name]
    assert len(last) == moment.number
    assert (str(bench.root) in last[-1]) == moment.touches, f"the run does not repeat its calls: {last[-1]}"


def to_be_killed(bench: Bench, state: list[dict[str, Any]], *options: str) -> list[Moment]:
    """Every call that touches the root, and some of those before the first."""
    status, lines = bench.trace(state, "-e", "trace=%file,%desc", *options)
    assert status == 0, lines[-3:]
    calls = moments(lines, bench.root)
    first = next(number for number, call in enumerate(calls) if call.touches)
    earlier = random.Random(3).sample([call for call in calls[:first] if call.name != "execve"], EARLIER)
    return earlier + [call for call in calls[first:] if call.touches]


@pytest.mark.parametrize("change", CHANGES)
def test_killed_at_any_system_call_old_or_new_stands_there_and_the_next_run_converges(
    bench: Bench, change: str
) -> None:
    before, after = CHANGES[change]
    bench.start_from(before)
    old = bench.pictures()
    calls = to_be_killed(bench, after)
    new = bench.pictures()
    assert old != new

    def is_new(number: int, moment: Moment) -> set[bool]:
        """Whether the new state stands there after a kill at this moment, of each name."""
        own = bench.another(number)
        own.start_from(before)
        killed(own, moment, after)
        seen = set()
        for name, found in {**dict.fromkeys(NAMES), **own.pictures()}.items():
            assert found in (old.get(name), new.get(name)), f"{name} after a kill at {moment}"
            seen.add(found == new.get(name))
        own.lay(after)
        assert own.pictures() == new, f"the run after a kill at {moment}"
        assert sorted(os.listdir(own.root)) == sorted(new), f"leftovers of a kill at {moment}"
        assert os.listdir(own.root.parent) == [own.root.name]
        assert not own.lay(after)
        return seen

    # Most of the time they wait: for the disk, and for readers that might be there.
    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(is_new, range(len(calls)), calls))
    assert set().union(*seen) == {True, False}
    assert len(calls) > EARLIER + 20


def test_killed_between_two_renames_a_directory_may_be_away_but_never_mixed_and_comes_back(bench: Bench) -> None:
    """What is left to a file system that can't exchange two names."""
    lack = ("-e", "inject=renameat2:error=EINVAL")
    bench.start_from(OLD)
    old = bench.pictures()
    renames = [call for call in to_be_killed(bench, NEW, *lack) if call.name.startswith("rename")]
    renames = [call for call in renames if call.name != "renameat2"]
    assert len(renames) == 3 * len(NAMES)
    new = bench.pictures()
    for moment in renames:
        bench.start_from(OLD)
        killed(bench, moment, NEW, *lack)
        for name, found in bench.pictures().items():
            assert found in (old[name], new[name]), f"{name} after a kill at {moment}"
        bench.lay(NEW)
        assert bench.pictures() == new
        assert sorted(os.listdir(bench.root)) == sorted(NAMES)
